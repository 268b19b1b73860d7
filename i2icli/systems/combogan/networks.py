"""ComboGAN's networks: CycleGAN's generator split into encoder and decoder, and two-branch discriminators.

Anoosheh et al., "ComboGAN: Unrestrained Scalability for Image Domain Translation", 2017,
https://arxiv.org/abs/1712.06909, section 3. What the paper does not specify follows the authors' code:
activations are PReLU with one weight, up-sampling kernels are 4x4.
"""

from collections.abc import Iterable
from itertools import pairwise
from math import exp

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d

from i2icli.nn.norm import Norm, Statistics, build_norm, needs_bias
from i2icli.nn.padding import ReflectConv2d, ReflectHead
from i2icli.nn.prelu import PReLU
from i2icli.nn.upsampling import Upsampling, build_upsampling

_LUMINANCE = (0.299, 0.587, 0.114)  # of red, green and blue
_BLUR_SIDE, _BLUR_SIGMA = 5, 3.0


class Layer(nn.Module):
    """A convolution, a norm and a PReLU."""

    def __init__(
        self, conv: nn.Conv2d | nn.ConvTranspose2d, norm: Norm, statistics: Statistics = "image"
    ) -> None:
        super().__init__()
        self.conv = conv
        self.norm = build_norm(norm, conv.out_channels, statistics)
        self.activation = PReLU()

    def forward(self, x: Tensor) -> Tensor:
        """x: (B, C, H, W) -> (B, C', H', W') as the convolution decides."""
        return self.activation(self.norm(self.conv(x)))  # type: ignore[no-any-return]


class PReLUResidualBlock(nn.Module):
    """A residual block, optionally conditioned on the domain by one constant plane per domain."""

    def __init__(self, channels: int, norm: Norm, statistics: Statistics, num_domains: int = 0) -> None:
        """num_domains: number of planes; 0: unconditional."""
        super().__init__()
        bias, inputs = needs_bias(norm), channels + num_domains
        self.first = Layer(ReflectConv2d(inputs, channels, 3, bias=bias), norm, statistics)
        self.second = ReflectConv2d(inputs, channels, 3, bias=bias)
        self.norm = build_norm(norm, channels, statistics)

    def forward(self, x: Tensor, domain: Tensor | None = None) -> Tensor:
        """x: (B, C, H, W), domain: (num_domains,) -> (B, C, H, W)."""
        hidden = self.first(_with_domain(x, domain))
        return x + self.norm(self.second(_with_domain(hidden, domain)))  # type: ignore[no-any-return]


def _with_domain(x: Tensor, domain: Tensor | None) -> Tensor:
    """x: (B, C, H, W), domain: (n,) -> (B, C + n, H, W) with a constant plane per domain."""
    if domain is None:
        return x
    planes = domain.to(x.dtype)[None, :, None, None].expand(x.shape[0], -1, *x.shape[2:])  # (B, n, H, W)
    return torch.cat([x, planes], dim=1)


def _residual_blocks(count: int, channels: int, norm: Norm, statistics: Statistics) -> nn.Sequential:
    return nn.Sequential(*(PReLUResidualBlock(channels, norm, statistics) for _ in range(count)))


class Encoder(nn.Module):
    """Encodes images of one domain into the latent space shared by all domains."""

    def __init__(
        self, channels: int, width: int, num_blocks: int, norm: Norm, statistics: Statistics = "image"
    ) -> None:
        super().__init__()
        bias = needs_bias(norm)
        self.stem = Layer(ReflectConv2d(channels, width, 7, bias=bias), norm, statistics)
        self.down = nn.Sequential(
            *(
                Layer(nn.Conv2d(size, 2 * size, 3, stride=2, padding=1, bias=bias), norm, statistics)
                for size in (width, 2 * width)
            )
        )
        self.blocks = _residual_blocks(num_blocks, 4 * width, norm, statistics)

    def forward(self, x: Tensor) -> Tensor:
        """x: (B, C, H, W), sides multiples of 4, from 8 -> (B, 4 width, H/4, W/4)."""
        return self.blocks(self.down(self.stem(x)))  # type: ignore[no-any-return]


