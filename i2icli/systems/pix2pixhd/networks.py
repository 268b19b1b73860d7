"""pix2pixHD's networks, as its settings describe them; their layers are in nn."""

from collections.abc import Iterator
from functools import partial
from itertools import chain
from typing import Any

from torch import Tensor, nn

from i2icli.nn.blocks import ConvNorm
from i2icli.nn.growth import GrowingGenerator, GrowthClock
from i2icli.nn.map_planes import MapPlanes
from i2icli.nn.multiscale import PatchFeatures, half_size, input_pyramid
from i2icli.nn.norm import Norm, build_norm, needs_bias
from i2icli.nn.resnet import ResnetGenerator
from i2icli.systems.pix2pixhd.config import Pix2PixHDConfig


def build_generator(config: Pix2PixHDConfig, clock: GrowthClock) -> ResnetGenerator | GrowingGenerator:
    """The global generator G1 and as many local enhancers G2 around it (section 3.1).

    It reads planes of a label map and of features, (B, plane_channels + feature_channels, H, W).
    """
    read, shown = config.plane_channels + config.feature_channels, config.image_channels
    statistics = config.translating_statistics
    coarse = ResnetGenerator(
        read,
        shown,
        config.width,
        config.num_blocks,
        config.norm,
        statistics=statistics,
        upsampling=config.upsampling,
        depth=config.depth,
    )
    if not config.grown:
        return coarse
    return GrowingGenerator(
        coarse,
        config.grown,
        read,
        shown,
        config.norm,
        clock,
        statistics,
        config.upsampling,
        num_blocks=config.num_enhancer_blocks,
        downsample=halved,
    )


def build_encoder(config: Pix2PixHDConfig) -> nn.Module:
    """The encoder E of features (section 3.4): the global generator without residual blocks, of photos.

    (B, image_channels, H, W) -> (B, num_features, H, W) in [-1, 1], before they are pooled. Without features
    it is empty.
    """
    if not config.feature_channels:
        return nn.Identity()
    return ResnetGenerator(
        config.image_channels,
        config.num_features,
        config.encoder_width,
        0,
        config.norm,
        statistics=config.translating_statistics,
        upsampling=config.upsampling,
        depth=config.encoder_depth,
    )


def halved(x: Tensor | MapPlanes) -> Tensor:
    """x: (B, C, H, W) or planes of a map -> (B, C, H/2, W/2)."""
    return half_size(x) if isinstance(x, Tensor) else x.half_size()


class Discriminators(nn.Module):
    """Discriminators of patches that see the image at several scales (section 3.2).

    Number 0 sees the coarsest scale. One is added for each level that was grown, so that a number means the
    same resolution at every level.
    """

    scales: Any

    def __init__(self, config: Pix2PixHDConfig, clock: GrowthClock) -> None:
        super().__init__()
        self.num_scales, self.clock = config.num_scales, clock
        channels = config.plane_channels + config.image_channels
        sizes = channels, config.discriminator_width, config.num_layers + 1
        layer = partial(_layer, norm=config.norm)
        count = config.num_scales + config.grown
        self.scales = nn.ModuleList(PatchFeatures(*sizes, layer) for _ in range(count))

    def forward(self, x: Tensor) -> list[list[Tensor]]:
        """x: (B, C, H, W), planes of a label map and an image -> the output of every layer, scores last.

        By scale, the finest first.
        """
        used = self._used()
        images = input_pyramid(x, len(used))
        return [network(image) for network, image in zip(reversed(used), images, strict=True)]

    def trainable_weights(self) -> Iterator[nn.Parameter]:
        """The weights trained in the current stage: those in use."""
        return chain.from_iterable(network.parameters() for network in self._used())

    def _used(self) -> list[PatchFeatures]:
        return list(self.scales)[: self.num_scales + self.clock().stage.level]


def _layer(before: int, after: int, stride: int, norm: Norm) -> nn.Module:
    conv = nn.Conv2d(before, after, 4, stride, padding=2, bias=needs_bias(norm))
    return ConvNorm(conv, build_norm(norm, after))
