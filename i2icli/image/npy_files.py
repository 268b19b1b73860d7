"""NumPy's .npy files: H x W or H x W x C numbers. Objects are refused, never unpickled."""

from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from i2icli.image.array_shapes import channels_last, image_shape, layout_of
from i2icli.image.decoded import DecodedImage, Header, ImageError
from i2icli.image.id_maps import IdMap, as_map
from i2icli.image.values import as_stored, spanning_type, stored_type
from i2icli.reading import AS_FOUND, Reading


def read_header(file: IO[bytes], reading: Reading = AS_FOUND) -> Header:
    """Size, channels and type. Raises ImageError, ValueError or OSError."""
    (height, width, channels), dtype = _checked_header(file, reading)
    return Header(
        "npy", (height, width), channels, alpha=False, dtype=spanning_type(dtype), stored=stored_type(dtype)
    )


def read(file: IO[bytes], reading: Reading = AS_FOUND) -> DecodedImage:
    """Load the numbers as they are; every channel counts as colour.

    Raises ImageError, ValueError or OSError.
    """
    array = _load(file, reading)
    pixels = np.ascontiguousarray(as_stored(channels_last(array, reading)))  # (H, W, C)
    return DecodedImage(pixels, alpha=None, format="npy", layout=layout_of(array, reading))


def read_map(file: IO[bytes], reading: Reading = AS_FOUND) -> IdMap:
    """Load integers as they are. Raises ImageError, ValueError or OSError."""
    return as_map(channels_last(_load(file, reading), reading))


def _load(file: IO[bytes], reading: Reading) -> NDArray[Any]:
    """The array as stored."""
    _checked_header(file, reading)
    file.seek(0)
    array: NDArray[Any] = np.load(file, allow_pickle=False)
    return array


def _checked_header(file: IO[bytes], reading: Reading) -> tuple[tuple[int, int, int], np.dtype[Any]]:
    """-> (H, W, C) and the type, after checking both and the length of the file."""
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(file)
    if dtype.hasobject:
        raise ImageError("holds Python objects; expected numbers")
    height, width, channels = image_shape(shape, reading)
    start = file.tell()
    if file.seek(0, 2) - start < height * width * channels * dtype.itemsize:
        raise ImageError("truncated")
    return (height, width, channels), dtype
