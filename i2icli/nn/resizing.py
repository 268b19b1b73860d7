"""Images brought to another size, smoothed where they shrink."""

import torch
from torch import Tensor
from torch.nn.functional import interpolate


def resized(images: Tensor, size: tuple[int, int]) -> Tensor:
    """(B, C, H, W) -> (B, C, *size), bilinearly, averaged over all pixels that meet in one.

    In float32 at least, which every device resizes in. Images of that size come back as they are. Exported
    graphs multiply by the weights instead: runtimes do not agree about how to smooth.
    """
    symbols = not all(isinstance(side, int) for side in (*images.shape[2:], *size))
    if not symbols and images.shape[2:] == size:
        return images
    wide = images.float() if images.dtype in (torch.bfloat16, torch.float16) else images
    if torch.compiler.is_exporting():
        down, across = (_weights(images.shape[axis], size[axis - 2], wide) for axis in (2, 3))
        return down @ (wide @ across.mT)
    return interpolate(wide, size, mode="bilinear", antialias=True, align_corners=False)


def _weights(side: int, target: int, like: Tensor) -> Tensor:
    """(target, side): what every pixel counts for each new one; rows add up to 1. Sides may be symbols."""
    scale = torch.ones((), dtype=like.dtype, device=like.device) * side / target  # pixels to a new one
    pixels = torch.arange(side, dtype=like.dtype, device=like.device) + 0.5
    centres = (torch.arange(target, dtype=like.dtype, device=like.device) + 0.5) * scale
    distance = (pixels - centres[:, None]).abs() / scale.clamp(min=1)
    weights = (1 - distance).clamp(min=0)
    return weights / weights.sum(1, keepdim=True)
