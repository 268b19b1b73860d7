"""Lattices that resizing has moved: searched for at every scale, coherently over a whole tile.

Resizing by a factor f moves a lattice from multiples of 1/8 of the sampling rate to multiples of 1/(8 f). The
spectrum of a whole tile keeps what repeats over all of it, as the mean over cells does for f = 1.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from i2icli.detector.residual import TILE, local_mean

LENGTH = 5
_FACTORS = np.exp(np.arange(np.log(0.55), np.log(2.0), 1 / 256))
_UNMOVED = 0.03  # log factors around 1 are left to the lattice of cells
_EVEN = tuple(
    (a, b) for a in (0, 2, 4) for b in (-4, -2, 0, 2, 4) if (a, b) > (0, 0)
)  # eighths, one half-plane
_ODD = tuple((a, b) for a in range(5) for b in range(-4, 5) if (a, b) > (0, 0) and (a % 2 or b % 2))
_HIGHEST = 0.49  # of the sampling rate: higher frequencies are lost when an image is made smaller
_FLOOR = 1e-6  # of the power, so that a uniform image has a logarithm
_LEAST = 3  # frequencies that a factor must leave


def moved_lattice(pairs: Sequence[tuple[Tensor, Tensor]]) -> Tensor:
    """`lattice.maps` of an image's tiles -> (5,), of even multiples unless said otherwise.

    The strength in brightness at its best factor, that of odd multiples there, as behind JPEG blocks, the
    magnitude of the factor's log; the strength in colour at its own best factor, and at that of brightness.
    Strengths are standard deviations above other frequencies.
    """
    tile = [each[:, :TILE, :TILE] for each in pairs[len(pairs) // 2]]  # one is enough
    relative = torch.stack([_relative(each) for each in tile], 1)  # (3, 2, H, W // 2 + 1)
    even, odd = (_at_factors(relative.flatten(0, 1), orbits, tile[0].shape[2]) for orbits in (_EVEN, _ODD))
    brightness, colour = even[:2].sum(0) / 2**0.5, even[2:].sum(0) / 2  # (F,)
    best = int(brightness.argmax())
    found = brightness[best], odd[:2, best].sum() / 2**0.5, abs(np.log(_FACTORS[best]))
    return torch.tensor([*found, colour.max(), colour[best]])


def _relative(values: Tensor) -> Tensor:
    """(P, H, W) -> standardised log power of each frequency beside its neighbours, (P, H, W // 2 + 1)."""
    height, width = values.shape[1:]
    window = torch.hann_window(height)[:, None] * torch.hann_window(width)
    power = torch.fft.rfft2((values - values.mean((1, 2), keepdim=True)) * window).abs().square()
    logs = torch.log(_smoothed(power) + _FLOOR)
    logs = logs - local_mean(logs)
    return (logs - logs.mean((1, 2), keepdim=True)) / (logs.std((1, 2), keepdim=True) + 1e-6)


def _smoothed(power: Tensor) -> Tensor:
    """(P, H, W) -> sums over 3x3, as a window spreads a peak; rows are periodic."""
    rows = power + power.roll(1, 1) + power.roll(-1, 1)
    wider = torch.nn.functional.pad(rows, (1, 1))
    return wider[..., :-2] + wider[..., 1:-1] + wider[..., 2:]


def _at_factors(relative: Tensor, orbits: Sequence[tuple[int, int]], width: int) -> Tensor:
    """(P, H, W // 2 + 1) -> the mean at multiples of 1/(8 f) in standard deviations, (P, factors)."""
    height = relative.shape[1]
    frequencies = np.array(orbits) / 8  # (N, 2)
    moved = frequencies[None] / _FACTORS[:, None, None]  # (F, N, 2): columns from 0, rows of either sign
    valid = (np.abs(moved) < _HIGHEST).all(2)  # (F, N)
    columns = np.round(moved[..., 0] * width).astype(int).clip(0, width // 2)
    rows = np.round(moved[..., 1] * height).astype(int) % height
    values = relative[:, torch.from_numpy(rows), torch.from_numpy(columns)]  # (P, F, N)
    weights = torch.from_numpy(valid).float()
    number = weights.sum(1)
    strengths = (values * weights).sum(2) / number.clamp(min=1).sqrt()  # (P, F)
    usable = (number >= _LEAST) & (torch.from_numpy(np.abs(np.log(_FACTORS))) > _UNMOVED)
    return torch.where(usable, strengths, -10.0)
