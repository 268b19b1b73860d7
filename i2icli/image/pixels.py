"""Operations on pixels (H, W, C) that need no torch: size, channels, number type."""

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray
from PIL import Image

from i2icli.errors import UserError
from i2icli.image.decoded import Pixels
from i2icli.written import counted

_LUMINANCE = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601
_BICUBIC = Image.Resampling.BICUBIC


def resize(pixels: Pixels, size: tuple[int, int]) -> Pixels:
    """(H, W, C) -> (height, width, C), antialiased bicubic. Type and range stay."""
    if pixels.shape[:2] == size:
        return pixels
    box = (size[1], size[0])
    if pixels.dtype == np.uint8 and pixels.shape[2] == 3:
        return np.asarray(Image.fromarray(pixels).resize(box, _BICUBIC))  # (h, w, 3)
    planes = [_resize_plane(pixels[..., c], box) for c in range(pixels.shape[2])]
    return np.stack(planes, axis=-1)  # (h, w, C)


def resize_ids(ids: Pixels, size: tuple[int, int]) -> Pixels:
    """(H, W, 1) uint8 or int32 -> (height, width, 1): the nearest id, so that no new one appears."""
    if ids.shape[:2] == size:
        return ids
    plane = Image.fromarray(np.ascontiguousarray(ids[..., 0]))  # modes L and I: 8 and 32 bit
    return np.asarray(plane.resize((size[1], size[0]), Image.Resampling.NEAREST))[..., None]


def _resize_plane(plane: NDArray[Any], box: tuple[int, int]) -> NDArray[Any]:
    """(H, W) -> (h, w) of the same type."""
    if plane.dtype == np.uint8:
        return np.asarray(Image.fromarray(np.ascontiguousarray(plane)).resize(box, _BICUBIC))
    small = np.asarray(Image.fromarray(plane.astype(np.float32)).resize(box, _BICUBIC))
    if plane.dtype != np.float32:
        return (small + 0.5).clip(0, np.iinfo(plane.dtype).max).astype(plane.dtype)
    return small.clip(min(-1, plane.min()), max(1, plane.max()))  # bicubic overshoots at edges


def convert_channels(pixels: Pixels, channels: int) -> Pixels:
    """Grey (H, W, 1) to colour by repeating, colour (H, W, 3) to grey by luminance.

    Raises UserError (exit code 1) for any other change.
    """
    found = pixels.shape[2]
    if found == channels:
        return pixels
    if found == 1 and channels == 3:
        return np.repeat(pixels, 3, axis=2)  # (H, W, 3)
    if found == 3 and channels == 1:
        grey = pixels.astype(np.float32) @ _LUMINANCE  # (H, W)
        return (grey if pixels.dtype == np.float32 else (grey + 0.5).astype(pixels.dtype))[..., None]
    have = counted(found, "channel")
    raise UserError(f"cannot convert {have} to {channels}; only 1 to 3 and 3 to 1", exit_code=1)


def as_colours(pixels: Pixels) -> NDArray[np.uint8]:
    """(H, W, C) of any number type -> (H, W, 3), 8 bit: what conditions and flow are computed from."""
    return np.ascontiguousarray(convert_channels(change_type(pixels, np.uint8), 3))


def change_type(array: NDArray[Any], dtype: DTypeLike) -> NDArray[Any]:
    """Convert between uint8, uint16 and float32; values keep their place in the range ([-1, 1] if float)."""
    wanted = np.dtype(dtype)
    if array.dtype == wanted:
        return array
    if array.dtype.kind == "u":
        unit = array.astype(np.float32) / np.iinfo(array.dtype).max  # [0, 1]
    else:
        unit = (array.clip(-1, 1) + 1) / 2
    if wanted.kind == "f":
        return (unit * 2 - 1).astype(wanted)
    return (unit * np.iinfo(wanted).max + 0.5).astype(wanted)
