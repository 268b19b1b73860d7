"""Toy digits: reproducible, varied, with class and ground truth."""

from pathlib import Path

import numpy as np
from PIL import Image

from i2icli.demo.toy.digits import digit, write_digits


def test_a_seed_is_a_digit() -> None:
    assert np.array_equal(digit(3, 5).ink, digit(3, 5).ink)
    assert not np.array_equal(digit(3, 5).ink, digit(3, 6).ink)
    assert not np.array_equal(digit(3, 5).ink, digit(4, 5).ink)


def test_the_looks_differ_and_agree_where_the_digit_is() -> None:
    for number in range(10):
        one = digit(number, 1, 64)
        assert one.ink.shape == one.sign.shape == (64, 64, 3)
        dark = one.ink.mean(2) < 120  # ink on paper
        light = one.sign.mean(2) > 120  # signs on dark
        assert 40 < dark.sum() < light.sum() < 64 * 64 / 3
        assert (dark & light).sum() > 0.95 * dark.sum()


def test_writers_differ_more_than_they_would_by_chance_of_place() -> None:
    widths = [np.ptp(np.nonzero((digit(0, seed).ink.mean(2) < 120).any(0))[0]) for seed in range(12)]
    assert max(widths) - min(widths) >= 3


def test_test_digits_are_alike_in_both_looks_and_never_trained_on(tmp_path: Path) -> None:
    write_digits(tmp_path, train=12, test=11)
    names = [
        {path.relative_to(tmp_path / "test" / side) for path in (tmp_path / "test" / side).rglob("*.png")}
        for side in ("source", "target")
    ]
    assert names[0] == names[1]
    assert len(names[0]) == 11
    assert sorted(path.name for path in (tmp_path / "source").iterdir()) == list("0123456789")
    assert len(list((tmp_path / "target").glob("*.png"))) == 12
    trained = {path.read_bytes() for path in (tmp_path / "source").rglob("*.png")}
    tested = {path.read_bytes() for path in (tmp_path / "test").rglob("*.png")}
    assert not trained & tested
    assert np.asarray(Image.open(next((tmp_path / "source").rglob("*.png")))).shape == (32, 32, 3)
