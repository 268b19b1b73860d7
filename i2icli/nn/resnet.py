"""The residual generator of CycleGAN and pix2pix; pix2pixHD's global generator and its encoder."""

from itertools import zip_longest
from typing import Literal

from torch import Tensor, nn

from i2icli.nn.blocks import ConvNorm, ResidualBlock
from i2icli.nn.dropout import Planes
from i2icli.nn.norm import Norm, Statistics, build_norm, needs_bias
from i2icli.nn.padding import ReflectConv2d, ReflectHead
from i2icli.nn.upsampling import Upsampling, build_upsampling


class ResnetGenerator(nn.Module):
    """Halve the image twice, refine it in residual blocks, double it twice.

    Zhu et al., "Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks",
    ICCV 2017, appendix 7.2, https://arxiv.org/abs/1703.10593: 6 blocks for 128 px, 9 for 256 px. With a depth
    of 4 the global generator of Wang et al., CVPR 2018, section 3.1, https://arxiv.org/abs/1711.11585.
    """

    def __init__(
        self,
        in_channels: int = 3,
        out_channels: int = 3,
        width: int = 64,
        num_blocks: int = 9,
        norm: Norm = "instance",
        dropout: float = 0.0,
        statistics: Statistics = "image",
        upsampling: Upsampling = "transposed",
        depth: int = 2,
        down_padding: Literal["zeros", "reflect"] = "zeros",
    ) -> None:
        """statistics: what batch norm uses after training, see nn.norm; other norms ignore it.

        upsampling: how the image is doubled, see nn.upsampling; transposed is the paper's.
        depth: how often it is halved and doubled. down_padding: of the convolutions that halve it.
        """
        super().__init__()
        bias = needs_bias(norm)

        def half(channels: int) -> ConvNorm:
            conv = nn.Conv2d(channels, 2 * channels, 3, 2, 1, padding_mode=down_padding, bias=bias)
            return ConvNorm(conv, build_norm(norm, 2 * channels, statistics))

        def double(channels: int) -> ConvNorm:
            conv = build_upsampling(upsampling, channels, channels // 2, kernel=3, bias=bias)
            return ConvNorm(conv, build_norm(norm, channels // 2, statistics))

        stem = ReflectConv2d(in_channels, width, 7, bias=bias)
        self.feature_channels = width
        self.multiple = 2**depth  # sides of the input must be multiples of this
        self.stem = ConvNorm(stem, build_norm(norm, width, statistics))
        self.down = nn.ModuleList(half(width << level) for level in range(depth))
        self.blocks = nn.Sequential(
            *(ResidualBlock(width << depth, norm, dropout, statistics) for _ in range(num_blocks))
        )
        self.up = nn.ModuleList(double(width << level) for level in range(depth, 0, -1))
        self.head = ReflectHead(width, out_channels, 7)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor, noise: Planes = ()) -> Tensor:
        """x: (B, in_channels, H, W) -> (B, out_channels, H, W) in [-1, 1].

        Sides are multiples of 2^depth, from twice that if there are residual blocks.

        noise: of the dropout in each residual block, see nn.dropout.
        """
        return self.to_image(self.features(x, noise))

    def features(self, x: Tensor, noise: Planes = ()) -> Tensor:
        """x as `forward` takes it -> (B, width, H, W): what the last layer makes the output of."""
        x = self.relu(self.stem(x))  # (B, width, H, W)
        for down in self.down:
            x = self.relu(down(x))  # (B, 2 width, H/2, W/2), then (B, 4 width, H/4, W/4) ...
        for block, plane in zip_longest(self.blocks, noise):
            x = block(x, plane)
        for up in self.up:
            x = self.relu(up(x))  # ... (B, 2 width, H/2, W/2), then (B, width, H, W)
        return x

    def to_image(self, features: Tensor) -> Tensor:
        """features: (B, width, H, W) -> (B, out_channels, H, W) in [-1, 1]."""
        return self.head(features).tanh()  # type: ignore[no-any-return]
