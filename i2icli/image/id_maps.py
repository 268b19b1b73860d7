"""Maps of class or instance ids, as files hold them."""

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from i2icli.classes import Colour
from i2icli.image.decoded import ImageError

Ids: TypeAlias = NDArray[np.int32]
"""(H, W): a class or instance id per pixel."""

ONE_ID = "expected one id per pixel: a palette or greyscale PNG, a TIFF or .npy of integers"


@dataclass(frozen=True)
class IdMap:
    """The ids of a label or instance map as a file holds them."""

    ids: Ids  # (H, W); where the pixels are colours, red + 256 green + 65536 blue
    coloured: bool = False
    palette: tuple[Colour, ...] = ()  # of an image with a palette: the colour of each id


def as_map(array: NDArray[Any], palette: tuple[Colour, ...] = ()) -> IdMap:
    """(H, W) or (H, W, 1) integers or booleans are ids, unchanged; (H, W, 3 or 4) of 8 bit are colours.

    Opacity, the last of four channels, does not count. Raises ImageError for others.
    """
    if array.ndim == 3 and array.shape[2] in (3, 4) and array.dtype == np.uint8:
        red, green, blue = (array[..., channel].astype(np.int32) for channel in range(3))
        return IdMap(red + 256 * green + 65536 * blue, coloured=True)
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] != 1):
        raise ImageError(f"shape {array.shape} of type {array.dtype}; {ONE_ID}, or 8-bit colours")
    if array.dtype.kind not in "bui":
        raise ImageError(f"values of type {array.dtype}; class and instance ids are whole numbers")
    largest = np.iinfo(np.int32).max
    if array.size and max(int(array.max()), -int(array.min()) - 1) > largest:
        raise ImageError(f"ids beyond {largest}")
    return IdMap(np.ascontiguousarray(array.reshape(array.shape[:2]), np.int32), palette=palette)
