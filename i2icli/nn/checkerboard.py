"""The pattern that doubling leaves: peaks of the spectrum at even fractions of the sampling rate.

Odena, Dumoulin, Olah, "Deconvolution and Checkerboard Artifacts", Distill 2016,
https://doi.org/10.23915/distill.00003: a layer that enlarges by two writes a pattern of period two at its own
resolution, so that a generator with three of them leaves periods of 2, 4 and 8 pixels.
"""

from functools import lru_cache

import torch
from torch import Tensor

PERIODS = (2, 4, 8)  # pixels
SMALLEST = 32  # pixels a side: below, the frequencies of period 8 are each other's neighbours
REACH, INNER = 3, 1  # the neighbours of a frequency: a square of 7x7 without the inner 3x3
FLOOR = 1e-6  # of the mean power, so that pictures without high frequencies have none by chance


def checkerboard(brightness: Tensor) -> Tensor:
    """(B, H, W), sides of at least 32 pixels -> (B, 3): how far periods 2, 4 and 8 stand out, in ln of power.

    At each frequency that is a multiple of 1/period, but none of a shorter one's: its power over the median
    of its neighbours', in the mean over these frequencies. Noise has about 0, a checkerboard 1 and more.
    Sides are cut to multiples of 8, and a Hann window keeps the picture's edges out. At least float32.
    """
    height, width = (side - side % PERIODS[-1] for side in brightness.shape[-2:])
    images = brightness[:, :height, :width]
    images = images.float() if images.dtype in (torch.bfloat16, torch.float16) else images
    images = (images - images.mean((1, 2), keepdim=True)) * _window(height, width).to(images)
    power = torch.fft.fft2(images).abs().square()  # (B, H, W)
    power = (power + FLOOR * power.mean((1, 2), keepdim=True) + torch.finfo(power.dtype).tiny).log()
    sides = range(-REACH, REACH + 1)
    around = [(y, x) for y in sides for x in sides if max(abs(y), abs(x)) > INNER]
    found = []
    for y, x in _frequencies():
        row, column = y * height // PERIODS[-1], x * width // PERIODS[-1]
        near = torch.stack([power[:, (row + dy) % height, (column + dx) % width] for dy, dx in around])
        found.append(power[:, row, column] - near.median(0).values)  # (B,)
    each = torch.stack(found, 1)  # (B, 63)
    period = torch.tensor([_period(y, x) for y, x in _frequencies()], device=each.device)
    return torch.stack([each[:, period == wanted].mean(1) for wanted in PERIODS], 1)  # (B, 3)


def _frequencies() -> list[tuple[int, int]]:
    """All multiples of an eighth of the sampling rate, but zero."""
    eighths = range(PERIODS[-1])
    return [(y, x) for y in eighths for x in eighths if (y, x) != (0, 0)]


def _period(y: int, x: int) -> int:
    """The shortest period whose frequencies hold (y / 8, x / 8)."""
    return next(period for period in PERIODS if (y * period) % 8 == 0 and (x * period) % 8 == 0)


@lru_cache(maxsize=16)
def _window(height: int, width: int) -> Tensor:
    with torch.inference_mode(False):
        down, across = (torch.hann_window(side, periodic=False) for side in (height, width))
        return down[:, None] * across