class Decoder(nn.Module):
    """Decodes the shared latent space into images of one domain."""

    def __init__(
        self,
        channels: int,
        width: int,
        num_blocks: int,
        norm: Norm,
        statistics: Statistics = "image",
        upsampling: Upsampling = "transposed",
    ) -> None:
        super().__init__()
        bias = needs_bias(norm)
        self.blocks = _residual_blocks(num_blocks, 4 * width, norm, statistics)
        self.up = nn.Sequential(
            *(
                Layer(build_upsampling(upsampling, size, size // 2, kernel=4, bias=bias), norm, statistics)
                for size in (4 * width, 2 * width)
            )
        )
        self.head = ReflectHead(width, channels, 7)

    def forward(self, x: Tensor) -> Tensor:
        """x: (B, 4 width, h, w) -> (B, C, 4h, 4w) in [-1, 1]."""
        return self.head(self.up(self.blocks(x))).tanh()  # type: ignore[no-any-return]


class SharedBlocks(nn.Module):
    """Residual blocks shared by all domains; the identity if there are none."""

    def __init__(
        self, channels: int, num_blocks: int, num_domains: int, norm: Norm, statistics: Statistics = "image"
    ) -> None:
        super().__init__()
        self.num_domains = num_domains
        self.blocks = nn.ModuleList(
            PReLUResidualBlock(channels, norm, statistics, num_domains) for _ in range(num_blocks)
        )

    def forward(self, x: Tensor, domain: int) -> Tensor:
        """x: (B, C, h, w), domain: its index -> (B, C, h, w)."""
        if len(self.blocks):
            label = torch.full((self.num_domains,), -1.0, device=x.device)
            label[domain] = 1.0
            for block in self.blocks:
                x = block(x, label)
        return x


class Discriminator(nn.Module):
    """Scores the luminance of an image and, in a separate branch, its blurred colours, at several depths."""

    def __init__(self, channels: int, width: int, num_layers: int, norm: Norm) -> None:
        super().__init__()
        self.gray = _Branch(1, width, num_layers, norm)
        self.colour = _Branch(channels, width, num_layers, norm)
        self.kernel: Tensor
        self.register_buffer("kernel", blur_kernel(), persistent=False)

    def forward(self, x: Tensor) -> list[Tensor]:
        """x: (B, C, H, W) -> scores (B, 1, 2 h, w) per depth, shallowest first: both branches, stacked."""
        both = zip(self.gray(luminance(x)), self.colour(blur(x, self.kernel)), strict=True)
        return [torch.cat(pair, dim=2) for pair in both]  # (B, 1, 2 h, w) each


class _Branch(nn.Module):
    """A patch discriminator with intermediate scores: one channel of every hidden layer is a score."""

    def __init__(self, channels: int, width: int, num_layers: int, norm: Norm) -> None:
        super().__init__()
        widths = [width * min(2**layer, 8) for layer in range(num_layers + 1)]
        bias = needs_bias(norm)
        self.stem = Layer(nn.Conv2d(channels, width, 4, stride=2, padding=2), "none")
        self.layers = nn.ModuleList(
            Layer(nn.Conv2d(before, after + 1, 4, stride=2, padding=2, bias=bias), norm)
            for before, after in pairwise(widths[:-1])
        )
        self.last = Layer(nn.Conv2d(widths[-2], widths[-1], 4, padding=2, bias=bias), norm)
        self.head = nn.Conv2d(widths[-1], 1, 4, padding=2)

    def forward(self, x: Tensor) -> list[Tensor]:
        """x: (B, C, H, W) -> scores (B, 1, h, w) per depth, shallowest first."""
        scores: list[Tensor] = []
        x = self.stem(x)  # (B, width, H/2 + 1, W/2 + 1)
        for layer in self.layers:
            x = layer(x)  # (B, 2 C + 1, h/2 + 1, w/2 + 1)
            scores.append(x[:, -1:])
            x = x[:, :-1]
        return [*scores, self.head(self.last(x))]  # the last one: (B, 1, h + 2, w + 2)


def luminance(x: Tensor) -> Tensor:
    """x: (B, C, H, W) -> (B, 1, H, W): luminance of RGB images, otherwise the mean of the channels."""
    if x.shape[1] != 3:
        return x.mean(dim=1, keepdim=True)
    red, green, blue = _LUMINANCE
    return red * x[:, :1] + green * x[:, 1:2] + blue * x[:, 2:]


def blur(x: Tensor, kernel: Tensor) -> Tensor:
    """x: (B, C, H, W), kernel: (k, k), k odd -> (B, C, H, W), with zero padding."""
    channels, side = x.shape[1], kernel.shape[0]
    weight = kernel.to(x.dtype).expand(channels, 1, side, side)  # (C, 1, k, k)
    return conv2d(x, weight, padding=side // 2, groups=channels)


def blur_kernel() -> Tensor:
    """(5, 5): a Gaussian of sigma 3 reflected at the borders, so nearly flat; sums to 1."""
    row = _reflected(range(-4 * int(_BLUR_SIGMA), 4 * int(_BLUR_SIGMA) + 1))
    return torch.tensor([[down * across for across in row] for down in row])  # (5, 5)


def _reflected(offsets: Iterable[int]) -> list[float]:
    """A Gaussian around the middle of a row, reflected repeatedly at both ends."""
    row = [0.0] * _BLUR_SIDE
    for offset in offsets:
        index = (_BLUR_SIDE // 2 + offset) % (2 * _BLUR_SIDE)
        row[min(index, 2 * _BLUR_SIDE - 1 - index)] += exp(-0.5 * (offset / _BLUR_SIGMA) ** 2)
    return [value / sum(row) for value in row]
