"""Normalisation layers. Every network asks here, so that their speed is tuned in one place."""

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

Norm = Literal["batch", "instance", "none"]
Statistics = Literal["image", "running"]


class InstanceNorm(nn.Module):
    """Normalise every channel of every image by its own mean and variance; nothing is learned.

    Ulyanov et al., "Instance Normalization: The Missing Ingredient for Fast Stylization",
    2016, https://arxiv.org/abs/1607.08022. Epsilon 1e-5, biased variance.
    """

    def forward(self, x: Tensor) -> Tensor:
        """x: (B, C, H, W). The same shape comes back."""
        return per_image(x)


class BatchNorm(nn.BatchNorm2d):
    """Batch normalisation whose answer for an image does not depend on the other images beside it.

    In training this is the ordinary layer. In evaluation it uses either the statistics of each
    image alone ("image": what the pix2pix paper, section 3.3, does at batch size 1) or the
    averages gathered in training ("running").
    """

    def __init__(self, channels: int, statistics: Statistics = "image") -> None:
        super().__init__(channels)
        self.statistics = statistics

    def forward(self, x: Tensor) -> Tensor:
        """x: (B, C, H, W). The same shape comes back."""
        if self.training or self.statistics == "running":
            return super().forward(x)
        return per_image(x, self.weight, self.bias)


def per_image(x: Tensor, weight: Tensor | None = None, bias: Tensor | None = None) -> Tensor:
    """Instance normalisation by the fastest operation that computes it; epsilon 1e-5, biased variance.

    x: (B, C, H, W), weight and bias: (C,). The library's `instance_norm` is slower than both:
    `group_norm` with a group per channel, and, as that has a very slow gradient in the
    channels-last layout of a CPU, there `batch_norm` of one image after the other.
    """
    learning = x.requires_grad and torch.is_grad_enabled()
    if learning and x.device.type == "cpu" and not x.is_contiguous():
        images = torch.split(x, 1)  # B times (1, C, H, W)
        return torch.cat([functional.batch_norm(image, None, None, weight, bias, True) for image in images])
    return functional.group_norm(x, x.shape[1], weight, bias)


def build_norm(norm: Norm, channels: int, statistics: Statistics = "image") -> nn.Module:
    """The normalisation layer of that name for so many channels; `statistics` matters to batch norm only."""
    if norm == "batch":
        return BatchNorm(channels, statistics)
    return InstanceNorm() if norm == "instance" else nn.Identity()


def needs_bias(norm: Norm) -> bool:
    """Whether a convolution in a network with this norm has a bias: batch norm brings its own."""
    return norm != "batch"
