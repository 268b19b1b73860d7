"""What an image's condition leaves of a lattice: whether the faintest known generator would still show.

Compression, resizing and smooth content hide what up-sampling leaves, so that a low score alone does not make
an image real. The floor is the score that nearly all fakes in the same condition exceed, learned from
fakes of generators that the classifier was not fitted to: only below it is the lack of evidence evidence.
"""

from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray

from i2icli.detector.peaks import WINDOW
from i2icli.detector.view import View

CONDITION = (
    "quality",  # of JPEG, 100 for others
    "size",  # log2 of the shorter side, at most that of all tiles
    "luminance, middle",  # mean log power of rings of the spectrum, without the lattice
    "luminance, high",
    "luminance, corners",
    "colour, middle",
    "colour, high",
    "colour, corners",
    "blocks",  # mean of the peaks at odd multiples of 1/8, as of JPEG blocks
    "resampling",  # log of the strength of the period of sharpness
)
LENGTH = len(CONDITION)
LOSSLESS = 100
_SMALL = 200  # pixels: shorter sides have few cells
_SMOOTH = 2.0  # log power: below, fine detail was blurred or resized away
_BLOCKY, _PERIODIC = 0.3, 2.5  # logs: above 98 % of photographs; above most, but not enough to say resized
_RINGS = ((0.15, 0.3), (0.3, 0.45), (0.5, 0.71))  # of the sampling rate
_LARGEST = 768  # pixels: the side of all tiles together


def condition(view: View, quality: int | None, odd: float) -> NDArray[np.float64]:
    """The condition of an image, (10,), in the order of CONDITION.

    quality: of its JPEG file, None for others; odd: the mean of its peaks at odd multiples of 1/8.
    """
    rings = [view.spectrum[:, mask].mean(1) for mask in _masks()]  # (3,) each
    luminance, colour = ([float(ring[chosen].mean()) for ring in rings] for chosen in (slice(1), slice(1, 3)))
    side = min(*view.pixels.shape[:2], _LARGEST)
    strength = float(np.log(1 + view.resampling.strength))
    return np.array([quality or LOSSLESS, np.log2(side), *luminance, *colour, odd, strength])


@cache
def _masks() -> tuple[torch.Tensor, ...]:
    """(64, 33) each: the bins of a ring that are off the lattice."""
    rows, columns = torch.fft.fftfreq(WINDOW)[:, None].abs(), torch.arange(WINDOW // 2 + 1) / WINDOW
    radius = torch.hypot(rows, columns.expand(WINDOW, -1))
    lattice = ((rows * 8) % 1 == 0) & ((columns * 8) % 1 == 0)
    return tuple((radius >= low) & (radius < high) & ~lattice for low, high in _RINGS)


def what_hides(found: NDArray[np.float64]) -> str:
    """The reason to abstain from *real*, given a condition."""
    quality, side = int(found[CONDITION.index("quality")]), round(2 ** found[CONDITION.index("size")])
    causes = []
    if quality < LOSSLESS:
        causes.append(f"JPEG quality of about {quality}")
    if side < _SMALL:
        causes.append(f"only {side} pixels wide or high")
    if found[CONDITION.index("luminance, high")] < _SMOOTH:
        causes.append("little fine detail")
    if found[CONDITION.index("blocks")] > _BLOCKY:
        causes.append("blocks of an earlier compression")
    if found[CONDITION.index("resampling")] > _PERIODIC:
        causes.append("perhaps resized")
    return "a faint lattice would not show" + (f": {', '.join(causes)}" if causes else "")
