"""Spectral profiles: azimuthally averaged power spectra of images.

Durall, Keuper, Keuper, "Watch your Up-Convolution: CNN Based Generative Deep Neural Networks are Failing to
Reproduce Spectral Distributions", CVPR 2020, https://arxiv.org/abs/2003.01826, and before it Durall et al.,
"Unmasking DeepFakes with simple Features", 2019, https://arxiv.org/abs/1911.00686. "As published" below means
as in the code that accompanies these papers. From an image to the features of a detector:

    levels (H, W), grey in [0, 255]        image.grey_levels(decoded.pixels)
    -> profile (R,)                        profile_of(levels); many at once: spectral_profile(images)
    -> resampled to N values (N,)          resampled(profile, N)
    -> relative to its first value         relative_to_first(resampled)

The papers use plain profiles for 1024 px faces (722 values), `features_of(levels, 80)` for CelebA, and
`features_of(central_third(levels), 300)` for video frames. Spectra are resampled, images never.
"""

from functools import lru_cache
from math import hypot
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

EPSILON = 1e-8  # added to the transform, so that its logarithm is finite
ROUNDING = (2 / 255) ** 2 / 12  # noise power per pixel of rounding to 8 bits, for images in [-1, 1]
GREY = (0.2989, 0.5870, 0.1140)  # weights of red, green and blue in the brightness
FLATTEST = 1e-3  # range of a profile: a smaller one is rounding error
FEWEST_RINGS = 4  # needed by a cubic; a square image of 9 px has them


class Rings(NamedTuple):
    """The ring of every value of an image, and the number of values in each ring."""

    ring: Tensor  # (H * W,), int64
    counts: Tensor  # (R + 2,), float32: includes the innermost and the outermost ring


class HalfRings(NamedTuple):
    """The same for the transform of a real image, (H, W // 2 + 1), whose other half is its mirror."""

    ring: Tensor  # (H * (W // 2 + 1),): the ring of each value
    flipped: Tensor  # (H * ((W - 1) // 2),): the ring of its mirror, for the columns that have one
    counts: Tensor  # (R + 2,), float32, of the whole transform


# -- many images at once, differentiable -----------------------------------------------


def grey(images: Tensor) -> Tensor:
    """(B, C, H, W) -> brightness (B, H, W), at least float32; the mean unless there are three channels."""
    images = _wide(images)
    if images.shape[1] != len(GREY):
        return images.mean(1)  # (B, H, W)
    return (images * images.new_tensor(GREY)[:, None, None]).sum(1)  # (B, H, W)


def log_spectrum(brightness: Tensor) -> Tensor:
    """(B, H, W) -> 20 ln|F|, (B, H, W), the zero frequency in the centre. Natural logarithm, unnormalised.

    Section 3.1 of the paper. At least float32.
    """
    return _log(torch.fft.fftshift(torch.fft.fft2(_wide(brightness)), dim=(-2, -1)))


def azimuthal_average(values: Tensor) -> Tensor:
    """(B, H, W) -> (B, R): means over rings of integer radii about the centre, from radius 1 outwards.

    The centre is that of the image, ((W-1)/2, (H-1)/2): half a pixel off the zero frequency for even
    sides. The innermost and the outermost ring are omitted, as published.
    """
    index, counts = rings(*values.shape[-2:], values.device)
    sums = values.new_zeros(values.shape[0], len(counts)).index_add(1, index, values.flatten(1))  # (B, R + 2)
    return (sums / counts.to(sums))[:, 1:-1]  # (B, R)


def spectral_profile(brightness: Tensor) -> Tensor:
    """(B, H, W) of any size -> (B, R): the azimuthal average of the log spectrum. Differentiable.

    `azimuthal_average(log_spectrum(brightness))` at the cost of half a transform and one addition per
    frequency. R depends on the size alone: 43 for 64x64, 88 for 128x128, 722 for 1024x1024. The average is
    over logarithms. Half precision is widened to float32, float64 is kept. Uniform images have no
    spectrum: their profile is the logarithm of rounding errors.
    """
    return _ring_means(_log(torch.fft.rfft2(_wide(brightness))), brightness.shape[-1])  # (B, R)


def power_profile(brightness: Tensor) -> Tensor:
    """(B, H, W) of any size, in [-1, 1] -> (B, R): 10 ln of the mean power of each ring.

    As `spectral_profile`, but averaged before the logarithm, as section 3.1 of the paper integrates the
    power, and with the noise power of 8-bit rounding added as a floor. Differentiable; the gradient stays
    bounded where frequencies are missing, while that of a mean of logarithms does not.
    """
    power = _power(torch.fft.rfft2(_wide(brightness)))  # (B, H, W // 2 + 1)
    floor = ROUNDING * brightness[0].numel()
    return 10 * (_ring_means(power, brightness.shape[-1]) + floor).log()


