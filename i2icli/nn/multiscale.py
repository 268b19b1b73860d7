"""Discriminators that work on several scales of an image and show their features."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import chain
from typing import Any

from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, leaky_relu

from i2icli.nn.blocks import ConvNorm
from i2icli.nn.growth import GrowthClock
from i2icli.nn.norm import Norm, build_norm, needs_bias

MAX_WIDTH = 512  # channels of a layer, at most

Layer = Callable[[int, int, int], nn.Module]
"""(channels in, channels out, stride) -> a 4x4 convolution, padded by 2, with what normalises it."""


def input_pyramid(x: Tensor, levels: int) -> list[Tensor]:
    """(B, C, H, W) -> so many images, each half the size of the one before, full resolution first.

    Sides are rounded up. Averaged over 3x3 pixels; those outside the image do not count.
    """
    images = [x]
    for _ in range(levels - 1):
        images.append(half_size(images[-1]))
    return images


def half_size(x: Tensor) -> Tensor:
    """(B, C, H, W) -> (B, C, ceil(H / 2), ceil(W / 2)): the mean of 3x3 pixels, as far as they exist."""
    return avg_pool2d(x, 3, stride=2, padding=1, count_include_pad=False)


class PatchFeatures(nn.Module):
    """A patch discriminator that gives the features of all its layers; images of any size.

    Wang et al., "High-Resolution Image Synthesis and Semantic Manipulation with Conditional GANs", CVPR 2018,
    section 3.2 and appendix, https://arxiv.org/abs/1711.11585.
    """

    def __init__(self, in_channels: int, width: int, num_layers: int, layer: Layer) -> None:
        """num_layers: before the scores, at least 2; all but the last have stride 2. `layer` builds all but
        the first, which has no norm.
        """
        super().__init__()
        widths = [min(width * 2**number, MAX_WIDTH) for number in range(num_layers)]
        self.stem = nn.Conv2d(in_channels, widths[0], 4, stride=2, padding=2)
        self.layers = nn.ModuleList(
            layer(widths[number - 1], widths[number], 1 if number == num_layers - 1 else 2)
            for number in range(1, num_layers)
        )
        self.head = nn.Conv2d(widths[-1], 1, 4, padding=2)

    def forward(self, x: Tensor) -> list[Tensor]:
        """x: (B, in_channels, H, W) -> the features (B, C, h, w) of every layer, then scores (B, 1, h, w)."""
        x = leaky_relu(self.stem(x), 0.2)  # (B, width, H/2 + 1, W/2 + 1)
        maps = [x]
        for layer in self.layers:
            x = leaky_relu(layer(x), 0.2)  # (B, 2C, h/2 + 1, w/2 + 1); the last one: (B, 2C, h + 1, w + 1)
            maps.append(x)
        return [*maps, self.head(x)]


class MultiscaleDiscriminator(nn.Module):
    """Several discriminators, each of them for one scale of the image, full resolution first.

    Wang et al., CVPR 2018, section 3.2. The authors of pix2pixHD number them the other way round.
    """

    def __init__(self, discriminators: Sequence[nn.Module]) -> None:
        super().__init__()
        self.discriminators = nn.ModuleList(discriminators)

    def forward(self, x: Tensor) -> list[list[Tensor]]:
        """x: (B, C, H, W) -> for every scale the features of all layers, the last of them the scores."""
        images = input_pyramid(x, len(self.discriminators))
        return [network(image) for network, image in zip(self.discriminators, images, strict=True)]


class GrowingDiscriminators(nn.Module):
    """Discriminators of patches at several scales, to which one is added for each level that was grown.

    Wang et al., CVPR 2018, section 3.2. Number 0 sees the coarsest scale, as the authors of pix2pixHD number
    them, so that a number means the same resolution at every level.
    """

    scales: Any

    def __init__(self, networks: Sequence[nn.Module], num_scales: int, clock: GrowthClock) -> None:
        """networks: those of all levels, the coarsest first; num_scales: how many level 0 has."""
        super().__init__()
        self.num_scales, self.clock = num_scales, clock
        self.scales = nn.ModuleList(networks)

    def forward(self, x: Tensor) -> list[list[Tensor]]:
        """x: (B, C, H, W) -> the output of every layer, scores last; by scale, the finest first."""
        used = self._used()
        images = input_pyramid(x, len(used))
        return [network(image) for network, image in zip(reversed(used), images, strict=True)]

    def trainable_weights(self) -> Iterator[nn.Parameter]:
        """The weights trained in the current stage: those in use."""
        return chain.from_iterable(network.parameters() for network in self._used())

    def _used(self) -> list[nn.Module]:
        return list(self.scales)[: self.num_scales + self.clock().stage.level]


def patch_features(
    in_channels: int, width: int, num_layers: int, norm: Norm, *, bias: bool | None = None
) -> PatchFeatures:
    """A discriminator of patches with a norm after all convolutions but the first and the last.

    bias: of those before a norm; None: unless the norm has its own.
    """
    bias = needs_bias(norm) if bias is None else bias
    return PatchFeatures(in_channels, width, num_layers, partial(_with_norm, norm=norm, bias=bias))


def _with_norm(before: int, after: int, stride: int, norm: Norm, bias: bool) -> nn.Module:
    conv = nn.Conv2d(before, after, 4, stride, padding=2, bias=bias)
    return ConvNorm(conv, build_norm(norm, after))
