"""Operations on pixels (H, W, C) that need no torch: size, channels, number type."""

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray
from PIL import Image

from i2icli.errors import UserError
from i2icli.image.picture import Pixels

_LUMINANCE = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601


def resize(pixels: Pixels, size: tuple[int, int], *, nearest: bool = False) -> Pixels:
    """Bring (H, W, C) to (height, width): antialiased bicubic, or nearest for labels. Type and range stay."""
    if pixels.shape[:2] == size:
        return pixels
    method = Image.Resampling.NEAREST if nearest else Image.Resampling.BICUBIC
    box = (size[1], size[0])
    if pixels.dtype == np.uint8 and pixels.shape[2] == 3:
        return np.asarray(Image.fromarray(pixels).resize(box, method))  # (h, w, 3)
    planes = [_resize_plane(pixels[..., c], box, method) for c in range(pixels.shape[2])]
    return np.stack(planes, axis=-1)  # (h, w, C)


def _resize_plane(plane: NDArray[Any], box: tuple[int, int], method: Image.Resampling) -> NDArray[Any]:
    """(H, W) -> (h, w) of the same type."""
    if plane.dtype == np.uint8:
        return np.asarray(Image.fromarray(np.ascontiguousarray(plane)).resize(box, method))
    small = np.asarray(Image.fromarray(plane.astype(np.float32)).resize(box, method))
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
    raise UserError(f"cannot turn {found} channels into {channels}; only 1 into 3 and 3 into 1", exit_code=1)


def change_type(array: NDArray[Any], dtype: DTypeLike) -> NDArray[Any]:
    """Between uint8, uint16 and float32, keeping each value's place in its range ([-1, 1] for floats)."""
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
