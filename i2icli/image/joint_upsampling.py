"""A small result at the size of the image it was made from, with the fine detail of that image.

The fast guided filter (He and Sun, *Fast Guided Filter*, 2015, arXiv:1505.00996), after the guided filter
(He, Sun and Tang, IEEE TPAMI 35, 2013): in every window of the small input, the small output is nearly an
affine function of it. The functions are found there and applied to the large input. What they do not explain
is added, upsampled plainly: so what a network has drawn anew stays.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from i2icli.image.arrays import to_array
from i2icli.image.decoded import Pixels
from i2icli.image.pixels import resize

Planes = NDArray[np.float32]
"""(C, H, W)"""

RADIUS = 4  # of the windows, in pixels of the small images
EPSILON = 1e-3  # variance, of values in [-1, 1], below which a window counts as even
MOST_CHANNELS = 4  # of a guide; more count as their mean
ROWS = 256  # of the result that are made at a time


def joint_upsample(
    output: Planes, pixels: Pixels, *, radius: int = RADIUS, epsilon: float = EPSILON
) -> Planes:
    """A small output (C, h, w), in [-1, 1], at the size of its input (H, W, G): (C, H, W), in its range.

    The guide is the input: its pixels span their type. Where a side of the output is longer than that of the
    input, it is reduced first.
    """
    height, width = pixels.shape[:2]
    low, high = min(-1, output.min()), max(1, output.max())
    inside = min(output.shape[1], height), min(output.shape[2], width)
    output = resize(output.transpose(1, 2, 0), inside).transpose(2, 0, 1)  # (C, h, w)
    small = _guide(resize(pixels, (output.shape[1], output.shape[2])))  # (G, h, w)
    slopes = local_slopes(small, output, radius, epsilon)  # (C, G, h, w)
    rest = output - np.einsum("cghw,ghw->chw", slopes, small)  # (C, h, w)
    found = np.empty((len(output), height, width), np.float32)
    for rows in _strips(height):
        guide = _guide(pixels[rows])  # (G, rows, W)
        for channel in range(len(output)):
            made = _enlarged(rest[channel], rows, (height, width))
            for number, plane in enumerate(guide):
                made += _enlarged(slopes[channel, number], rows, (height, width)) * plane
            found[channel, rows] = made.clip(low, high)
    return found


def local_slopes(guide: Planes, target: Planes, radius: int, epsilon: float) -> Planes:
    """The mean slopes (C, G, h, w) of the affine functions of a guide (G, h, w) that come nearest to a target
    (C, h, w) in the windows around every pixel. In even windows they are 0.
    """
    means, wanted = _mean(guide, radius), _mean(target, radius)  # (G, h, w), (C, h, w)
    products = _mean(guide[:, None] * guide[None], radius) - means[:, None] * means[None]  # (G, G, h, w)
    shared = _mean(target[:, None] * guide[None], radius) - wanted[:, None] * means[None]  # (C, G, h, w)
    inside = products.transpose(2, 3, 0, 1) + epsilon * np.eye(len(guide), dtype=np.float32)  # (h, w, G, G)
    solved = np.linalg.solve(inside, shared.transpose(2, 3, 1, 0))  # (h, w, G, C)
    return _mean(solved.transpose(3, 2, 0, 1), radius)


def _guide(pixels: Pixels) -> Planes:
    """(H, W, C) -> (G, H, W) in [-1, 1]; of many channels their mean."""
    planes = to_array(pixels)
    return planes.mean(0, keepdims=True) if len(planes) > MOST_CHANNELS else planes


def _mean(planes: NDArray[Any], radius: int) -> NDArray[np.float32]:
    """The mean (..., h, w) of the window around every pixel, as far as that lies inside."""
    for axis in (-2, -1):
        side = planes.shape[axis]
        sums = np.cumsum(planes, axis, dtype=np.float64)
        sums = np.concatenate([np.zeros_like(sums.take([0], axis)), sums], axis)
        places = np.arange(side)
        ends, starts = np.minimum(places + radius + 1, side), np.maximum(places - radius, 0)
        counts = (ends - starts).reshape((-1, 1) if axis == -2 else (-1,))
        planes = (sums.take(ends, axis) - sums.take(starts, axis)) / counts
    return planes.astype(np.float32)


def _strips(height: int) -> Iterator[slice]:
    return (slice(start, min(start + ROWS, height)) for start in range(0, height, ROWS))


def _enlarged(plane: NDArray[np.float32], rows: slice, size: tuple[int, int]) -> NDArray[np.float32]:
    """Some rows of a plane (h, w) that is brought to (height, width) bilinearly."""
    above, below, down = _between(np.arange(rows.start, rows.stop), size[0], plane.shape[0])
    left, right, across = _between(np.arange(size[1]), size[1], plane.shape[1])
    tall = plane[above] + (plane[below] - plane[above]) * down[:, None]  # (rows, w)
    before = tall[:, left]
    before += (tall[:, right] - before) * across
    return before  # (rows, width)


def _between(
    places: NDArray[np.intp], large: int, small: int
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float32]]:
    """The pixels of a small side that lie before and after those of a large one, and how far on they are."""
    where = ((places + 0.5) * (small / large) - 0.5).clip(0, small - 1)
    first = where.astype(np.intp)
    return first, np.minimum(first + 1, small - 1), (where - first).astype(np.float32)
