"""The detector's view of an image: luminance and two colour differences, high-pass filtered."""

from math import exp

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import pad

from i2icli.image import Pixels, change_type

SMALLEST = 64  # pixels of a side: one window of the peak measurements
TILE, TILES = 384, 4  # side in pixels and number of the tiles that larger images are reduced to
REACH = 8  # pixels on every side of a local mean: 17x17
CELL = 8  # pixels: the period of the coarsest lattice, and of JPEG blocks

_LUMINANCE = (0.299, 0.587, 0.114)  # ITU-R BT.601
_BELL = [exp(-(step**2) / 2) for step in range(3)]  # a Gaussian of sigma 1 pixel
_KERNEL = [value / (_BELL[0] + 2 * _BELL[1] + 2 * _BELL[2]) for value in _BELL]


def planes(pixels: Pixels) -> Tensor:
    """(H, W, 1 or 3) of any dtype -> luminance, R-G, B-G in 0..255: (3, H, W) float32.

    The colour differences of a grey image are zero.
    """
    levels = pixels.astype(np.float32) if pixels.dtype == np.uint8 else _to_255(pixels)
    image = torch.from_numpy(np.ascontiguousarray(levels.transpose(2, 0, 1)))  # (C, H, W)
    if image.shape[0] != 3:
        grey = image.mean(0, keepdim=True)  # (1, H, W)
        return torch.cat([grey, torch.zeros_like(grey).expand(2, -1, -1)])  # (3, H, W)
    red, green, blue = image
    luminance = _LUMINANCE[0] * red + _LUMINANCE[1] * green + _LUMINANCE[2] * blue
    return torch.stack([luminance, red - green, blue - green])  # (3, H, W)


def high_pass(image: Tensor) -> Tensor:
    """(P, H, W) minus its Gaussian blur (5x5, sigma 1)."""
    return torch.cat([_high_pass(plane[None]) for plane in image])  # one at a time fits a CPU's cache


def _high_pass(image: Tensor) -> Tensor:
    """(1, H, W) minus its blur."""
    # Sums of shifted images: ten times as fast on a CPU as a single-channel convolution.
    blurred = pad(image[None], (2, 2, 2, 2), mode="reflect")[0]  # (1, H+4, W+4)
    for dim in (1, 2):
        length = blurred.shape[dim] - 4
        shifted = [blurred.narrow(dim, start, length) for start in range(5)]
        blurred = shifted[2] * _KERNEL[0]
        blurred = blurred.add_(shifted[1] + shifted[3], alpha=_KERNEL[1])
        blurred = blurred.add_(shifted[0] + shifted[4], alpha=_KERNEL[2])
    return image - blurred  # (1, H, W)


def local_mean(values: Tensor) -> Tensor:
    """(P, H, W) -> 17x17 box means; at the border over the pixels inside the image."""
    rows, columns = (_counts(side) for side in values.shape[1:])
    return _box_sum(values).div_(rows[:, None]).div_(columns)  # (P, H, W)


def mean_of_local_means(values: Tensor) -> Tensor:
    """(H, W) -> `local_mean` averaged over rows, (W,), by sums along lines alone, as means are linear."""
    weights = _box_sum((1 / _counts(len(values)))[None, :, None])[0, :, 0]  # (H,): of a row in all means
    return local_mean((weights @ values / len(values))[None, None])[0, 0]  # (W,)


def _counts(side: int) -> Tensor:
    """(side,): the pixels inside the image among the 17 around each."""
    index = torch.arange(side)
    return (index + REACH).clamp(max=side - 1) - (index - REACH).clamp(min=0) + 1


def _box_sum(values: Tensor) -> Tensor:
    """(P, H, W) -> 17x17 box sums: sums of 2, 4, 8, 16 neighbours by doubling, and one more."""
    values = pad(values, (REACH, REACH, REACH, REACH))  # (P, H+16, W+16)
    for dim in (1, 2):
        length = values.shape[dim] - 2 * REACH
        sums = values
        for step in (1, 2, 4, 8):
            kept = sums.shape[dim] - step
            sums = sums.narrow(dim, 0, kept) + sums.narrow(dim, step, kept)
        values = sums.narrow(dim, 0, length) + values.narrow(dim, 2 * REACH, length)
    return values  # (P, H, W)


def tiles(pixels: Pixels) -> list[Pixels]:
    """(H, W, C) -> the image itself or, if large, evenly spaced tiles of at most TILE, aligned to cells."""
    height, width = pixels.shape[:2]
    if height * width <= TILES * TILE * TILE:
        return [pixels]
    rows = min(2, -(-height // TILE))  # a long strip has a single row or column
    columns = TILES // rows if width >= 2 * TILE else 1
    rows = rows if columns > 1 else TILES
    return [
        pixels[top : top + TILE, left : left + TILE]
        for top in _starts(height, rows)
        for left in _starts(width, columns)
    ]


def _starts(side: int, number: int) -> list[int]:
    """Offsets of `number` tiles, each centred in its section of a side."""
    section = side / number
    return [max(0, int(section * (index + 0.5) - TILE / 2)) // CELL * CELL for index in range(number)]


def _to_255(pixels: Pixels) -> NDArray[np.float32]:
    """To the range 0..255; higher bit depths keep fractions."""
    return np.asarray((change_type(pixels, np.float32) + 1) * np.float32(127.5))
