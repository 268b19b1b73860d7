"""A lattice that keeps its phase over the whole picture: a trace of up-sampling that survives JPEG.

Every pixel is sorted by its place in the 8x8 cell it lies in. What the picture shows averages out
over thousands of cells; what a network of strides 2, 4 or 8 adds at every cell does not.
"""

from collections.abc import Sequence
from functools import cache

import torch
from torch import Tensor

from i2icli.detector.peaks import ORBITS
from i2icli.detector.residual import CELL, local_mean

_CLIP = 2.0  # local deviations: an edge weighs no more than that
_OFFSET = 0.3  # added to a power relative to chance, so that its logarithm is finite


def lattice_strengths(residuals: Sequence[Tensor]) -> Tensor:
    """Parts of a picture (P, H, W) that begin on whole cells -> (P, 2, 14).

    The log of each orbit's power relative to what chance would give: first of the signed residual in
    local units, then of its local strength, as a lattice may show as a pattern of values or as places
    smoother than others. Independent of the picture's offset to the cells, because only the size of
    the Fourier coefficients counts.
    """
    signed, strength = zip(*map(_maps, residuals), strict=True)
    return torch.stack([_orbit_powers(signed), _orbit_powers(strength)], 1)  # (P, 2, 14)


def _maps(residual: Tensor) -> tuple[Tensor, Tensor]:
    """(P, H, W) -> the residual in units of its local deviation, and its log strength: (P, H, W) both."""
    spread = local_mean(residual.square()).sqrt_()
    logarithm = residual.abs().add_(0.5).log_()
    return residual.div(spread.add_(1)).clamp_(-_CLIP, _CLIP), logarithm - local_mean(logarithm)


def _orbit_powers(parts: Sequence[Tensor]) -> Tensor:
    """(P, H, W) each -> (P, 14)."""
    means, variances, number = [], [], 0
    for values in parts:
        planes, height, width = values.shape
        rows, columns = height // CELL, width // CELL
        cells = values[:, : rows * CELL, : columns * CELL]
        means.append(cells.reshape(planes, rows, CELL, columns, CELL).mean((1, 3)))  # (P, 8, 8)
        variances.append(cells.square().mean((1, 2)) - means[-1].mean((1, 2)).square())  # (P,)
        number += rows * columns
    mean, variance = torch.stack(means).mean(0), torch.stack(variances).mean(0) + 1e-12
    chance = CELL * CELL * variance / number  # (P,): the power that independent pixels would give
    power = torch.fft.fft2(mean).abs().square() / chance[:, None, None]  # (P, 8, 8)
    return torch.stack([torch.log(power[:, ys, xs].mean(1) + _OFFSET) for ys, xs in _places()], 1)  # (P, 14)


@cache
def _places() -> tuple[tuple[Tensor, Tensor], ...]:
    """Rows and columns of each orbit in the 8x8 transform."""
    found = []
    for a, b in ORBITS:
        places = {
            (sign_y * first % CELL, sign_x * second % CELL)
            for first, second in ((a, b), (b, a))
            for sign_y in (1, -1)
            for sign_x in (1, -1)
        }
        rows, columns = zip(*sorted(places), strict=True)
        found.append((torch.tensor(rows), torch.tensor(columns)))
    return tuple(found)
