"""Toy portraits: determined by the seed; attributes only change what they name."""

import csv
from pathlib import Path

import numpy as np

from i2icli.demo.toy.attributes import (
    ATTRIBUTES,
    HAIR,
    flipped,
    portrait,
    random_attributes,
    write_attributes,
)
from i2icli.image import read_image


def changed(before: tuple[str, ...], after: tuple[str, ...]) -> tuple[float, float]:
    """The fraction of pixels that differ between two portraits of a person, in the upper and lower half."""
    differ = (portrait(3, before) != portrait(3, after)).any(-1)  # (H, W)
    return float(differ[:36].mean()), float(differ[36:].mean())


def test_a_portrait_follows_from_seed_and_attributes() -> None:
    assert np.array_equal(portrait(1, HAIR[:1]), portrait(1, HAIR[:1]))
    assert portrait(1, HAIR[:1], 48).shape == (48, 48, 3)
    assert not np.array_equal(portrait(1, HAIR[:1]), portrait(2, HAIR[:1]))


def test_attributes_change_their_own_place_only() -> None:
    upper, lower = changed(HAIR[:1], (*HAIR[:1], "Smiling"))
    assert upper == 0
    assert 0 < lower < 0.1
    upper, lower = changed(HAIR[:1], (*HAIR[:1], "Eyeglasses"))
    assert 0.01 < upper < 0.2
    assert lower < 0.05
    assert changed(HAIR[:1], HAIR[1:2])[0] > 0.1


def test_every_person_has_one_hair_colour_and_all_attributes_occur() -> None:
    drawn = [random_attributes(seed) for seed in range(60)]
    assert all(len(set(each) & set(HAIR)) == 1 for each in drawn)
    assert {name for each in drawn for name in each} == set(ATTRIBUTES)


def test_the_file_says_what_the_pictures_show(tmp_path: Path) -> None:
    write_attributes(tmp_path, train=3, test=2, size=32)
    with (tmp_path / "attributes.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["image"] for row in rows] == [
        "train/0000.png", "train/0001.png", "train/0002.png", "test/0000.png", "test/0001.png"
    ]  # fmt: skip
    has = [name for name in ATTRIBUTES if rows[1][name] == "1"]
    assert np.array_equal(read_image(tmp_path / "train/0001.png").pixels, portrait(1, has, 32))


def test_the_truth_of_every_flip_lies_beside(tmp_path: Path) -> None:
    assert flipped(("Blond_Hair", "Smiling"), "Black_Hair") == ("Black_Hair", "Smiling")
    assert flipped(("Blond_Hair", "Smiling"), "Smiling") == ("Blond_Hair",)
    assert flipped(("Blond_Hair",), "Eyeglasses") == ("Blond_Hair", "Eyeglasses")
    write_attributes(tmp_path, train=1, test=1, size=32)
    given = read_image(tmp_path / "test/0000.png").pixels
    for name in ATTRIBUTES[3:]:
        assert not np.array_equal(read_image(tmp_path / "truth" / name / "0000.png").pixels, given)
