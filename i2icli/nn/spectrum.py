"""What frequencies pictures hold: the azimuthal average of their power spectrum.

Durall, Keuper, Keuper, "Watch your Up-Convolution: CNN Based Generative Deep Neural Networks are Failing to
Reproduce Spectral Distributions", CVPR 2020, https://arxiv.org/abs/2003.01826, and before it Durall et al.,
"Unmasking DeepFakes with simple Features", 2019, https://arxiv.org/abs/1911.00686. "As published" below means
as in the program that goes with these papers. From a picture to what a detector reads:

    levels (H, W), grey in [0, 255]        image.grey_levels(picture.pixels)
    -> profile (R,)                        profile_of(levels); many at once: spectral_profile(images)
    -> resampled to N values (N,)          resampled(profile, N)
    -> over its first value                relative(resampled)

The papers read 1024 px faces as bare profiles (722 values), CelebA as `features_of(levels, 80)`, and frames
of films as `features_of(central_third(levels), 300)`. Spectra are resampled, pictures never.
"""

from functools import lru_cache
from math import hypot
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

EPSILON = 1e-8  # added to the transform, so that its logarithm is finite
ROUNDING = (2 / 255) ** 2 / 12  # power per pixel that rounding to 8 bits adds to images in [-1, 1]
GREY = (0.2989, 0.5870, 0.1140)  # what red, green and blue add to brightness
FLATTEST = 1e-3  # of a profile, from its lowest value to its highest: less is rounding
FEWEST_RINGS = 4  # what a cubic needs: a square picture of 9 px has them


class Rings(NamedTuple):
    """Which ring every value of a picture belongs to, and how many values a ring has."""

    ring: Tensor  # (H * W,), int64
    counts: Tensor  # (R + 2,), float32: with the innermost and the outermost ring


class HalfRings(NamedTuple):
    """The same for half a transform, (H, W // 2 + 1), as of a real picture the other half is its mirror."""

    ring: Tensor  # (H * (W // 2 + 1),): the ring of each value
    flipped: Tensor  # (H * ((W - 1) // 2),): the ring of its mirror, for the columns that have one
    counts: Tensor  # (R + 2,), float32, of the whole transform


# -- many pictures at once, differentiable -----------------------------------------------


def grey(images: Tensor) -> Tensor:
    """(B, C, H, W) -> brightness (B, H, W), at least float32; other than three channels count alike."""
    images = _wide(images)
    if images.shape[1] != len(GREY):
        return images.mean(1)  # (B, H, W)
    return (images * images.new_tensor(GREY)[:, None, None]).sum(1)  # (B, H, W)


def log_spectrum(brightness: Tensor) -> Tensor:
    """(B, H, W) -> 20 ln|F|, (B, H, W), the zero frequency in the middle. Natural logarithm, not scaled.

    Section 3.1 of the paper. At least float32.
    """
    return _log(torch.fft.fftshift(torch.fft.fft2(_wide(brightness)), dim=(-2, -1)))


def azimuthal_average(values: Tensor) -> Tensor:
    """(B, H, W) -> (B, R): means over rings of whole radii about the middle, from radius 1 outwards.

    The middle is that of the picture, ((W-1)/2, (H-1)/2): beside the zero frequency where a side is
    even. The innermost ring and the outermost are left out, as published.
    """
    index, counts = rings(*values.shape[-2:], values.device)
    sums = values.new_zeros(values.shape[0], len(counts)).index_add(1, index, values.flatten(1))  # (B, R + 2)
    return (sums / counts.to(sums))[:, 1:-1]  # (B, R)


