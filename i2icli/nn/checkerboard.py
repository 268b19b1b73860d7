"""Checkerboard artefacts: peaks of the spectrum at even fractions of the sampling rate.

Odena, Dumoulin, Olah, "Deconvolution and Checkerboard Artifacts", Distill 2016,
https://doi.org/10.23915/distill.00003: a layer that upsamples by two adds a pattern of period two at its own
resolution, so a generator with three such layers shows periods of 2, 4 and 8 pixels.
"""

from functools import lru_cache

import torch
from torch import Tensor

PERIODS = (2, 4, 8)  # pixels
SMALLEST = 32  # pixels: for shorter sides the frequencies of period 8 are in each other's neighbourhood
REACH, INNER = 3, 1  # the neighbourhood of a frequency: 7x7 without the inner 3x3
FLOOR = 1e-6  # of the mean power, against rounding errors in images without high frequencies


def checkerboard(brightness: Tensor) -> Tensor:
    """(B, H, W), sides of at least 32 pixels -> (B, 3): prominence of periods 2, 4 and 8, in ln of power.

    The log power relative to the median of its neighbourhood, averaged over the frequencies that are
    multiples of 1/period but not of a shorter one's. About 0 for noise, 1 and more for a checkerboard.
    Sides are cropped to multiples of 8; a Hann window suppresses the image borders. At least float32.
    """
    height, width = (side - side % PERIODS[-1] for side in brightness.shape[-2:])
    images = brightness[:, :height, :width]
    images = images.float() if images.dtype in (torch.bfloat16, torch.float16) else images
    images = (images - images.mean((1, 2), keepdim=True)) * _window(height, width).to(images)
    power = torch.fft.fft2(images).abs().square()  # (B, H, W)
    power = (power + FLOOR * power.mean((1, 2), keepdim=True) + torch.finfo(power.dtype).tiny).log()
    offsets = range(-REACH, REACH + 1)
    around = [(y, x) for y in offsets for x in offsets if max(abs(y), abs(x)) > INNER]
    found = []
    for y, x in _frequencies():
        row, column = y * height // PERIODS[-1], x * width // PERIODS[-1]
        near = torch.stack([power[:, (row + dy) % height, (column + dx) % width] for dy, dx in around])
        found.append(power[:, row, column] - near.median(0).values)  # (B,)
    each = torch.stack(found, 1)  # (B, 63)
    period = torch.tensor([_period(y, x) for y, x in _frequencies()], device=each.device)
    return torch.stack([each[:, period == wanted].mean(1) for wanted in PERIODS], 1)  # (B, 3)


def _frequencies() -> list[tuple[int, int]]:
    """All multiples of 1/8 of the sampling rate except zero."""
    eighths = range(PERIODS[-1])
    return [(y, x) for y in eighths for x in eighths if (y, x) != (0, 0)]


def _period(y: int, x: int) -> int:
    """The shortest period whose harmonics include (y / 8, x / 8)."""
    return next(period for period in PERIODS if (y * period) % 8 == 0 and (x * period) % 8 == 0)


@lru_cache(maxsize=16)
def _window(height: int, width: int) -> Tensor:
    with torch.inference_mode(False):
        down, across = (torch.hann_window(side, periodic=False) for side in (height, width))
        return down[:, None] * across
