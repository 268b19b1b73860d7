"""Phase-coherent lattices: a trace of up-sampling that survives JPEG.

Pixels are averaged by their position in 8x8 cells. Image content averages out over thousands of cells;
what a network with strides of 2, 4 or 8 adds to every cell does not.
"""

from collections.abc import Sequence
from functools import cache

import torch
from torch import Tensor

from i2icli.detector.peaks import ORBITS
from i2icli.detector.residual import CELL, local_mean

_CLIP = 2.0  # local standard deviations: limits the influence of edges
_OFFSET = 0.3  # added to a power relative to chance, so that its logarithm is finite


def lattice_strengths(pairs: Sequence[tuple[Tensor, Tensor]]) -> Tensor:
    """`maps` of an image's tiles, aligned to cells -> (P, 2, 14).

    The log of each orbit's power relative to chance, of both maps. Independent of the offset between
    image and cells, since only the magnitudes of Fourier coefficients are used.
    """
    signed, strength = zip(*pairs, strict=True)
    return torch.stack([_orbit_powers(signed), _orbit_powers(strength)], 1)  # (P, 2, 14)


def maps(residual: Tensor) -> tuple[Tensor, Tensor]:
    """(P, H, W) -> the locally normalised residual, and its log magnitude: (P, H, W) both.

    A lattice may modulate values or sharpness.
    """
    deviation = local_mean(residual.square()).sqrt_()
    logarithm = residual.abs().add_(0.5).log_()
    return residual.div(deviation.add_(1)).clamp_(-_CLIP, _CLIP), logarithm - local_mean(logarithm)


def _orbit_powers(tiles: Sequence[Tensor]) -> Tensor:
    """(P, H, W) each -> (P, 14)."""
    means, variances, number = [], [], 0
    for values in tiles:
        planes, height, width = values.shape
        rows, columns = height // CELL, width // CELL
        cells = values[:, : rows * CELL, : columns * CELL]
        means.append(cells.reshape(planes, rows, CELL, columns, CELL).mean((1, 3)))  # (P, 8, 8)
        variances.append(cells.square().mean((1, 2)) - means[-1].mean((1, 2)).square())  # (P,)
        number += rows * columns
    mean, variance = torch.stack(means).mean(0), torch.stack(variances).mean(0) + 1e-12
    chance = CELL * CELL * variance / number  # (P,): the expected power of independent pixels
    power = torch.fft.fft2(mean).abs().square() / chance[:, None, None]  # (P, 8, 8)
    return torch.stack(
        [torch.log(power[:, ys, xs].mean(1) + _OFFSET) for ys, xs in _orbit_bins()], 1
    )  # (P, 14)


@cache
def _orbit_bins() -> tuple[tuple[Tensor, Tensor], ...]:
    """Rows and columns of each orbit in the 8x8 transform."""
    found = []
    for a, b in ORBITS:
        bins = {
            (sign_y * first % CELL, sign_x * second % CELL)
            for first, second in ((a, b), (b, a))
            for sign_y in (1, -1)
            for sign_x in (1, -1)
        }
        rows, columns = zip(*sorted(bins), strict=True)
        found.append((torch.tensor(rows), torch.tensor(columns)))
    return tuple(found)