def spectral_profile(brightness: Tensor) -> Tensor:
    """(B, H, W) of any size -> (B, R): the azimuthal average of the log spectrum. Differentiable.

    `azimuthal_average(log_spectrum(brightness))` at the cost of half a transform and one addition per
    frequency. R depends on the size alone: 43 for 64x64, 88 for 128x128, 722 for 1024x1024. The average is
    over logarithms. Half precision is widened to float32, float64 stays. Pictures that are one flat grey
    have no spectrum: what they answer with is the logarithm of rounding errors.
    """
    return _ring_means(_log(torch.fft.rfft2(_wide(brightness))), brightness.shape[-1])  # (B, R)


def power_profile(brightness: Tensor) -> Tensor:
    """(B, H, W) of any size, in [-1, 1] -> (B, R): the logarithm of each ring's mean power, 10 ln.

    As `spectral_profile`, but averaged first, as section 3.1 of the paper integrates the power itself, and
    with the power of rounding added, below which there is nothing to see. Differentiable, with a moderate
    gradient also where frequencies are missing, while that of their own logarithm grows without bounds.
    """
    power = _power(torch.fft.rfft2(_wide(brightness)))  # (B, H, W // 2 + 1)
    unseen = ROUNDING * brightness[0].numel()
    return 10 * (_ring_means(power, brightness.shape[-1]) + unseen).log()


