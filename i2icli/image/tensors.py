"""Between pixels (H, W, C) and tensors (C, H, W) in [-1, 1]; padding. torch loads with the first call."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import DTypeLike

from i2icli.image.decoded import Pixels

if TYPE_CHECKING:
    from torch import Tensor


def to_tensor(pixels: Pixels) -> "Tensor":
    """(H, W, C) uint8, uint16 or float32 -> (C, H, W) float32; integers become [-1, 1], floats stay."""
    import torch

    # In numpy: torch would start a team of threads inside every thread that reads images.
    planes = np.ascontiguousarray(pixels.transpose(2, 0, 1))  # (C, H, W)
    values = planes.astype(np.float32)
    if planes.dtype.kind == "u":
        values /= np.float32(np.iinfo(planes.dtype).max / 2)  # 127.5 or 32767.5
        values -= np.float32(1)
    return torch.from_numpy(values)


def to_pixels(image: "Tensor", dtype: DTypeLike) -> Pixels:
    """(C, H, W) in [-1, 1] -> (H, W, C) uint8, uint16 (rounded, clipped) or float32 (as it is)."""
    array = image.detach().cpu().float().permute(1, 2, 0).numpy()  # (H, W, C)
    wanted = np.dtype(dtype)
    if wanted.kind == "f":
        return np.ascontiguousarray(array, wanted)
    half = np.iinfo(wanted).max / 2  # 127.5 or 32767.5
    return np.ascontiguousarray(((array.clip(-1, 1) + 1) * half + 0.5).astype(wanted))


def pad_to_multiple(images: "Tensor", multiple: int, *, reflect: bool = True) -> "Tensor":
    """(B, C, H, W) -> sides that are multiples, extended to the right and below.

    By reflection, repeated as often as needed, so that even one pixel can be padded; or else with the
    values at the edge. `crop_back` undoes it.
    """
    height, width = images.shape[-2:]
    if height % multiple:
        images = images.index_select(-2, _extended(images, height, multiple, reflect))  # (B, C, H', W)
    if width % multiple:
        images = images.index_select(-1, _extended(images, width, multiple, reflect))  # (B, C, H', W')
    return images


def crop_back(images: "Tensor", size: tuple[int, int]) -> "Tensor":
    """(B, C, H', W') -> (B, C, H, W): without what `pad_to_multiple` added."""
    return images[..., : size[0], : size[1]]


def _extended(images: "Tensor", side: int, multiple: int, reflect: bool) -> "Tensor":
    """Positions 0 .. side-1, then side-2 .. 0, 1 ... or side-1 again, up to the next multiple of a side."""
    import torch

    steps = torch.arange(-(-side // multiple) * multiple, device=images.device)
    if not reflect or side == 1:
        return steps.clamp(max=side - 1)
    period = 2 * (side - 1)
    return torch.minimum(steps % period, period - steps % period)
