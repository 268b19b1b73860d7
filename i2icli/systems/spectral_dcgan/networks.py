"""DCGAN's networks with larger convolutions at the end.

Durall et al., CVPR 2020, section 5.1, after Radford et al., "Unsupervised Representation Learning with Deep
Convolutional Generative Adversarial Networks", ICLR 2016, https://arxiv.org/abs/1511.06434. Names of weights
are those of the published program.
"""

from itertools import pairwise
from typing import Literal

from torch import Tensor, nn

from i2icli.nn.norm import BatchNorm
from i2icli.nn.upsampling import Upsampling, build_upsampling

Norm = Literal["batch", "instance", "layer", "none"]

FINAL_KERNEL = 5
SLOPE = 0.2  # of LeakyReLU below zero


class Generator(nn.Module):
    """Codes (B, Z, 1, 1) -> images (B, C, S, S) in [-1, 1], S = 4 * 2^doublings."""

    def __init__(
        self,
        num_latents: int,
        channels: int,
        width: int,
        doublings: int,
        norm: Norm,
        upsampling: Upsampling,
        final_layers: int,
        widest: int = 16,
    ) -> None:
        """final_layers: 5x5 convolutions after the last doubling, nearest then; 0: it is like the others;
        widest: times the width, no layer has more channels.
        """
        super().__init__()
        widths = [min(widest, 2**level) * width for level in reversed(range(doublings))]
        bias = norm == "none"
        start = nn.ConvTranspose2d(num_latents, widths[0], 4, bias=bias)
        layers: list[nn.Module] = [_block(start, widths[0], norm, nn.ReLU(inplace=True))]
        for before, after in pairwise(widths):
            layer = build_upsampling(upsampling, before, after, kernel=4, bias=bias)
            layers.append(_block(layer, after, norm, nn.ReLU(inplace=True)))
        if final_layers:
            layers.append(nn.Upsample(scale_factor=2, mode="nearest"))
            outs = [width] * (final_layers - 1) + [channels]
            layers += [nn.Conv2d(width, out, FINAL_KERNEL, padding=FINAL_KERNEL // 2) for out in outs]
        else:
            layers.append(build_upsampling(upsampling, width, channels, kernel=4))
        self.net = nn.Sequential(*layers, nn.Tanh())

    def forward(self, code: Tensor) -> Tensor:
        """code: (B, Z) or (B, Z, 1, 1) -> (B, C, S, S)."""
        return self.net(code.reshape(*code.shape[:2], 1, 1))  # type: ignore[no-any-return]


class Discriminator(nn.Module):
    """Images (B, C, S, S) -> scores (B, 1, 1, 1)."""

    def __init__(self, channels: int, width: int, halvings: int, norm: Norm, widest: int = 16) -> None:
        """widest: as in `Generator`."""
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(channels, width, 4, 2, 1), nn.LeakyReLU(SLOPE, inplace=True)]
        before = width
        for level in range(1, halvings):
            after = min(widest, 2**level) * width
            halve = nn.Conv2d(before, after, 4, 2, 1, bias=norm == "none")
            layers.append(_block(halve, after, norm, nn.LeakyReLU(SLOPE, inplace=True)))
            before = after
        self.net = nn.Sequential(*layers, nn.Conv2d(before, 1, 4))

    def forward(self, image: Tensor) -> Tensor:
        """image: (B, C, S, S) -> (B, 1, 1, 1)."""
        return self.net(image)  # type: ignore[no-any-return]


def _block(layer: nn.Module, channels: int, norm: Norm, activation: nn.Module) -> nn.Sequential:
    return nn.Sequential(layer, _normalise(norm, channels), activation)


def _normalise(norm: Norm, channels: int) -> nn.Module:
    """Every kind learns a scale and a shift per channel; "layer" is over a whole image."""
    if norm == "batch":
        return BatchNorm(channels, "running")
    if norm == "none":
        return nn.Identity()
    return nn.GroupNorm(channels if norm == "instance" else 1, channels)
