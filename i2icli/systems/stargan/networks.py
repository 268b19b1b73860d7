"""StarGAN's two networks: one generator told what to make, one discriminator that also classifies."""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from i2icli.nn.blocks import ConvNorm
from i2icli.nn.norm import per_image
from i2icli.nn.upsampling import Upsampling, build_doubling

_SLOPE = 0.01  # of the discriminator's leaky ReLU


class AffineInstanceNorm(nn.Module):
    """Instance norm with a learned scale and shift, always by the statistics of the image itself.

    The authors' layer also gathers running statistics, which their test program never uses
    (it stays in training mode); using them would change the images.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        """x: (B, C, H, W). The same shape comes back."""
        return per_image(x, self.weight, self.bias)


class _Block(nn.Module):
    """Two 3x3 convolutions with zero borders whose result is added to their input."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = _conv(channels, channels, 3)
        self.relu = nn.ReLU(inplace=True)
        self.second = _conv(channels, channels, 3)

    def forward(self, x: Tensor) -> Tensor:
        """x: (B, C, H, W). The same shape comes back."""
        return x + self.second(self.relu(self.first(x)))  # type: ignore[no-any-return]


class Generator(nn.Module):
    """Repaint an image as a label vector says, which lies beside its colours as constant planes.

    Choi et al., CVPR 2018, appendix 7.2, table 4. Borders are zeros: reflected ones would leave
    the label planes constant up to the edge, and the first instance norm would remove them.
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
        self.down = nn.ModuleList([_half(width), _half(2 * width)])
        self.blocks = nn.Sequential(*(_Block(4 * width) for _ in range(num_blocks)))
        self.up = nn.ModuleList([_double(4 * width, upsampling), _double(2 * width, upsampling)])
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
    """Score patches as real or fake, and tell the labels of the whole image.

    Choi et al., CVPR 2018, appendix 7.2, table 5. The last layer spans the whole image, so the network
    is made for one size.
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
        rest = (size[0] // 2**num_layers, size[1] // 2**num_layers)
        self.score = nn.Conv2d(widths[-1], 1, 3, padding=1, bias=False)
        self.classify = nn.Conv2d(widths[-1], num_labels, rest, bias=False)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """x: (B, C, H, W) -> raw scores (B, 1, H/2^n, W/2^n), and logits of the labels (B, L)."""
        for layer in self.layers:
            x = leaky_relu(layer(x), _SLOPE)  # (B, 2C, H/2, W/2)
        return self.score(x), self.classify(x).flatten(1)  # (B, 1, h, w), (B, L)


def _conv(before: int, after: int, kernel: int) -> ConvNorm:
    """The same size, zeros around; no bias, as the norm brings one."""
    conv = nn.Conv2d(before, after, kernel, padding=kernel // 2, bias=False)
    return ConvNorm(conv, AffineInstanceNorm(after))


def _half(channels: int) -> ConvNorm:
    conv = nn.Conv2d(channels, 2 * channels, 4, stride=2, padding=1, bias=False)
    return ConvNorm(conv, AffineInstanceNorm(2 * channels))


def _double(channels: int, upsampling: Upsampling) -> ConvNorm:
    conv = build_doubling(upsampling, channels, channels // 2, kernel=4, bias=False)
    return ConvNorm(conv, AffineInstanceNorm(channels // 2))
