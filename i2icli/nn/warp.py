"""Images moved by optical flow."""

import torch
from torch import Tensor
from torch.nn.functional import grid_sample


def warp(images: Tensor, flow: Tensor) -> Tensor:
    """images: (B, C, H, W), flow: (B, 2, H, W) in pixels, x before y -> (B, C, H, W).

    Backwards: every pixel is sampled at its position plus its flow, bilinearly, beyond the border at the
    nearest pixel of it. So an earlier frame and the flow from a later frame to it give the later one. Whole
    numbers hit pixels (align_corners). Positions have float32 at least: 16 bits do not count pixels.
    """
    kind = torch.promote_types(torch.promote_types(images.dtype, flow.dtype), torch.float32)
    moved = grid_sample(
        images.to(kind), positions(flow.to(kind)), "bilinear", "border", align_corners=True
    )  # (B, C, H, W)
    return moved.to(images.dtype)


def positions(flow: Tensor) -> Tensor:
    """(B, 2, H, W) in pixels -> (B, H, W, 2): where to sample, -1 and 1 being the outermost pixels."""
    height, width = flow.shape[-2:]
    x = _line(width, flow) + flow[:, 0] * (2 / max(1, width - 1))  # (B, H, W)
    y = _line(height, flow)[:, None] + flow[:, 1] * (2 / max(1, height - 1))  # (B, H, W)
    return torch.stack([x, y], -1)


def _line(side: int, like: Tensor) -> Tensor:
    """(side,): evenly from -1 to 1."""
    if torch.compiler.is_exporting():  # linspace would fix the side
        return torch.arange(side, dtype=like.dtype, device=like.device) * (2 / max(1, side - 1)) - 1
    return torch.linspace(-1, 1, side, dtype=like.dtype, device=like.device)
