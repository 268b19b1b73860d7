"""The U-Net generator of pix2pix."""

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu, relu

from i2icli.nn.blocks import ConvNorm
from i2icli.nn.dropout import NoiseDropout, Planes
from i2icli.nn.norm import Norm, Statistics, build_norm, needs_bias
from i2icli.nn.upsampling import Upsampling, build_upsampling


class UNetGenerator(nn.Module):
    """Halve the image `depth` times and double it as often; each size hands its features across.

    Isola et al., "Image-to-Image Translation with Conditional Adversarial Networks", CVPR 2017,
    appendix 6.1.1, https://arxiv.org/abs/1611.07004: depth 8 for 256 px. The widths are width,
    2 width, 4 width, 8 width and then stay. Dropout acts on the doublings between two layers of
    8 width, the innermost one excepted, as in the authors' PyTorch code; so there is none when
    depth is below 6.
    """

    def __init__(
        self,
        in_channels: int = 3,
        out_channels: int = 3,
        width: int = 64,
        depth: int = 8,
        norm: Norm = "batch",
        dropout: float = 0.5,
        statistics: Statistics = "image",
        upsampling: Upsampling = "transposed",
    ) -> None:
        """depth: at least 2. statistics of batch norm: see nn.norm; upsampling: see nn.upsampling."""
        super().__init__()
        bias = needs_bias(norm)
        widths = [width * min(2**level, 8) for level in range(depth)]

        def half(source: int, target: int, norm: Norm) -> ConvNorm:
            conv = nn.Conv2d(source, target, 4, stride=2, padding=1, bias=bias)
            return ConvNorm(conv, build_norm(norm, target, statistics))

        def double(source: int, target: int) -> ConvNorm:
            conv = build_upsampling(upsampling, source, target, kernel=4, bias=bias)
            return ConvNorm(conv, build_norm(norm, target, statistics))

        # No norm beside the image, nor at the bottom, where a single pixel may be left.
        down = [half(in_channels, width, "none")]
        down += [half(widths[level - 1], widths[level], norm) for level in range(1, depth - 1)]
        down += [half(widths[-2], widths[-1], "none")]
        up = [double(widths[-1], widths[-2])]
        up += [double(2 * widths[level], widths[level - 1]) for level in range(depth - 2, 0, -1)]

        self.multiple = 2**depth
        self.feature_channels = 2 * width
        self.down = nn.ModuleList(down)
        self.up = nn.ModuleList(up)  # innermost first
        self.dropout = nn.ModuleList(
            NoiseDropout(dropout if 4 <= level < depth - 1 else 0.0) for level in range(depth - 1, 0, -1)
        )
        self.head = build_upsampling(upsampling, 2 * width, out_channels, kernel=4)

    def forward(self, x: Tensor, noise: Planes = ()) -> Tensor:
        """x: (B, in_channels, H, W), H and W multiples of 2^depth -> (B, out_channels, H, W) in [-1, 1].

        noise: of each dropout, innermost first, see nn.dropout.
        """
        return self.to_image(self.features(x, noise))

    def features(self, x: Tensor, noise: Planes = ()) -> Tensor:
        """x as `forward` takes it -> (B, 2 width, H/2, W/2): what the last layer makes the output of."""
        planes = iter(noise)
        x = self.down[0](x)  # (B, width, H/2, W/2)
        skips = []
        for down in self.down[1:]:
            skips.append(x)
            x = down(leaky_relu(x, 0.2))  # (B, up to 8 width, h/2, w/2)
        for up, dropout in zip(self.up, self.dropout, strict=True):
            plane = next(planes, None) if dropout.probability else None
            x = dropout(up(relu(x)), plane)  # (B, C, 2h, 2w)
            x = torch.cat([skips.pop(), x], dim=1)  # (B, 2C, 2h, 2w)
        return relu(x)

    def to_image(self, features: Tensor) -> Tensor:
        """features: (B, 2 width, H/2, W/2) -> (B, out_channels, H, W) in [-1, 1]."""
        return self.head(features).tanh()  # type: ignore[no-any-return]
