"""Input and result in one frame: side by side, or with an edge that wipes across."""

from math import cos, pi
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Compare = Literal["side", "wipe"]

_WIPE_S = 6.0  # seconds in which the edge goes to the right and back
_EDGE = 2  # pixels of the white line at the edge


def compared_size(size: tuple[int, int], compare: Compare | None) -> tuple[int, int]:
    """(height, width) of frames that show both, for those of the result."""
    return (size[0], 2 * size[1]) if compare == "side" else size


def compared(
    before: NDArray[Any], after: NDArray[Any], compare: Compare | None, seconds: float
) -> NDArray[Any]:
    """Input and result, (H, W, C) each of one type, in a frame of `compared_size`; None: the result alone.

    seconds: since the beginning; the edge is at the left then.
    """
    if compare is None:
        return after
    if compare == "side":
        return np.concatenate([before, after], axis=1)  # (H, 2 W, C)
    width = after.shape[1]
    edge = round(width * (1 - cos(2 * pi * seconds / _WIPE_S)) / 2)
    both = np.concatenate([after[:, :edge], before[:, edge:]], axis=1)  # (H, W, C)
    both[:, max(0, edge - _EDGE) : edge] = np.iinfo(after.dtype).max
    return both
