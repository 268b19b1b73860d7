"""Spatially-adaptive normalisation, and the residual block that is made of it.

Park et al., "Semantic Image Synthesis with Spatially-Adaptive Normalization", CVPR 2019, section 3 and
appendix A, https://arxiv.org/abs/1903.07291.
"""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu, relu

from i2icli.nn.label_conv import LabelConv2d, LabelPlanes
from i2icli.nn.memory_layout import laid_out
from i2icli.nn.norm import InstanceNorm, SyncedBatchNorm
from i2icli.nn.spectral_norm import SpectralConv2d


@dataclass(frozen=True)
class Modulation:
    """What the layers of a network have in common."""

    label_channels: int  # planes of the label map
    hidden: int = 128  # channels between label map and modulation
    kernel: int = 3  # side of the kernels that read the label map
    norm: Literal["batch", "instance"] = "batch"
    spectral: bool = True  # whether convolutions of features are normalised


class SPADE(nn.Module):
    """Normalise features, then scale and shift every pixel as the label map says: Eq. (1) and (2)."""

    def __init__(self, channels: int, modulation: Modulation) -> None:
        super().__init__()
        hidden, kernel = modulation.hidden, modulation.kernel
        self.norm = SyncedBatchNorm(channels) if modulation.norm == "batch" else InstanceNorm()
        self.shared = LabelConv2d(modulation.label_channels, hidden, kernel)
        # The paper's gamma and beta, as one convolution: it reads its input once.
        self.gamma_beta = nn.Conv2d(hidden, 2 * channels, kernel, padding=kernel // 2)

    def forward(self, x: Tensor, labels: LabelPlanes) -> Tensor:
        """x: (B, C, H, W), labels: of B rows or 1, of a size divisible by (H, W) -> the shape of x."""
        hidden = relu(self.shared(labels.at((x.shape[2], x.shape[3]))))  # (B or 1, hidden, H, W)
        both = self.gamma_beta(laid_out(hidden, self.gamma_beta.weight))  # (B or 1, 2C, H, W)
        gamma, beta = both.chunk(2, dim=1)  # (B or 1, C, H, W) each
        return torch.addcmul(beta, self.norm(x), 1 + gamma)


class SPADEBlock(nn.Module):
    """A residual block whose norms follow the label map: appendix A, figure 12.

    Where the number of channels changes, the shortcut has a 1x1 convolution of its own.
    """

    def __init__(self, in_channels: int, out_channels: int, modulation: Modulation) -> None:
        super().__init__()
        middle = min(in_channels, out_channels)
        self.norm_0, self.norm_1 = SPADE(in_channels, modulation), SPADE(middle, modulation)
        self.conv_0 = conv(in_channels, middle, 3, spectral=modulation.spectral)
        self.conv_1 = conv(middle, out_channels, 3, spectral=modulation.spectral)
        self.norm_s: SPADE | None = None
        if in_channels != out_channels:
            self.norm_s = SPADE(in_channels, modulation)
            self.conv_s = conv(in_channels, out_channels, 1, spectral=modulation.spectral, bias=False)

    def forward(self, x: Tensor, labels: LabelPlanes) -> Tensor:
        """x: (B, C, H, W), labels: of B rows or 1, of a size divisible by (H, W) -> (B, C', H, W)."""
        x = laid_out(x, self.conv_0.weight)
        hidden = self.conv_0(leaky_relu(self.norm_0(x, labels), 0.2))  # (B, min(C, C'), H, W)
        hidden = self.conv_1(leaky_relu(self.norm_1(hidden, labels), 0.2))  # (B, C', H, W)
        shortcut = x if self.norm_s is None else self.conv_s(self.norm_s(x, labels))
        return shortcut + hidden  # type: ignore[no-any-return]


def conv(
    in_channels: int,
    out_channels: int,
    kernel: int,
    *,
    stride: int = 1,
    padding: int | None = None,
    spectral: bool = True,
    bias: bool = True,
) -> nn.Conv2d:
    """A convolution, its weight normalised or not; padding: half of an odd kernel if None."""
    padding = kernel // 2 if padding is None else padding
    if spectral:
        return SpectralConv2d(in_channels, out_channels, kernel, stride=stride, padding=padding, bias=bias)
    return nn.Conv2d(in_channels, out_channels, kernel, stride=stride, padding=padding, bias=bias)
