"""Outlines become pixels.

Coordinates are continuous, (0, 0) being the top left corner of the image, and a pixel belongs to a shape if
its centre lies inside. So shapes that share an edge neither overlap nor leave a gap, and a rectangle from
x = 10 to x = 20 is ten pixels wide. (Pillow draws the outline, too, at whole pixels: eleven.) What lies
outside the image is cut off.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
"""(N, 2): x, y."""


@dataclass(frozen=True, eq=False)
class Region:
    """Pixels of an image: a mask (h, w) and where its top left corner is. It lies inside the image."""

    mask: NDArray[np.bool_]
    top: int = 0
    left: int = 0


def polygon(points: Points, size: tuple[int, int]) -> Region:
    """The inside of a closed outline, by the even-odd rule, in an image of (height, width)."""
    rows, columns = _span(points[:, 1], size[0]), _span(points[:, 0], size[1])
    toggles = np.zeros((len(rows), len(columns) + 1), np.bool_)  # where a row enters or leaves the shape
    for (x, y), (next_x, next_y) in zip(points, np.roll(points, -1, axis=0), strict=True):
        first, last = sorted((_first_centre(y), _first_centre(next_y)))
        crossed = np.arange(max(first, rows.start), min(last, rows.stop))
        if not len(crossed):
            continue
        at = x + (crossed + 0.5 - y) * ((next_x - x) / (next_y - y))
        column = np.ceil(at - 0.5).clip(columns.start, columns.stop).astype(int) - columns.start
        toggles[crossed - rows.start, column] ^= True
    return Region(np.bitwise_xor.accumulate(toggles, axis=1)[:, :-1], rows.start, columns.start)


def disc(centre: Points, radius: float, size: tuple[int, int]) -> Region:
    """The pixels whose centres are at most `radius` from a point (2,), in an image of (height, width)."""
    rows = _span(np.array([centre[1] - radius, centre[1] + radius]), size[0])
    columns = _span(np.array([centre[0] - radius, centre[0] + radius]), size[1])
    y = np.arange(rows.start, rows.stop)[:, None] + 0.5 - centre[1]
    x = np.arange(columns.start, columns.stop) + 0.5 - centre[0]
    return Region(np.hypot(y, x) <= radius, rows.start, columns.start)


def rectangle(points: Points, size: tuple[int, int]) -> Region:
    """The inside of a rectangle, by two opposite corners."""
    (x, y), (other_x, other_y) = points
    return polygon(np.array([(x, y), (other_x, y), (other_x, other_y), (x, other_y)]), size)


def placed(mask: NDArray[np.bool_], top: int, left: int, size: tuple[int, int]) -> Region:
    """A mask (h, w) at a place of an image; what lies outside is cut off."""
    inside = mask[max(0, -top) : max(0, size[0] - top), max(0, -left) : max(0, size[1] - left)]
    return Region(inside, min(max(0, top), size[0]), min(max(0, left), size[1]))


def _span(values: NDArray[np.float64], side: int) -> range:
    """Pixels of a side whose centres lie between the smallest and the largest value."""
    low, high = (_first_centre(np.clip(value, 0, side)) for value in (values.min(), values.max()))
    return range(low, high)


def _first_centre(value: float) -> int:
    """The first pixel whose centre is at or beyond a coordinate."""
    return int(np.ceil(value - 0.5))
