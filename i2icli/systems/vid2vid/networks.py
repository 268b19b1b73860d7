"""vid2vid's networks, as its settings describe them."""

from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from itertools import chain
from typing import Any

import torch
from torch import Tensor, nn

from i2icli.nn.growth import GrowthClock, half_width
from i2icli.nn.multiscale import GrowingDiscriminators, input_pyramid, patch_features
from i2icli.nn.recomputation import checkpointed
from i2icli.systems.vid2vid.config import TRIPLET, Vid2VidConfig
from i2icli.systems.vid2vid.scale import Features, Generated, Layers, ScaleGenerator, Sizes

WIDEST_FIRST = 64  # channels of a discriminator's first layer, at most, where coarser scales have more
DEEP = 2  # down-samplings; with more, the foreground has half the width (appendix A)


class VideoGenerator(nn.Module):
    """The generators of all scales, the coarsest first (section 3.3).

    Each scale makes a frame of its own size and is shown those that it made before; the features of one are
    added to those of the next finer one.
    """

    scales: Any

    def __init__(self, scales: Sequence[ScaleGenerator], clock: GrowthClock, *, checkpoint: bool) -> None:
        """checkpoint: activations are computed again in the backward pass instead of kept."""
        super().__init__()
        self.scales = nn.ModuleList(scales)
        self.clock, self.checkpoint = clock, checkpoint

    def forward(
        self, maps: Tensor, previous: Sequence[Tensor], mask: Tensor | None = None, *, first: bool = False
    ) -> list[Generated]:
        """What every scale in use makes of the maps, the finest first.

        maps: (B, N * C, H, W), those of N frames, the oldest first; previous: (B, (N - 1) * C, H / 2^k,
        W / 2^k) frames for each scale, the finest first; mask: (B, 1, H, W) in [0, 1], of the foreground;
        first: there are no previous frames, what is given for them is nothing to warp.
        """
        if self.checkpoint and self.training and torch.is_grad_enabled():
            return checkpointed(self._frames, maps, previous, mask, first)  # type: ignore[no-any-return]
        return self._frames(maps, previous, mask, first)

    def _frames(
        self, maps: Tensor, previous: Sequence[Tensor], mask: Tensor | None, first: bool
    ) -> list[Generated]:
        now = self.clock().stage
        sizes = input_pyramid(maps, now.level + 1)
        masks: Sequence[Tensor | None] = [None] * len(sizes)
        if mask is not None:
            masks = input_pyramid(mask, now.level + 1)
        below: Features | None = None
        found: list[Generated] = []
        for level in range(now.level + 1):
            given = sizes[-1 - level], previous[now.level - level], masks[-1 - level]
            fixed = now.alone and level < now.level and torch.is_grad_enabled()
            with torch.no_grad() if fixed else nullcontext():
                frame, below = self.scales[level](*given, below, first=first)
            found.insert(0, frame)
        return found

    def trainable_weights(self) -> Iterator[nn.Parameter]:
        """The weights trained in the current stage: those of the finest scale, or of all.

        Of coarser scales without those that only make the frames which these remember.
        """
        now = self.clock().stage
        newest = self.scales[now.level].parameters()
        if now.alone:
            return newest  # type: ignore[no-any-return]
        coarser = (scale.weights_below_heads() for scale in list(self.scales)[: now.level])
        return chain(*coarser, newest)


def build_generator(config: Vid2VidConfig, clock: GrowthClock) -> VideoGenerator:
    """The coarsest generator and the local ones."""
    layers = Layers(config.norm, config.translating_statistics, config.upsampling)
    sizes = [sizes_at(config, level) for level in range(config.grown + 1)]
    scales = [ScaleGenerator(each, layers) for each in sizes]
    return VideoGenerator(scales, clock, checkpoint=config.checkpoint_activations)


def sizes_at(config: Vid2VidConfig, level: int) -> Sizes:
    """The sizes of the generator at one scale; 0: the coarsest (appendix A)."""
    width, has_foreground = config.width, bool(config.foreground_indices)
    for _ in range(level):
        width = half_width(width)
    foreground = half_width(width) if config.depth > DEEP else width
    after = config.num_blocks // 2
    return Sizes(
        read=config.num_frames * config.map_channels,
        shown=config.image_channels,
        remembered=config.num_frames - 1,
        width=width,
        depth=1 if level else config.depth,
        encoder_blocks=0 if level else config.num_blocks - after,
        decoder_blocks=config.num_local_blocks if level else after,
        foreground_width=foreground if has_foreground else 0,
        foreground_blocks=config.num_local_blocks if level else config.num_blocks,
        flow=config.flow,
        scale=level,
    )


def build_image_discriminator(config: Vid2VidConfig, clock: GrowthClock) -> GrowingDiscriminators:
    """D_I, which sees the planes of a map and a frame: (B, map_channels + image_channels, H, W)."""
    return _discriminators(config, config.map_channels + config.image_channels, clock)


def build_temporal_discriminator(config: Vid2VidConfig, clock: GrowthClock) -> GrowingDiscriminators:
    """D_V for one stride: (B, 3 * image_channels + 4, H, W), three frames and the two flows between them."""
    return _discriminators(config, TRIPLET * config.image_channels + 2 * (TRIPLET - 1), clock)


def _discriminators(config: Vid2VidConfig, channels: int, clock: GrowthClock) -> GrowingDiscriminators:
    """Coarser scales have wider networks, as in the authors' code."""
    found = []
    for number in range(config.num_scales + config.grown):
        coarser = max(0, config.num_scales - 1 - number)
        width = max(config.discriminator_width, min(WIDEST_FIRST, config.discriminator_width << coarser))
        sizes = channels, width, config.num_layers + 1
        found.append(patch_features(*sizes, config.norm, bias=config.norm == "none"))
    return GrowingDiscriminators(found, config.num_scales, clock)
