"""Pixelwise feature vector normalisation."""

import torch
from torch import Tensor


def pixel_norm(x: Tensor) -> Tensor:
    """x / sqrt(mean of squares over channels + 1e-8); (B, C) or (B, C, H, W), of any dtype.

    Karras et al., "Progressive Growing of GANs", ICLR 2018, section 4.2, https://arxiv.org/abs/1710.10196.
    """
    wide = x if x.dtype is torch.float64 else x.float()  # squares overflow in 16 bits
    return x * torch.rsqrt(wide.square().mean(dim=1, keepdim=True) + 1e-8).to(x.dtype)
