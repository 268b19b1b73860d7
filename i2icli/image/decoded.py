"""A decoded image: plain arrays, and what is needed to write it back in the same form."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from i2icli.image.metadata import Metadata
from i2icli.value_range import ValueRange
from i2icli.written import counted

Pixels: TypeAlias = NDArray[Any]
"""(H, W, C), uint8, uint16 or float32; integers span their type's range, floats [-1, 1]."""
Format = Literal["png", "jpeg", "webp", "tiff", "bmp", "npy", "gif", "avif", "jp2", "ppm", "heic"]

Layout = Literal["pixels", "planes", "ome", "ome-pixels", "imagej"]
"""How channels lie in a file: side by side in every pixel, one after another, or as a program stacks them."""

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
    stored: np.dtype[Any] | None = None  # as in the file, where that is another

    @property
    def number_type(self) -> np.dtype[Any]:
        """The type of the values in the file."""
        return self.stored or self.dtype


@dataclass(frozen=True)
class Stored:
    """How a file holds the values of an image whose pixels span their type."""

    dtype: np.dtype[Any]
    range: ValueRange | None = None  # the values that the pixels' lowest and highest are; None: their type's


@dataclass(frozen=True)
class DecodedImage:
    """A decoded image, EXIF rotation applied, colour and alpha separate."""

    pixels: Pixels  # (H, W, C), without alpha
    alpha: NDArray[Any] | None  # (H, W), same type as the colours
    format: Format  # of the file it came from
    icc: bytes | None = None  # colour profile
    lossless: bool = True  # False for JPEG and lossy WebP
    stored: Stored | None = None  # how a file holds its values; None: as the pixels are
    layout: Layout = "pixels"  # of the channels in its file
    metadata: Metadata | None = None  # what its file says about it, for results made from it

    @property
    def number_type(self) -> np.dtype[Any]:
        """The type of the values that a file holds."""
        return self.pixels.dtype if self.stored is None else self.stored.dtype

    def keeping_gps(self, keep: bool) -> "DecodedImage":
        """The same image, whose files say where it was taken, or do not."""
        if self.metadata is None:
            return self
        return replace(self, metadata=replace(self.metadata, keep_gps=keep))


class ImageError(Exception):
    """Why a file cannot be read, without its name; becomes a UserError where the name is known."""


def check_size(height: int, width: int, channels: int = 1) -> None:
    """Refuse empty and absurd dimensions, before memory is asked for. Raises ImageError."""
    if min(height, width, channels) < 1:
        raise ImageError(f"an empty image of {width}x{height} pixels and {counted(channels, 'channel')}")
    if height * width > MAX_PIXELS or height * width * channels > MAX_VALUES:
        raise ImageError(
            f"too large: {width}x{height} pixels, {counted(channels, 'channel')}; the limit is 0.5 gigapixel"
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
