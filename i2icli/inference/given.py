"""What Python callers hand over as images, and results in the same form."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, TypeGuard

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from i2icli.errors import UserError
from i2icli.image import DecodedImage, to_pillow, to_stored, to_tensor
from i2icli.image.items import ArrayItem, BytesItem, FileItem, Item, PillowItem
from i2icli.image.pillow_files import with_alpha

if TYPE_CHECKING:
    from torch import Tensor

Given: TypeAlias = "str | Path | bytes | Image.Image | NDArray[Any] | Tensor"
"""An image: a path, the bytes of a file, a Pillow image, an array (H, W) or (H, W, C), a tensor (C, H, W).

With `channels_first` arrays are (C, H, W).
"""
Named: TypeAlias = "Mapping[str, Given]"
"""Several inputs of one task by its names for them."""
Made: TypeAlias = "Image.Image | NDArray[Any] | Tensor"


def as_item(given: Given, name: str) -> Item:
    """An image as something to read; `name` is what messages call it unless it is a file.

    Raises UserError for what is no image.
    """
    if isinstance(given, str | Path):
        return FileItem(Path(given))
    if isinstance(given, bytes | bytearray):
        return BytesItem(bytes(given), name)
    if isinstance(given, Image.Image):
        return PillowItem(given, name)
    if isinstance(given, np.ndarray):
        return ArrayItem(given, name)
    if not _is_tensor(given):
        expected = "a path, bytes, a Pillow image, an array (H, W, C) or a tensor (C, H, W)"
        raise UserError(f"{name} is of the type {type(given).__name__}; expected {expected}")
    if given.ndim != 3:
        raise UserError(f"a tensor of shape {tuple(given.shape)} is no image; expected (C, H, W)")
    values = given.detach().cpu()
    values = values.float() if values.is_floating_point() else values  # NumPy has no bfloat16
    return ArrayItem(values.numpy(), name, channels_first=True)


def images_of(batch: object) -> "list[NDArray[Any] | Tensor] | None":
    """The images of a batch, a tensor (B, C, H, W) or an array (B, H, W, C); None for anything else."""
    if _is_tensor(batch) or isinstance(batch, np.ndarray):
        return list(batch) if batch.ndim == 4 else None
    return None


def batch_of(made: list[Any]) -> Any:
    """Results for the images of a batch as a batch again; of several outputs one by the name of each."""
    first = made[0]
    if isinstance(first, dict):
        return {name: batch_of([each[name] for each in made]) for name in first}
    return sys.modules["torch"].stack(made) if _is_tensor(first) else np.stack(made)


def in_form_of(given: Given, made: DecodedImage) -> Made:
    """A result in the form of what was given: an array, a tensor, else a Pillow image.

    Arrays hold the values that files would; tensors, too, if they have a range, else they are in [-1, 1].
    """
    if not _is_tensor(given) and not isinstance(given, np.ndarray):
        return to_pillow(made)
    ranged = made.stored is not None and made.stored.range is not None
    pixels = with_alpha(to_stored(made))  # (H, W, C)
    if _is_tensor(given):
        return to_tensor(pixels.astype(np.float32) if ranged else with_alpha(made))
    if given.ndim == 2 and pixels.shape[2] == 1:
        return pixels[:, :, 0]
    return np.ascontiguousarray(np.moveaxis(pixels, -1, 0)) if made.layout == "planes" else pixels


def _is_tensor(given: object) -> "TypeGuard[Tensor]":
    """Without loading torch: who has a tensor has loaded it."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(given, torch.Tensor)
