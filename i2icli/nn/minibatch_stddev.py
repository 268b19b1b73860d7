"""Minibatch standard deviation, as an additional channel."""

import torch
from torch import Tensor


def append_deviation(x: Tensor, group_size: int, *, consecutive: bool = False) -> Tensor:
    """(B, C, H, W) -> (B, C + 1, H, W): the mean standard deviation of all features within a group of images.

    Groups have `group_size` images, strided over the batch; if that does not divide it, the batch is one
    group. With `consecutive`, groups are consecutive images and variances unbiased, as in the PyTorch
    re-implementation. Karras et al., "Progressive Growing of GANs", ICLR 2018, section 3,
    https://arxiv.org/abs/1710.10196.
    """
    size, _, height, width = x.shape
    group = min(group_size, size)
    if size % group:
        group = size
    if consecutive and group == 1:
        return torch.cat([x, x.new_zeros(size, 1, height, width)], dim=1)
    wide = x if x.dtype is torch.float64 else x.float()
    grouped = (
        wide.reshape(size // group, group, -1)
        if consecutive
        else (wide.reshape(group, size // group, -1).transpose(0, 1))
    )  # (groups, group, C H W)
    variance = grouped.var(dim=1, correction=1 if consecutive else 0)  # (groups, C H W)
    deviation = (variance + 1e-8).sqrt().mean(dim=1)  # (groups,)
    each = deviation.repeat_interleave(group) if consecutive else deviation.repeat(group)  # (B,)
    channel = each.to(x.dtype)[:, None, None, None].expand(-1, 1, height, width)  # (B, 1, H, W)
    return torch.cat([x, channel], dim=1)
