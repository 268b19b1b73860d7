"""Generators that keep the full resolution and output a change to their input.

Chang et al., "PairedCycleGAN", CVPR 2018; its networks follow Yu, Koltun and Funkhouser, "Dilated Residual
Networks", CVPR 2017, https://arxiv.org/abs/1705.09914.
"""

import torch
from torch import Tensor, nn

from i2icli.nn.norm import Norm, build_norm, needs_bias
from i2icli.nn.padding import ReflectConv2d, ReflectHead, reflect

DILATIONS = (1, 2, 4)  # of the residual blocks
LAST_DILATION = 2  # of the convolution behind them
FIRST_CHANGE = 0.1  # of what the usual weights would give


class DilatedConv2d(nn.Conv2d):
    """A 3x3 convolution with holes that keeps the image's size by reflecting its borders."""

    def __init__(self, channels: int, dilation: int, *, bias: bool) -> None:
        super().__init__(channels, channels, 3, dilation=dilation, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        """x: (B, C, H, W), sides larger than the dilation. The same shape comes back."""
        return super().forward(reflect(x, self.dilation[0]))


class DilatedBlock(nn.Module):
    """Two dilated convolutions whose result is added to their input.

    The norm is inside the branch only, so that the colours of a whole image, which a norm would take
    away, still reach the end of the network.
    """

    def __init__(self, channels: int, dilation: int, norm: Norm) -> None:
        super().__init__()
        bias = needs_bias(norm)
        self.first = DilatedConv2d(channels, dilation, bias=bias)
        self.first_norm = build_norm(norm, channels)
        self.second = DilatedConv2d(channels, dilation, bias=bias)
        self.second_norm = build_norm(norm, channels)

    def forward(self, x: Tensor) -> Tensor:
        """x: (B, C, H, W), sides larger than the dilation. The same shape comes back."""
        hidden = self.first_norm(self.first(x)).relu()
        return x + self.second_norm(self.second(hidden))  # type: ignore[no-any-return]


class DeltaGenerator(nn.Module):
    """One or several images -> the first of them, changed.

    A 7x7 feature extractor for each image, their features side by side, three dilated residual blocks,
    a dilated convolution and a last one: tanh of it is the change.
    """

    def __init__(self, channels: int, images: int, width: int, norm: Norm, scale: float = 1.0) -> None:
        """images: how many go in; width: features of each; scale: the largest change of a value."""
        super().__init__()
        self.scale = scale
        together = images * width
        self.extractors = nn.ModuleList(ReflectConv2d(channels, width, 7) for _ in range(images))
        self.blocks = nn.Sequential(*(DilatedBlock(together, dilation, norm) for dilation in DILATIONS))
        self.last = DilatedConv2d(together, LAST_DILATION, bias=True)
        self.head = ReflectHead(together, channels, 3)

    def begin_small(self) -> None:
        """Start with hardly any change: an image that is nearly kept is a better beginning than noise."""
        with torch.no_grad():
            self.head.weight.mul_(FIRST_CHANGE)

    def forward(self, image: Tensor, *others: Tensor) -> Tensor:
        """(B, C, H, W) in [-1, 1] each, sides larger than 4 -> (B, C, H, W) in [-1, 1]."""
        return (image + self.delta(image, *others)).clamp(-1, 1)

    def delta(self, image: Tensor, *others: Tensor) -> Tensor:
        """The change alone: (B, C, H, W) in [-scale, scale]."""
        both = zip(self.extractors, (image, *others), strict=True)
        x = torch.cat([extractor(each).relu() for extractor, each in both], 1)  # (B, images x width, H, W)
        x = self.last(self.blocks(x)).relu()
        return self.scale * self.head(x).tanh()  # type: ignore[no-any-return]
