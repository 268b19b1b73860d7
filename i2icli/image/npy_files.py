"""NumPy's .npy files: H x W or H x W x C numbers. Objects are refused, never unpickled."""

from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from i2icli.image.decoded import (
    DecodedImage,
    Header,
    ImageError,
    check_size,
)
from i2icli.image.id_maps import IdMap, as_map
from i2icli.image.values import as_stored, spanning_type, stored_type


def read_header(file: IO[bytes]) -> Header:
    """Size, channels and type. Raises ImageError, ValueError or OSError."""
    (height, width, channels), dtype = _checked_header(file)
    return Header(
        "npy", (height, width), channels, alpha=False, dtype=spanning_type(dtype), stored=stored_type(dtype)
    )


def read(file: IO[bytes]) -> DecodedImage:
    """Load the numbers as they are; every channel counts as colour.

    Raises ImageError, ValueError or OSError.
    """
    array, shape = _load(file)
    pixels = np.ascontiguousarray(as_stored(array).reshape(shape))  # (H, W, C)
    return DecodedImage(pixels, alpha=None, format="npy")


def read_map(file: IO[bytes]) -> IdMap:
    """Load integers as they are. Raises ImageError, ValueError or OSError."""
    return as_map(_load(file)[0])


def _load(file: IO[bytes]) -> tuple[NDArray[Any], tuple[int, int, int]]:
    """The array as stored, and its shape as (H, W, C)."""
    shape, _ = _checked_header(file)
    file.seek(0)
    return np.load(file, allow_pickle=False), shape


def _checked_header(file: IO[bytes]) -> tuple[tuple[int, int, int], np.dtype[Any]]:
    """-> (H, W, C) and the type, after checking both and the length of the file."""
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(file)
    if dtype.hasobject:
        raise ImageError("holds Python objects; expected numbers")
    if len(shape) not in (2, 3):
        raise ImageError(f"shape {shape}; expected height x width or height x width x channels")
    height, width, channels = (*shape, 1)[:3]
    check_size(height, width, channels)
    if len(shape) == 3 and height in (1, 3, 4) and channels > 32:
        raise ImageError(f"shape {shape} looks like channels first; expected height x width x channels")
    start = file.tell()
    if file.seek(0, 2) - start < height * width * channels * dtype.itemsize:
        raise ImageError("truncated")
    return (height, width, channels), dtype
