"""Peaks of the two-dimensional spectrum at simple fractions of the sampling rate: traces of up-sampling.

An up-convolution of stride 2 repeats its weights every 2 pixels, two of them every 4, three every 8:
its artefacts are lines in the spectrum at multiples of 1/2, 1/4, 1/8 of the sampling rate, independent of
the content. Zhang et al., "Detecting and Simulating Artifacts in GAN Fake Images", WIFS 2019,
https://arxiv.org/abs/1907.06515; Odena et al., Distill 2016, https://doi.org/10.23915/distill.00003.
"""

from collections.abc import Sequence
from functools import cache

import numpy as np
import torch
from torch import Tensor

WINDOW, HOP, MAX_WINDOWS = 64, 32, 49  # pixels, pixels, number of windows
STEP = WINDOW // 8  # bins between multiples of 1/8 of the sampling rate
ORBITS = tuple((a, b) for a in range(5) for b in range(a, 5) if b)  # in eighths, 0 <= a <= b <= 1/2
EVEN = (
    (0, 2),
    (0, 4),
    (2, 2),
    (2, 4),
    (4, 4),
)  # those of stride-2 layers, hardly of JPEG blocks
STRONGEST = 8  # number of largest peaks kept

_FLOOR = 0.1  # added to the power, so that a flat window has a logarithm


def prominence(spectrum: Tensor) -> Tensor:
    """The log spectrum of `log_spectrum` (P, 64, 33) -> prominence of each bin, (P, 64, 33).

    The spectrum minus the median of its neighbourhood, in natural logarithm of power; the zero frequency is
    at [0, 0], negative columns are omitted. The neighbourhood is 7x7 without the inner 3x3, so that a peak
    does not raise its own background.
    """
    left, right = _mirrored(spectrum[:, :, 1:4]), _mirrored(spectrum[:, :, -4:-1])  # (P, 64, 3)
    around = torch.cat([left, spectrum, right], 2)  # (P, 64, 39)
    around = torch.cat([around[:, -3:], around, around[:, :3]], 1)  # (P, 70, 39)
    neighbours = around.unfold(1, 7, 1).unfold(2, 7, 1)[..., _outer()]  # (P, 64, 33, 40)
    middle = (neighbours.shape[-1] - 1) // 2
    # NumPy's partition is four times as fast as PyTorch's median.
    medians = np.partition(neighbours.numpy(), middle, -1)[..., middle]
    return spectrum - torch.from_numpy(medians)  # (P, 64, 33)


def _mirrored(columns: Tensor) -> Tensor:
    """(P, 64, N) -> the columns of opposite frequency: reversed, with the rows' signs flipped."""
    flipped = columns.flip(2)
    return torch.cat([flipped[:, :1], flipped[:, 1:].flip(1)], 1)  # (P, 64, N)


@cache
def _outer() -> Tensor:
    """(7, 7): mask of the neighbourhood."""
    outer = torch.ones(7, 7, dtype=torch.bool)
    outer[2:5, 2:5] = False
    return outer


def orbit_peaks(prominent: Tensor) -> Tensor:
    """(P, 64, 33) -> (P, 14): the mean prominence of each orbit (both signs, both axes)."""
    return torch.stack([prominent[:, rows, columns].mean(1) for rows, columns in _bins()], 1)  # (P, 14)


def even_score(orbits: Tensor) -> float:
    """(3, 14) -> the mean prominence over the even orbits and all planes.

    About -0.4 to 0.3 for photographs, from about 1 for images of up-convolution networks.
    """
    return float(orbits[:, [ORBITS.index(orbit) for orbit in EVEN]].mean())


def strongest(prominent: Tensor) -> Tensor:
    """(P, 64, 33) -> (P, 16): the largest peaks anywhere, and the largest off the lattice, descending.

    They show a lattice even after resizing has shifted it. Low frequencies and the axes, dominated by edges
    of objects, are excluded.
    """
    kept = [prominent[:, mask].topk(STRONGEST, dim=1).values for mask in _free_bins()]
    return torch.cat(kept, 1)  # (P, 16)


def log_spectrum(residuals: Sequence[Tensor]) -> Tensor:
    """(P, H, W) each -> the mean log power spectrum over Hann windows, (P, 64, 33)."""
    positions = [
        (residual, y, x)
        for residual in residuals
        for y in range(0, residual.shape[1] - WINDOW + 1, HOP)
        for x in range(0, residual.shape[2] - WINDOW + 1, HOP)
    ]
    if len(positions) > MAX_WINDOWS:
        chosen = torch.linspace(0, len(positions) - 1, MAX_WINDOWS).round().long().tolist()
        positions = [positions[index] for index in chosen]
    windows = torch.stack(
        [each[:, y : y + WINDOW, x : x + WINDOW] for each, y, x in positions]
    )  # (N, P, 64, 64)
    windows = (windows - windows.mean((-2, -1), keepdim=True)) * _hann()
    half = torch.fft.rfft2(windows)  # (N, P, 64, 33)
    return torch.log(half.real**2 + half.imag**2 + _FLOOR).mean(0)  # (P, 64, 33)


@cache
def _hann() -> Tensor:
    window = torch.hann_window(WINDOW, periodic=False)
    return window[:, None] * window  # (64, 64)


@cache
def _bins() -> tuple[tuple[Tensor, Tensor], ...]:
    """Rows and columns of the bins of each orbit."""
    found = []
    for a, b in ORBITS:
        bins = {
            (sign * first * STEP % WINDOW, second * STEP)  # negative columns mirror positive ones
            for first, second in ((a, b), (b, a))
            for sign in (1, -1)
        }
        rows, columns = zip(*sorted(bins), strict=True)
        found.append((torch.tensor(rows), torch.tensor(columns)))
    return tuple(found)


@cache
def _free_bins() -> tuple[Tensor, Tensor]:
    """(64, 33) twice: mask of bins off the axes and low frequencies; the same without the lattice."""
    rows = torch.fft.fftfreq(WINDOW, 1 / WINDOW).round()[:, None]  # in bins
    columns = torch.arange(WINDOW // 2 + 1)
    free = (rows.abs() > 2) & (columns > 2) & (torch.hypot(rows, columns.float()) > 12)
    on_lattice = ((rows % STEP) == 0) & ((columns % STEP) == 0)
    return free, free & ~on_lattice
