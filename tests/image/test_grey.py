"""Brightness in levels, whatever kind of numbers a picture has."""

import numpy as np
import pytest

from i2icli.image import change_type, grey_levels


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_levels_are_those_of_eight_bits_whatever_the_type(channels: int) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, channels), dtype=np.uint8)
    levels = grey_levels(pixels)
    assert levels.shape == (5, 7)
    assert levels.dtype == np.uint8
    for dtype in (np.uint16, np.float32):
        np.testing.assert_allclose(grey_levels(change_type(pixels, dtype)), levels, atol=0.51)


def test_colours_count_as_in_television() -> None:
    assert grey_levels(np.array([[[255, 0, 0], [0, 255, 0]]], np.uint8)).tolist() == [[76, 150]]
