"""Learned features of residuals: a small convolutional network, stored as plain arrays.

Its first layers have strides of 2, down to cells of 8x8 pixels: every output sees the cells of JPEG and of
stride-2 layers in the same phase, and the mean over all of them keeps what repeats and loses what does not.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

PLANES = 3
MAX_WIDTH = 512  # channels of a stored network
_LEVELS = 4.0  # grey levels that a residual is compressed around
_LEAST = 1e-3  # added to variances


class ResidualNet(nn.Module):
    """High-pass filtered planes (B, 3, H, W) in levels of 255 -> log odds of a fake, (B,)."""

    def __init__(self, widths: Sequence[int] = (24, 48, 64, 64)) -> None:
        """widths: channels of the convolutions; the first three have stride 2."""
        super().__init__()
        self.convolutions = nn.ModuleList(
            nn.Conv2d(inner, outer, 5 if index == 0 else 3, stride=2 if index < 3 else 1, padding="valid")
            for index, (inner, outer) in enumerate(zip((PLANES, *widths), widths, strict=False))
        )
        self.last = nn.Linear(2 * widths[-1], 1)

    def forward(self, residual: Tensor) -> Tensor:
        """Sides of at least 64 px."""
        values: Tensor = torch.asinh(residual / _LEVELS)
        for convolution in self.convolutions:
            values = torch.relu(convolution(values))
        variance, mean = torch.var_mean(values, (2, 3))  # (B, C)
        odds: Tensor = self.last(torch.cat([mean, torch.log(variance + _LEAST)], 1))
        return odds[:, 0]  # (B,)
