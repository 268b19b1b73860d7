"""A small network that names the class of every pixel."""

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, max_pool2d, relu

from i2icli.nn.blocks import ConvNorm

LEVELS = 4


class SegmentationNetwork(nn.Module):
    """A U-Net with batch norm: two convolutions at each of four sizes on the way down and on the way up.

    Ronneberger et al., "U-Net: Convolutional Networks for Biomedical Image Segmentation", MICCAI 2015,
    https://arxiv.org/abs/1505.04597, with padded convolutions, which keep the size, and narrow enough for a
    processor.
    """

    def __init__(self, channels: int, classes: int, width: int = 16) -> None:
        """channels: of the images; width: channels at full size, doubled at each smaller size."""
        super().__init__()
        widths = [width * 2**level for level in range(LEVELS)]
        below = [channels, *widths]
        self.down = nn.ModuleList(_two(below[level], widths[level]) for level in range(LEVELS))
        self.up = nn.ModuleList(
            _two(widths[level] + widths[level + 1], widths[level]) for level in reversed(range(LEVELS - 1))
        )
        self.head = nn.Conv2d(width, classes, 1)

    def forward(self, images: Tensor) -> Tensor:
        """images: (B, C, H, W) in [-1, 1], any size -> (B, classes, H, W), logits."""
        x, skips = images, []
        for level, down in enumerate(self.down):
            if level:
                skips.append(x)
                x = max_pool2d(x, 2, ceil_mode=True)  # (B, c, h/2, w/2)
            x = down(x)  # (B, 2c, h/2, w/2)
        for up in self.up:
            skip = skips.pop()
            x = interpolate(x, size=skip.shape[2:])  # (B, 2c, h, w)
            x = up(torch.cat([skip, x], 1))  # (B, c, h, w)
        return self.head(x)  # type: ignore[no-any-return]


class _Two(nn.Sequential):
    def forward(self, x: Tensor) -> Tensor:
        for conv in self:
            x = relu(conv(x))
        return x


def _two(source: int, target: int) -> nn.Module:
    """Two convolutions with batch norm and ReLU."""
    return _Two(
        *(
            ConvNorm(nn.Conv2d(channels, target, 3, padding=1, bias=False), nn.BatchNorm2d(target))
            for channels in (source, target)
        )
    )
