"""Outlines become pixels.

Coordinates are continuous, (0, 0) being the top left corner of the image, and a pixel belongs to a shape if
its centre lies inside. So shapes that share an edge neither overlap nor leave a gap, and a rectangle from
x = 10 to x = 20 is ten pixels wide. (Pillow draws the outline, too, at whole pixels: eleven.) What lies
outside the image is cut off.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CROSSINGS = 2**20  # of edges and rows, worked out at once: 50 MB

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
    (x, y), (next_x, next_y) = points.T, np.roll(points, -1, axis=0).T  # (N,) each: ends of the edges
    centres = np.sort(_first_centres(np.stack([y, next_y])), axis=0).clip(rows.start, rows.stop)
    counts = centres[1] - centres[0]  # rows whose centres an edge crosses
    toggles = np.zeros((len(rows), len(columns) + 1), np.uint8)  # how often a row enters or leaves the shape
    portion = max(1, CROSSINGS // max(1, len(rows)))  # edges whose crossings are made at once
    for start in range(0, len(points), portion):
        edges = np.arange(start, min(start + portion, len(points)))
        edge = np.repeat(edges, counts[edges])
        first = np.repeat(np.cumsum(counts[edges]) - counts[edges], counts[edges])
        row = np.arange(len(edge)) - first + centres[0][edge]
        slope = (next_x - x)[edge] / (next_y - y)[edge]
        column = _first_centres(x[edge] + (row + 0.5 - y[edge]) * slope).clip(columns.start, columns.stop)
        np.add.at(toggles, (row - rows.start, column - columns.start), 1)
    inside = np.bitwise_xor.accumulate(toggles & 1, axis=1)[:, :-1]
    return Region(inside.astype(np.bool_), rows.start, columns.start)


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
    low, high = _first_centres(np.clip([values.min(), values.max()], 0, side))
    return range(low, high)


def _first_centres(values: NDArray[np.float64]) -> NDArray[np.intp]:
    """The first pixels whose centres are at or beyond coordinates."""
    return np.ceil(values - 0.5).astype(np.intp)
