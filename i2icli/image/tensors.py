"""Pixels as tensors, for training. torch loads with the first call."""

from typing import TYPE_CHECKING

from i2icli.image.arrays import to_array
from i2icli.image.decoded import Pixels

if TYPE_CHECKING:
    from torch import Tensor


def to_tensor(pixels: Pixels) -> "Tensor":
    """(H, W, C) uint8, uint16 or float32 -> (C, H, W) float32; integers become [-1, 1], floats stay."""
    import torch

    # Converted in numpy: torch would start a team of threads inside every thread that reads images.
    return torch.from_numpy(to_array(pixels))
