"""The networks of all levels together, and which noise belongs to which."""

import torch
from torch import Tensor, nn

from i2icli.systems.lapgan.config import LAPGANConfig
from i2icli.systems.lapgan.networks import (
    LevelDiscriminator,
    LevelGenerator,
    SmallDiscriminator,
    SmallGenerator,
)

Noise = tuple[Tensor, ...]
"""For the lowest level (B, 100), if it is trained; then for each level (B, 1, side, side)."""


class Generators(nn.Module):
    """A generator for the images of the lowest level, `first`, and one for each level above, `levels`."""

    def __init__(self, config: LAPGANConfig, channels: int) -> None:
        super().__init__()
        self.sizes = config.noise_sizes
        count = len(config.classes)
        self.first = (
            SmallGenerator(channels, config.pyramid[0], config.dense_width, count)
            if config.coarsest
            else None
        )
        self.levels = nn.ModuleList(
            LevelGenerator(
                channels,
                config.hidden,
                side,
                kernel=config.kernel,
                last_kernel=config.last_kernel,
                norm=config.norm,
                dropout=config.generator_dropout,
                num_classes=count,
            )
            for side in config.pyramid[1:]
        )

    def at(self, place: int | None) -> nn.Module:
        """The generator of one level; None for the images of the lowest level."""
        return _at(self.first, self.levels, place)

    def split(self, noise: Tensor) -> Noise:
        """(B, Z) in [-1, 1], coarse to fine -> a part for each level."""
        parts = torch.split(noise, list(self.sizes), dim=1)
        first, planes = (parts[:1], parts[1:]) if self.first is not None else ((), parts)
        sides = [round(size**0.5) for size in self.sizes[len(first) :]]
        return (
            *first,
            *(part.reshape(-1, 1, side, side) for part, side in zip(planes, sides, strict=True)),
        )

    def first_image(self, noise: Noise, label: Tensor | None) -> Tensor:
        """The images of the lowest level (B, C, h, w)."""
        return self.at(None)(noise[0], label)  # type: ignore[no-any-return]

    def residual(self, place: int, coarse: Tensor, noise: Noise, label: Tensor | None) -> Tensor:
        """What a level adds to its upscaled images, (B, C, H, W) as these.

        Where they are larger than those it was learned from, the noise is repeated side by side.
        """
        plane = noise[place + (self.first is not None)]
        height, width = coarse.shape[-2:]
        down, across = (
            torch.arange(size, device=plane.device) % side
            for size, side in ((height, plane.shape[-2]), (width, plane.shape[-1]))
        )
        plane = plane.index_select(2, down).index_select(3, across)  # (B, 1, H, W)
        return self.levels[place](coarse, plane.to(coarse.dtype), label)  # type: ignore[no-any-return]


class Discriminators(nn.Module):
    """A discriminator for the images of the lowest level, `first`, and one for each level above, `levels`."""

    def __init__(self, config: LAPGANConfig, channels: int) -> None:
        super().__init__()
        count = len(config.classes)
        width = config.dense_discriminator_width
        self.first = (
            SmallDiscriminator(channels, config.pyramid[0], width, config.dropout, count)
            if config.coarsest
            else None
        )
        self.levels = nn.ModuleList(
            LevelDiscriminator(
                channels,
                config.discriminator_hidden,
                side,
                norm=config.norm,
                dropout=config.dropout,
                num_classes=count,
            )
            for side in config.pyramid[1:]
        )

    def at(self, place: int | None) -> nn.Module:
        """The discriminator of one level; None for the images of the lowest level."""
        return _at(self.first, self.levels, place)


def _at(first: nn.Module | None, levels: nn.ModuleList, place: int | None) -> nn.Module:
    if place is not None:
        return levels[place]
    assert first is not None, "the images of the lowest level are not learned here"
    return first
