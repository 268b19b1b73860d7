"""DTN's generator g and discriminator D, with the layers of the public code, and who builds all networks."""

from itertools import pairwise

import torch
from torch import Tensor, nn

from i2icli.systems.dtn.config import DTNConfig
from i2icli.systems.dtn.features import CCEXAM, DigitFeatures, FeatureFunction
from i2icli.systems.dtn.layers import SameConv2d, SameTransposed2d, build_norm


class Generator(nn.Module):
    """g: from features to an image, by a convolution to a small map and doublings of it."""

    def __init__(
        self, num_features: int, channels: int, size: tuple[int, int], width: int, num_blocks: int, norm: str
    ) -> None:
        super().__init__()
        small = size[0] // 2**num_blocks, size[1] // 2**num_blocks
        widths = [width * 2**block for block in reversed(range(num_blocks))]
        self.first = nn.ConvTranspose2d(num_features, widths[0], small)
        layers: list[nn.Module] = [build_norm(norm, widths[0]), nn.ReLU()]
        for inner, outer in pairwise(widths):
            layers += [SameTransposed2d(inner, outer), build_norm(norm, outer), nn.ReLU()]
        self.blocks = nn.Sequential(*layers)
        self.last = SameTransposed2d(widths[-1], channels)

    def forward(self, features: Tensor) -> Tensor:
        """features: (B, Z, 1, 1) -> images (B, C, H, W) in [-1, 1]."""
        hidden = self.blocks(self.first(features))  # (B, C', H / 2, W / 2)
        return torch.tanh(self.last(hidden))  # (B, C, H, W)


class Discriminator(nn.Module):
    """D: logits of the kinds of images it tells apart. ReLU before and after the first norm, as published."""

    def __init__(
        self, channels: int, size: tuple[int, int], width: int, num_blocks: int, norm: str, kinds: int
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = [
            SameConv2d(channels, width, 3, 2),
            nn.ReLU(),
            build_norm(norm, width),
            nn.ReLU(),
        ]
        for block in range(1, num_blocks):
            inner, outer = width * 2 ** (block - 1), width * 2**block
            layers += [SameConv2d(inner, outer, 3, 2), build_norm(norm, outer), nn.ReLU()]
        self.blocks = nn.Sequential(*layers)
        whole = size[0] // 2**num_blocks, size[1] // 2**num_blocks
        self.last = nn.Conv2d(width * 2 ** (num_blocks - 1), kinds, whole)

    def forward(self, images: Tensor) -> Tensor:
        """images: (B, C, H, W) of the size it was built for -> logits (B, kinds)."""
        return self.last(self.blocks(images)).flatten(1)  # type: ignore[no-any-return]


def build_extractor(config: DTNConfig, channels: int) -> FeatureFunction | DigitFeatures:
    """f, for images of so many channels."""
    if config.extractor in CCEXAM:
        return DigitFeatures(CCEXAM[config.extractor])
    return FeatureFunction(
        channels,
        config.crop_size,
        config.width,
        config.num_features,
        config.num_blocks,
        config.norm,
        pooled=config.extractor == "pooled",
    )


def build_generator(config: DTNConfig, num_features: int, channels: int) -> Generator:
    """g, whose outputs have so many channels."""
    return Generator(
        num_features, channels, config.crop_size, config.generator_width, config.num_blocks, config.norm
    )


def build_discriminator(config: DTNConfig, channels: int) -> Discriminator:
    """D, with three kinds of images or one logit for real against fake."""
    kinds = 3 if config.discriminator == "ternary" else 1
    return Discriminator(
        channels, config.crop_size, config.discriminator_width, config.num_blocks, config.norm, kinds
    )
