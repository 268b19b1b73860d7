"""pix2pix's two networks, as its settings describe them."""

from torch import nn

from i2icli.nn.growth import GrowingDiscriminator, GrowingGenerator, GrowthClock
from i2icli.nn.patchgan import PatchDiscriminator, PixelDiscriminator
from i2icli.nn.resnet import ResnetGenerator
from i2icli.nn.unet import UNetGenerator
from i2icli.systems.pix2pix.config import Pix2PixConfig

Generator = UNetGenerator | ResnetGenerator | GrowingGenerator


def build_generator(
    config: Pix2PixConfig, source: int, target: int, clock: GrowthClock | None = None
) -> Generator:
    """The generator from `source` to `target` channels; `clock` tells one that grows how far it is."""
    small = _small_generator(config, source, target)
    if not config.grown:
        return small
    assert clock is not None
    details = (config.norm, clock, config.translating_statistics, config.upsampling)
    return GrowingGenerator(small, config.grown, source, target, *details)


def _small_generator(config: Pix2PixConfig, source: int, target: int) -> UNetGenerator | ResnetGenerator:
    details = (config.norm, config.dropout, config.translating_statistics, config.upsampling)
    if config.generator == "unet":
        return UNetGenerator(source, target, config.width, config.unet_depth, *details)
    padding = config.down_padding
    return ResnetGenerator(source, target, config.width, config.num_blocks, *details, down_padding=padding)


def build_discriminator(config: Pix2PixConfig, channels: int, clock: GrowthClock) -> nn.Module:
    """The discriminator of source and image together, so many channels."""
    small: nn.Module
    if config.discriminator == "pixel":
        small = PixelDiscriminator(channels, config.discriminator_width, config.norm)
    else:
        small = PatchDiscriminator(channels, config.discriminator_width, config.num_layers, config.norm)
    return GrowingDiscriminator(small, config.grown, channels, clock) if config.grown else small
