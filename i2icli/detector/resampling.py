"""Was a picture resized? Interpolated pixels vary less, the farther they lie from the old ones.

So the strength of the second derivative rises and falls along rows and columns, with a period that depends
on the factor alone. Gallagher, "Detection of Linear and Cubic Interpolation in JPEG Compressed Images", CRV
2005, https://doi.org/10.1109/CRV.2005.33.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from i2icli.detector.residual import CELL, local_mean, parts, planes
from i2icli.image import Pixels

SURE = 20.0  # times the power of the frequencies around: 99 in 100 parts of photographs as found stay below

_POINTS = 1024  # of the transform, whatever the size of the picture
_AROUND = 48  # points on either side, of which the median is what a frequency is compared with
_LOWEST = 0.06  # cycles per pixel: below that are things that are shown
_LOBE = 3.0  # width of the window's main lobe, in cycles over a side


@dataclass(frozen=True)
class Resampling:
    """The strongest period that rows and columns share."""

    strength: float  # power over that of the frequencies around, in the weaker of both directions
    period: float  # pixels

    @property
    def seen(self) -> bool:
        """Whether a picture of this strength was resized."""
        return self.strength > SURE


@torch.no_grad()
def find_resampling(pixels: Pixels) -> Resampling:
    """Look at the brightness of a picture (H, W, 1 or 3) of any type, both sides at least 32.

    Periods of 2, 8/3, 4 and 8 pixels do not count: networks and JPEG's blocks have them. That leaves out
    sides times 4/3, 8/5, 4/5 and the like; and doubled ones, which show nothing anyway, as all new pixels
    lie equally far from old ones.
    """
    brightness = [planes(part)[0] for part in parts(pixels)]
    across, down = _spectrum(brightness), _spectrum([part.T for part in brightness])  # (513,) each
    frequency = torch.arange(_POINTS // 2 + 1) / _POINTS
    from_lattice = ((frequency * CELL + 0.5) % 1 - 0.5).abs() / CELL
    side = min(min(part.shape) for part in brightness)
    counts = (frequency > _LOWEST) & (from_lattice > _LOBE / side)
    shared = torch.where(counts, torch.minimum(across, down), 0)
    place = int(shared.argmax())
    return Resampling(float(shared[place]), 1 / max(float(frequency[place]), _LOWEST))


def _spectrum(parts: list[Tensor]) -> Tensor:
    """(H, W) each -> (513,): how far the pattern of the strength of horizontal detail stands out."""
    power = torch.stack([_power(part) for part in parts]).mean(0)  # (513,)
    flipped = torch.cat([power[1 : _AROUND + 1].flip(0), power, power[-_AROUND - 1 : -1].flip(0)])
    return power / (flipped.unfold(0, 2 * _AROUND + 1, 1).median(1).values + 1e-12)


def _power(part: Tensor) -> Tensor:
    """(H, W) -> (513,)."""
    second = part[:, 2:] - 2 * part[:, 1:-1] + part[:, :-2]  # (H, W-2)
    strength = (second.abs() + 0.5).log()
    strength = strength - local_mean(strength[None])[0]
    mean = strength.mean(0)[:_POINTS]  # (W-2,), of a strip its beginning
    window = torch.hann_window(len(mean), periodic=False)
    power: Tensor = torch.fft.rfft((mean - mean.mean()) * window, _POINTS).abs().square()
    return power