def _ring_means(values: Tensor, width: int) -> Tensor:
    """(B, H, W // 2 + 1), half of something that is its own mirror -> (B, R), means over rings."""
    index, flipped, counts = half_rings(values.shape[-2], width, values.device)
    twice = values[..., 1 : (width + 1) // 2]  # (B, H, (W - 1) // 2), columns whose mirror was not computed
    sums = values.new_zeros(values.shape[0], len(counts)).index_add(1, index, values.flatten(1))  # (B, R + 2)
    sums = sums.index_add(1, flipped, twice.flatten(1))
    return (sums / counts.to(sums))[:, 1:-1]  # (B, R)


def spread(profiles: Tensor, least: float = FLATTEST) -> Tensor:
    """(B, R) -> (B, R): each profile brought from its lowest and highest value to 0 and 1, for training.

    least: what a profile of a smaller range than that is divided by.
    """
    low, high = profiles.aminmax(dim=1, keepdim=True)  # (B, 1) each
    return (profiles - low) / (high - low).clamp_min(least)


def spectral_distance(images: Tensor, truth: Tensor) -> Tensor:
    """(B, C, H, W) twice, of one size -> (B,): root mean square difference of their profiles.

    In the unit of `log_spectrum`: 20 ln, so that twice the amplitude at all frequencies makes 13.9.
    """
    difference = spectral_profile(grey(images)) - spectral_profile(grey(truth))  # (B, R)
    return difference.square().mean(1).sqrt()  # (B,)


# -- one picture, in numbers as published ------------------------------------------------


def profile_of(levels: NDArray[Any]) -> NDArray[np.float64]:
    """Grey levels in [0, 255], (H, W) of any size -> its profile, (R,), as published, in float64.

    Tiny pictures have few rings or none: R is `num_rings(H, W)`. Safe to call from several threads.
    """
    with torch.inference_mode():
        profile = spectral_profile(torch.from_numpy(np.asarray(levels, np.float64))[None])[0]  # (R,)
    result: NDArray[np.float64] = profile.numpy()
    return result


def num_rings(height: int, width: int) -> int:
    """R: how many values the profile of a picture of that size has; 0 for the tiniest."""
    return max(0, int(hypot((height - 1) / 2, (width - 1) / 2)) - 1)


def central_third(levels: NDArray[Any]) -> NDArray[Any]:
    """(H, W) -> (H - 2 (H // 3), W - 2 (W // 3)): the middle, as published for frames of films."""
    height, width = levels.shape[0] // 3, levels.shape[1] // 3
    return levels[height : levels.shape[0] - height, width : levels.shape[1] - width]


def resampled(profiles: NDArray[np.float64], length: int) -> NDArray[np.float64]:
    """(..., R) -> (..., length): a cubic spline through the profile, read at evenly spread places.

    Its ends are those of scipy's `griddata` ("not a knot"). The first and the last value stay.
    Raises ValueError for fewer than four rings.
    """
    return profiles @ _spline(profiles.shape[-1], length)  # (..., length)


def relative(profiles: NDArray[np.float64]) -> NDArray[np.float64]:
    """(..., N) -> (..., N): each over its first value, so that brightness and contrast count less."""
    return profiles / profiles[..., :1]


def features_of(levels: NDArray[Any], length: int) -> NDArray[np.float64]:
    """Grey levels in [0, 255], (H, W) -> what the published detector reads, (length,)."""
    return relative(resampled(profile_of(levels), length))


# -- what depends on sizes alone: made once ----------------------------------------------


@lru_cache(maxsize=16)
def rings(height: int, width: int, device: torch.device) -> Rings:
    """The rings of a picture, or of a transform with the zero frequency at (H // 2, W // 2)."""
    with torch.inference_mode(False):  # what inference makes first, training must be able to use
        y = torch.arange(height, dtype=torch.float64) - (height - 1) / 2
        x = torch.arange(width, dtype=torch.float64) - (width - 1) / 2
        index = torch.hypot(y[:, None], x).long().flatten()  # (H W)
        return Rings(index.to(device), torch.bincount(index).float().to(device))


@lru_cache(maxsize=16)
def half_rings(height: int, width: int, device: torch.device) -> HalfRings:
    """The rings of the transform of a real picture as `torch.fft.rfft2` leaves it."""
    index, counts = rings(height, width, torch.device("cpu"))
    with torch.inference_mode(False):
        whole = torch.fft.ifftshift(index.reshape(height, width))  # zero frequency first
        mirror = whole.flip(0, 1).roll((1, 1), (0, 1))  # the ring of the frequency with both signs changed
        half = whole[:, : width // 2 + 1].flatten()
        flipped = mirror[:, 1 : (width + 1) // 2].flatten()
        return HalfRings(half.to(device), flipped.to(device), counts.to(device))


@lru_cache(maxsize=64)
def _spline(number: int, length: int) -> NDArray[np.float64]:
    """(R, N): how much each of R values counts in each of N readings of their spline."""
    if number < FEWEST_RINGS:
        raise ValueError(f"a cubic needs {FEWEST_RINGS} values, not {number}")
    # Second derivatives m of a cubic spline of spacing 1:
    # m[i-1] + 4 m[i] + m[i+1] = 6 (y[i-1] - 2 y[i] + y[i+1]);
    # at both ends the third derivative goes on unchanged: m[0] - 2 m[1] + m[2] = 0.
    system, right = (np.zeros((number, number)) for _ in range(2))
    inner = np.arange(1, number - 1)
    for offset, left, value in ((-1, 1, 6), (0, 4, -12), (1, 1, 6)):
        system[inner, inner + offset] = left
        right[inner, inner + offset] = value
    system[0, :3] = system[-1, -3:] = (1, -2, 1)
    curvature = np.linalg.solve(system, right)  # (R, R)
    places = np.linspace(0, number - 1, length)
    start = np.minimum(places.astype(int), number - 2)
    after = (places - start)[:, None]  # in [0, 1]
    before = 1 - after
    values = np.eye(number)
    rows = before * values[start] + after * values[start + 1]
    rows += ((before**3 - before) * curvature[start] + (after**3 - after) * curvature[start + 1]) / 6
    return np.ascontiguousarray(rows.T)  # (R, N)


def _wide(values: Tensor) -> Tensor:
    return values.float() if values.dtype in (torch.bfloat16, torch.float16) else values


def _log(transform: Tensor) -> Tensor:
    """20 ln|F + epsilon|, of the square: a logarithm costs more than a root saves."""
    return 10 * _power(transform).log()


def _power(transform: Tensor) -> Tensor:
    """|F + epsilon|^2."""
    power: Tensor = (transform.real + EPSILON).square() + transform.imag.square()
    return power
