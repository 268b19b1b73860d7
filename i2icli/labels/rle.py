"""Masks as COCO writes them: lengths of runs, column by column, alternately outside and inside.

Either a list of numbers, or a text in which each number is written in groups of five bits, the lowest first,
as characters from "0" on; a sixth bit says that more follow. From the fourth number on only the difference to
the one before the last is written. Described in the documentation of COCO's programs.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from i2icli.errors import UserError

_CONTINUES, _NEGATIVE, _BITS = 0x20, 0x10, 0x1F


def decode(counts: str | Sequence[int], size: tuple[int, int]) -> NDArray[np.bool_]:
    """Runs -> (H, W). Raises UserError for a damaged text and for runs of another size."""
    runs = _numbers(counts) if isinstance(counts, str) else list(counts)
    height, width = size
    if min(runs, default=0) < 0 or sum(runs) != height * width:
        raise UserError(f"runs of {sum(runs):,} pixels; expected those of {width}x{height} px")
    inside = np.arange(len(runs)) % 2 == 1
    return np.repeat(inside, runs).reshape(width, height).T


def _numbers(text: str) -> list[int]:
    numbers: list[int] = []
    value, shift = 0, 0
    for letter in text:
        bits = ord(letter) - ord("0")
        if not 0 <= bits < 2 * _CONTINUES or shift > 60:
            raise UserError(f"a damaged mask: {letter!r} in its runs")
        value |= (bits & _BITS) << shift
        shift += 5
        if bits & _CONTINUES:
            continue
        if bits & _NEGATIVE:
            value -= 1 << shift
        numbers.append(value + (numbers[-2] if len(numbers) > 2 else 0))
        value, shift = 0, 0
    if shift:
        raise UserError("a damaged mask: its runs end within a number")
    return numbers
