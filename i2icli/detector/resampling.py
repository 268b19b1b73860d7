"""Detection of resizing: interpolated pixels vary less, the farther they are from original ones.

So the magnitude of the second derivative varies periodically along rows and columns, with a period that
depends on the factor alone. Gallagher, "Detection of Linear and Cubic Interpolation in JPEG Compressed
Images", CRV 2005, https://doi.org/10.1109/CRV.2005.33.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from i2icli.detector.residual import CELL, mean_of_local_means

THRESHOLD = 20.0  # times the power of neighbouring frequencies: 99 % of tiles of photographs stay below

_POINTS = 1024  # of the transform, whatever the size of the image
_AROUND = 48  # neighbouring points on either side, whose median is the background
_LOWEST = 0.06  # cycles per pixel: lower frequencies are image content
_LOBE = 3.0  # width of the window's main lobe, in cycles per side


@dataclass(frozen=True)
class Resampling:
    """The strongest period that rows and columns share."""

    strength: float  # power relative to neighbouring frequencies, in the weaker of both directions
    period: float  # pixels

    @property
    def detected(self) -> bool:
        """Whether the image was resized."""
        return self.strength > THRESHOLD


@torch.no_grad()
def detect_resampling(luminance: Sequence[Tensor]) -> Resampling:
    """Analyse the luminance of an image's tiles, (H, W) each in 0..255, sides at least 32.

    Periods of 2, 8/3, 4 and 8 pixels are ignored, as networks and JPEG blocks produce them. This excludes
    factors such as 4/3, 8/5 and 4/5; and 2, which is undetectable anyway, as all new pixels are equally
    far from original ones.
    """
    across, down = _spectrum(luminance), _spectrum([tile.T for tile in luminance])  # (513,) each
    frequency = torch.arange(_POINTS // 2 + 1) / _POINTS
    from_lattice = ((frequency * CELL + 0.5) % 1 - 0.5).abs() / CELL
    side = min(min(tile.shape) for tile in luminance)
    counts = (frequency > _LOWEST) & (from_lattice > _LOBE / side)
    shared = torch.where(counts, torch.minimum(across, down), 0)
    index = int(shared.argmax())
    return Resampling(float(shared[index]), 1 / max(float(frequency[index]), _LOWEST))


def _spectrum(tiles: Sequence[Tensor]) -> Tensor:
    """(H, W) each -> (513,): spectrum of the magnitude of horizontal detail, relative to its background."""
    power = torch.stack([_power(tile) for tile in tiles]).mean(0)  # (513,)
    flipped = torch.cat([power[1 : _AROUND + 1].flip(0), power, power[-_AROUND - 1 : -1].flip(0)])
    return power / (flipped.unfold(0, 2 * _AROUND + 1, 1).median(1).values + 1e-12)


def _power(tile: Tensor) -> Tensor:
    """(H, W) -> (513,)."""
    second = tile[:, 2:] - 2 * tile[:, 1:-1] + tile[:, :-2]  # (H, W-2)
    strength = (second.abs() + 0.5).log()
    mean = (strength.mean(0) - mean_of_local_means(strength))[
        :_POINTS
    ]  # (W-2,), of wide strips the beginning
    window = torch.hann_window(len(mean), periodic=False)
    power: Tensor = torch.fft.rfft((mean - mean.mean()) * window, _POINTS).abs().square()
    return power
