"""Up-sampling layers of generators, by name."""

from typing import Literal

from torch import Tensor, nn
from torch.nn.functional import interpolate

Upsampling = Literal["transposed", "nearest", "bilinear"]
"""transposed: a transposed convolution of stride 2; the others are resize-convolutions (3x3)."""


def upsample_2x(x: Tensor) -> Tensor:
    """x: (B, C, H, W) -> (B, C, 2H, 2W) by nearest-neighbour interpolation."""
    return interpolate(x, scale_factor=2, mode="nearest")


class UpsampledConv2d(nn.Conv2d):
    """Resize-convolution: interpolate to twice the size, then convolve 3x3 with zero padding.

    Odena, Dumoulin, Olah, "Deconvolution and Checkerboard Artifacts", Distill 2016,
    https://doi.org/10.23915/distill.00003: the kernel overlaps every pixel equally often.
    """

    def __init__(
        self, in_channels: int, out_channels: int, mode: Literal["nearest", "bilinear"], bias: bool = True
    ) -> None:
        super().__init__(in_channels, out_channels, 3, padding=1, bias=bias)
        self.mode = mode

    def forward(self, x: Tensor) -> Tensor:
        """x: (B, C, H, W) -> (B, C', 2H, 2W)."""
        corners = False if self.mode == "bilinear" else None
        return super().forward(interpolate(x, scale_factor=2.0, mode=self.mode, align_corners=corners))

    def extra_repr(self) -> str:
        """Shown by print(module)."""
        return f"{self.in_channels}, {self.out_channels}, mode={self.mode}"


def build_upsampling(
    kind: Upsampling, in_channels: int, out_channels: int, *, kernel: Literal[3, 4] = 3, bias: bool = True
) -> nn.Conv2d | nn.ConvTranspose2d:
    """An up-sampling layer by name: (B, in_channels, H, W) -> (B, out_channels, 2H, 2W).

    kernel: size of a transposed convolution's kernel; 3 in CycleGAN, 4 in the U-Net of pix2pix.
    """
    if kind == "transposed":
        return nn.ConvTranspose2d(
            in_channels, out_channels, kernel, stride=2, padding=1, output_padding=4 - kernel, bias=bias
        )
    return UpsampledConv2d(in_channels, out_channels, kind, bias)
