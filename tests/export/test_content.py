"""What graphs are traced, calibrated and proven with."""

from pathlib import Path

from i2icli.export.content import GivenImages


def images(count: int) -> GivenImages:
    return GivenImages([Path(f"{number:03}.png") for number in range(count)])


def test_what_is_proven_on_was_not_calibrated_on():
    shown, others = images(100).apart(4)
    assert [file.stem for file in shown.files] == ["000", "025", "050", "075"]
    assert len(others) == 96
    assert set(shown.files).isdisjoint(others.files)
    assert shown.origin == "images that were not calibrated on"


def test_few_images_do_for_both_and_this_is_said():
    shown, others = images(6).apart(4)
    assert len(shown) == 4
    assert len(others) == 6
    assert shown.origin == "images of the calibration"
    assert len(images(1).apart(4)[0]) == 1


def test_fewer_images_are_spread_over_all():
    assert [file.stem for file in images(64).fewer(4).files] == ["000", "016", "032", "048"]
    assert len(images(3).fewer(32)) == 3
