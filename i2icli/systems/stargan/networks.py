"""StarGAN's two networks: a generator conditioned on labels, and a discriminator that also classifies."""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from i2icli.nn.blocks import ConvNorm
from i2icli.nn.norm import AffineInstanceNorm
from i2icli.nn.upsampling import Upsampling, build_upsampling

_SLOPE = 0.01  # of the discriminator's leaky ReLU


class _ResidualBlock(nn.Module):
    """A residual block of two 3x3 convolutions with zero padding."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = _conv(channels, channels, 3)
        self.relu = nn.ReLU(inplace=True)
        self.second = _conv(channels, channels, 3)

    def forward(self, x: Tensor) -> Tensor:
        """x: (B, C, H, W) -> the same shape."""
        return x + self.second(self.relu(self.first(x)))  # type: ignore[no-any-return]


class Generator(nn.Module):
    """Translates an image according to a label vector, concatenated to its channels as constant planes.

    Choi et al., CVPR 2018, appendix 7.2, table 4. Zero padding: with reflection the label planes would be
    constant up to the border, and the first instance norm would remove them. The authors' instance norms
    also track running statistics, which their test code never uses as it stays in training mode.
    """

    multiple = 4
    """Sides of the input must be multiples of this."""

    def __init__(
        self,
        channels: int,
        num_labels: int,
        width: int = 64,
        num_blocks: int = 6,
        upsampling: Upsampling = "transposed",
    ) -> None:
        super().__init__()
        self.stem = _conv(channels + num_labels, width, 7)
        self.down = nn.ModuleList([_downsample(width), _downsample(2 * width)])
        self.blocks = nn.Sequential(*(_ResidualBlock(4 * width) for _ in range(num_blocks)))
        self.up = nn.ModuleList([_upsample(4 * width, upsampling), _upsample(2 * width, upsampling)])
        self.head = nn.Conv2d(width, channels, 7, padding=3, bias=False)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor, label: Tensor) -> Tensor:
        """x: (B, C, H, W), sides multiples of 4, label: (B, L) -> (B, C, H, W) in [-1, 1]."""
        planes = label.to(x.dtype)[:, :, None, None].expand(-1, -1, *x.shape[2:])  # (B, L, H, W)
        x = torch.cat([x, planes], dim=1)  # (B, C + L, H, W)
        x = self.relu(self.stem(x))  # (B, width, H, W)
        for down in self.down:
            x = self.relu(down(x))  # (B, 2 width, H/2, W/2), then (B, 4 width, H/4, W/4)
        x = self.blocks(x)
        for up in self.up:
            x = self.relu(up(x))  # (B, 2 width, H/2, W/2), then (B, width, H, W)
        return self.head(x).tanh()  # type: ignore[no-any-return]


class Discriminator(nn.Module):
    """Scores patches as real or fake, and classifies the whole image.

    Choi et al., CVPR 2018, appendix 7.2, table 5. The last layer spans the whole image, so the network
    is built for one size.
    """

    def __init__(
        self, channels: int, num_labels: int, size: tuple[int, int], width: int = 64, num_layers: int = 6
    ) -> None:
        """size: (height, width) of the images in pixels, both multiples of 2^num_layers."""
        super().__init__()
        widths = [channels, *(width * 2**layer for layer in range(num_layers))]
        self.layers = nn.ModuleList(
            nn.Conv2d(before, after, 4, stride=2, padding=1) for before, after in pairwise(widths)
        )
        last = (size[0] // 2**num_layers, size[1] // 2**num_layers)
        self.score = nn.Conv2d(widths[-1], 1, 3, padding=1, bias=False)
        self.classify = nn.Conv2d(widths[-1], num_labels, last, bias=False)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """x: (B, C, H, W) -> raw scores (B, 1, H/2^n, W/2^n), and logits of the labels (B, L)."""
        for layer in self.layers:
            x = leaky_relu(layer(x), _SLOPE)  # (B, 2C, H/2, W/2)
        return self.score(x), self.classify(x).flatten(1)  # (B, 1, h, w), (B, L)


def _conv(before: int, after: int, kernel: int) -> ConvNorm:
    """Zero padding keeps the size; no bias, as the norm has one."""
    conv = nn.Conv2d(before, after, kernel, padding=kernel // 2, bias=False)
    return ConvNorm(conv, AffineInstanceNorm(after))


def _downsample(channels: int) -> ConvNorm:
    conv = nn.Conv2d(channels, 2 * channels, 4, stride=2, padding=1, bias=False)
    return ConvNorm(conv, AffineInstanceNorm(2 * channels))


def _upsample(channels: int, upsampling: Upsampling) -> ConvNorm:
    conv = build_upsampling(upsampling, channels, channels // 2, kernel=4, bias=False)
    return ConvNorm(conv, AffineInstanceNorm(channels // 2))
