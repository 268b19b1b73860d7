"""A decoded image: plain arrays, and what is needed to write it back in the same form."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

Pixels: TypeAlias = NDArray[Any]
"""(H, W, C), uint8, uint16 or float32; integers span their type's range, floats [-1, 1]."""
Format = Literal["png", "jpeg", "webp", "tiff", "bmp", "npy"]

MAX_PIXELS = 500_000_000  # 0.5 gigapixel: a larger file is more likely an attack than an image
MAX_VALUES = 2_000_000_000  # pixels times channels


@dataclass(frozen=True)
class Header:
    """What a file says about its image before anything is decoded."""

    format: Format
    size: tuple[int, int]  # (height, width) after EXIF rotation
    channels: int  # without alpha
    alpha: bool
    dtype: np.dtype[Any]  # as decoded: uint8, uint16 or float32
    orientation: int = 1  # of EXIF, already part of the size; 5 to 8 swap the sides


@dataclass(frozen=True)
class DecodedImage:
    """A decoded image, EXIF rotation applied, colour and alpha separate."""

    pixels: Pixels  # (H, W, C), without alpha
    alpha: NDArray[Any] | None  # (H, W), same type as the colours
    format: Format  # of the file it came from
    icc: bytes | None = None  # colour profile
    lossless: bool = True  # False for JPEG and lossy WebP


class ImageError(Exception):
    """Why a file cannot be read, without its name; becomes a UserError where the name is known."""


def check_size(height: int, width: int, channels: int = 1) -> None:
    """Refuse empty and absurd dimensions, before memory is asked for. Raises ImageError."""
    if min(height, width, channels) < 1:
        raise ImageError(f"an empty image of {width}x{height} pixels and {channels} channels")
    if height * width > MAX_PIXELS or height * width * channels > MAX_VALUES:
        raise ImageError(
            f"too large: {width}x{height} pixels, {channels} channels; the limit is 0.5 gigapixel"
        )


def upright(array: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Apply the EXIF orientation tag (1 to 8, others ignored) to (H, W, ...)."""
    turns: dict[int, Callable[[NDArray[Any]], NDArray[Any]]] = {
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.swapaxes(0, 1),
        6: lambda a: a[::-1].swapaxes(0, 1),
        7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
        8: lambda a: a[:, ::-1].swapaxes(0, 1),
    }
    return np.ascontiguousarray(turns[orientation](array) if orientation in turns else array)


def scale_to_supported(array: NDArray[Any]) -> NDArray[Any]:
    """Convert any number type to uint8, uint16 or float32; integers keep their position in the type's range.

    Signed 8 and 16 bit are shifted to unsigned; 32 and 64 bit become floats in [-1, 1]; floats
    stay as they are; booleans become 0 and 255. Raises ImageError for other types and NaN.
    """
    kind, bits = array.dtype.kind, array.dtype.itemsize * 8
    if kind == "b":
        return array.astype(np.uint8) * np.uint8(255)
    if kind == "u" and bits <= 16:
        return array.astype(f"u{bits // 8}", copy=False)  # native byte order
    if kind == "i" and bits <= 16:
        shifted: NDArray[np.int32] = array.astype(np.int32) + 2 ** (bits - 1)
        return shifted.astype(f"u{bits // 8}")
    if kind in "ui":
        low, high = float(np.iinfo(array.dtype).min), float(np.iinfo(array.dtype).max)
        unit: NDArray[np.float64] = (array.astype(np.float64) - low) / (high - low)
        return (unit * 2 - 1).astype(np.float32)
    if kind == "f":
        return _in_range(_finite(array.astype(np.float32, copy=False)))
    raise ImageError(f"values of type {array.dtype}; expected integers or floats")


def supported_type(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The type that `scale_to_supported` returns. Raises ImageError for types it refuses."""
    return scale_to_supported(np.zeros(1, dtype)).dtype


def _in_range(array: NDArray[Any]) -> NDArray[Any]:
    """Floats are expected in [-1, 1]: slightly beyond may be rounding, far beyond is another scale."""
    if array.size and max(abs(float(array.min())), abs(float(array.max()))) > 2:
        raise ImageError(f"floats from {array.min():.4g} to {array.max():.4g}; expected values in [-1, 1]")
    return array


def _finite(array: NDArray[Any]) -> NDArray[Any]:
    if not np.isfinite(array).all():
        raise ImageError("NaN or infinite values")
    return array