def _ring_means(values: Tensor, width: int) -> Tensor:
    """(B, H, W // 2 + 1), half of a point-symmetric array -> (B, R), means over rings."""
    index, flipped, counts = half_rings(values.shape[-2], width, values.device)
    twice = values[..., 1 : (width + 1) // 2]  # (B, H, (W - 1) // 2), columns whose mirror is not stored
    sums = values.new_zeros(values.shape[0], len(counts)).index_add(1, index, values.flatten(1))  # (B, R + 2)
    sums = sums.index_add(1, flipped, twice.flatten(1))
    return (sums / counts.to(sums))[:, 1:-1]  # (B, R)


def min_max_normalise(profiles: Tensor, min_range: float = FLATTEST) -> Tensor:
    """(B, R) -> (B, R): each profile scaled to [0, 1].

    min_range: divisor of profiles with a smaller range.
    """
    low, high = profiles.aminmax(dim=1, keepdim=True)  # (B, 1) each
    return (profiles - low) / (high - low).clamp_min(min_range)


def spectral_distance(images: Tensor, truth: Tensor) -> Tensor:
    """(B, C, H, W) twice, of one size -> (B,): root mean square difference of their profiles.

    In the unit of `log_spectrum`, 20 ln: a factor of 2 in amplitude at all frequencies is 13.9.
    """
    difference = spectral_profile(grey(images)) - spectral_profile(grey(truth))  # (B, R)
    return difference.square().mean(1).sqrt()  # (B,)


# -- one image, as published -------------------------------------------------------------


def profile_of(levels: NDArray[Any]) -> NDArray[np.float64]:
    """Grey levels in [0, 255], (H, W) of any size -> its profile, (R,), as published, in float64.

    R is `num_rings(H, W)`, which may be 0 for tiny images. Thread-safe.
    """
    with torch.inference_mode():
        profile = spectral_profile(torch.from_numpy(np.asarray(levels, np.float64))[None])[0]  # (R,)
    result: NDArray[np.float64] = profile.numpy()
    return result


def num_rings(height: int, width: int) -> int:
    """R: the length of the profile of an image; 0 for tiny ones."""
    return max(0, int(hypot((height - 1) / 2, (width - 1) / 2)) - 1)


def central_third(levels: NDArray[Any]) -> NDArray[Any]:
    """(H, W) -> (H - 2 (H // 3), W - 2 (W // 3)): the centre crop, as published for video frames."""
    height, width = levels.shape[0] // 3, levels.shape[1] // 3
    return levels[height : levels.shape[0] - height, width : levels.shape[1] - width]


def resampled(profiles: NDArray[np.float64], length: int) -> NDArray[np.float64]:
    """(..., R) -> (..., length): cubic spline interpolation at evenly spaced positions.

    Not-a-knot boundary conditions, as in scipy's `griddata`. The first and the last value are kept.
    Raises ValueError for fewer than four rings.
    """
    return profiles @ _spline(profiles.shape[-1], length)  # (..., length)


def relative_to_first(profiles: NDArray[np.float64]) -> NDArray[np.float64]:
    """(..., N) -> (..., N): each divided by its first value, which reduces effects of contrast."""
    return profiles / profiles[..., :1]


def features_of(levels: NDArray[Any], length: int) -> NDArray[np.float64]:
    """Grey levels in [0, 255], (H, W) -> features of the published detector, (length,)."""
    return relative_to_first(resampled(profile_of(levels), length))


# -- cached by size ----------------------------------------------------------------------


@lru_cache(maxsize=16)
def rings(height: int, width: int, device: torch.device) -> Rings:
    """The rings of an image, or of a transform with the zero frequency at (H // 2, W // 2)."""
    with torch.inference_mode(False):  # a tensor cached during inference must be usable in training
        y = torch.arange(height, dtype=torch.float64) - (height - 1) / 2
        x = torch.arange(width, dtype=torch.float64) - (width - 1) / 2
        index = torch.hypot(y[:, None], x).long().flatten()  # (H W)
        return Rings(index.to(device), torch.bincount(index).float().to(device))


@lru_cache(maxsize=16)
def half_rings(height: int, width: int, device: torch.device) -> HalfRings:
    """The rings of the transform of a real image as `torch.fft.rfft2` leaves it."""
    index, counts = rings(height, width, torch.device("cpu"))
    with torch.inference_mode(False):
        whole = torch.fft.ifftshift(index.reshape(height, width))  # zero frequency first
        mirror = whole.flip(0, 1).roll((1, 1), (0, 1))  # the ring of the negated frequency
        half = whole[:, : width // 2 + 1].flatten()
        flipped = mirror[:, 1 : (width + 1) // 2].flatten()
        return HalfRings(half.to(device), flipped.to(device), counts.to(device))


@lru_cache(maxsize=64)
def _spline(number: int, length: int) -> NDArray[np.float64]:
    """(R, N): weights of R values in N samples of their spline."""
    if number < FEWEST_RINGS:
        raise ValueError(f"a cubic needs {FEWEST_RINGS} values, not {number}")
    # Second derivatives m of a cubic spline of spacing 1:
    # m[i-1] + 4 m[i] + m[i+1] = 6 (y[i-1] - 2 y[i] + y[i+1]);
    # at both ends the third derivative is continuous: m[0] - 2 m[1] + m[2] = 0.
    system, right = (np.zeros((number, number)) for _ in range(2))
    inner = np.arange(1, number - 1)
    for offset, left, value in ((-1, 1, 6), (0, 4, -12), (1, 1, 6)):
        system[inner, inner + offset] = left
        right[inner, inner + offset] = value
    system[0, :3] = system[-1, -3:] = (1, -2, 1)
    curvature = np.linalg.solve(system, right)  # (R, R)
    positions = np.linspace(0, number - 1, length)
    start = np.minimum(positions.astype(int), number - 2)
    after = (positions - start)[:, None]  # in [0, 1]
    before = 1 - after
    values = np.eye(number)
    rows = before * values[start] + after * values[start + 1]
    rows += ((before**3 - before) * curvature[start] + (after**3 - after) * curvature[start + 1]) / 6
    return np.ascontiguousarray(rows.T)  # (R, N)


def _wide(values: Tensor) -> Tensor:
    return values.float() if values.dtype in (torch.bfloat16, torch.float16) else values


def _log(transform: Tensor) -> Tensor:
    """20 ln|F + epsilon|, computed from the power, which saves the square root."""
    return 10 * _power(transform).log()


def _power(transform: Tensor) -> Tensor:
    """|F + epsilon|^2."""
    power: Tensor = (transform.real + EPSILON).square() + transform.imag.square()
    return power
