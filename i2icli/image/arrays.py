"""Between pixels (H, W, C) and arrays (C, H, W) in [-1, 1]; padding."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from i2icli.image.decoded import Pixels


def to_array(pixels: Pixels) -> NDArray[np.float32]:
    """(H, W, C) uint8, uint16 or float32 -> (C, H, W) float32; integers become [-1, 1], floats stay."""
    planes = np.ascontiguousarray(pixels.transpose(2, 0, 1))  # (C, H, W)
    values = planes.astype(np.float32)
    if planes.dtype.kind == "u":
        values /= np.float32(np.iinfo(planes.dtype).max / 2)  # 127.5 or 32767.5
        values -= np.float32(1)
    return values


def to_pixels(image: ArrayLike, dtype: DTypeLike) -> Pixels:
    """(C, H, W) in [-1, 1] -> (H, W, C) uint8, uint16 (rounded, clipped) or float32 (as it is).

    image: an array, or a tensor on the CPU without gradient.
    """
    array = np.asarray(image, np.float32).transpose(1, 2, 0)  # (H, W, C)
    wanted = np.dtype(dtype)
    if wanted.kind == "f":
        return np.ascontiguousarray(array, wanted)
    half = np.iinfo(wanted).max / 2  # 127.5 or 32767.5
    return np.ascontiguousarray(((array.clip(-1, 1) + 1) * half + 0.5).astype(wanted))


def pad_to_multiple(images: NDArray[Any], multiple: int, *, reflect: bool = True) -> NDArray[Any]:
    """(B, C, H, W) -> sides that are multiples, extended to the right and below.

    By reflection, repeated as often as needed, so that even one pixel can be padded; or else with the
    values at the edge. `crop_back` undoes it.
    """
    for axis in (2, 3):
        if images.shape[axis] % multiple:
            images = images.take(_extended(images.shape[axis], multiple, reflect), axis)
    return images


def crop_back(images: NDArray[Any], size: tuple[int, int]) -> NDArray[Any]:
    """(B, C, H', W') -> (B, C, H, W): without what `pad_to_multiple` added."""
    return images[..., : size[0], : size[1]]


def _extended(side: int, multiple: int, reflect: bool) -> NDArray[np.intp]:
    """Positions 0 .. side-1, then side-2 .. 0, 1 ... or side-1 again, up to the next multiple of a side."""
    steps = np.arange(-(-side // multiple) * multiple)
    if not reflect or side == 1:
        return steps.clip(max=side - 1)
    period = 2 * (side - 1)
    return np.minimum(steps % period, period - steps % period)
