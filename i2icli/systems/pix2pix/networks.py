"""pix2pix's two networks, as its settings describe them."""

from torch import nn

from i2icli.nn.patchgan import PatchDiscriminator, PixelDiscriminator
from i2icli.nn.resnet import ResnetGenerator
from i2icli.nn.unet import UNetGenerator
from i2icli.systems.pix2pix.config import Pix2PixConfig

Generator = UNetGenerator | ResnetGenerator


def build_generator(config: Pix2PixConfig, source: int, target: int) -> Generator:
    """The generator from `source` to `target` channels."""
    noise_and_norm = (config.norm, config.dropout, config.translating_statistics)
    if config.generator == "unet":
        return UNetGenerator(source, target, config.width, config.unet_depth, *noise_and_norm)
    return ResnetGenerator(source, target, config.width, config.num_blocks, *noise_and_norm)


def build_discriminator(config: Pix2PixConfig, channels: int) -> nn.Module:
    """The discriminator of source and image together, so many channels."""
    if config.discriminator == "pixel":
        return PixelDiscriminator(channels, config.discriminator_width, config.norm)
    return PatchDiscriminator(channels, config.discriminator_width, config.num_layers, config.norm)
