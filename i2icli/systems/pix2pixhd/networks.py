"""pix2pixHD's networks, as its settings describe them; their layers are in nn."""

from torch import Tensor, nn

from i2icli.nn.growth import GrowingGenerator, GrowthClock
from i2icli.nn.map_planes import MapPlanes
from i2icli.nn.multiscale import GrowingDiscriminators, half_size, patch_features
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


def build_discriminators(config: Pix2PixHDConfig, clock: GrowthClock) -> GrowingDiscriminators:
    """Discriminators of planes of a label map and an image, (B, plane_channels + image_channels, H, W)."""
    channels = config.plane_channels + config.image_channels
    sizes = channels, config.discriminator_width, config.num_layers + 1
    count = config.num_scales + config.grown
    return GrowingDiscriminators(
        [patch_features(*sizes, config.norm) for _ in range(count)], config.num_scales, clock
    )
