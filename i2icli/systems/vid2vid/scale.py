"""The part of vid2vid's generator that works at one scale: it makes a frame of maps and previous frames.

Wang et al., "Video-to-Video Synthesis", NeurIPS 2018, section 3 and appendix A,
https://arxiv.org/abs/1808.06601.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from i2icli.nn.blocks import ConvNorm, ResidualBlock
from i2icli.nn.norm import Norm, Statistics, build_norm
from i2icli.nn.padding import ReflectConv2d, ReflectHead
from i2icli.nn.upsampling import Upsampling, build_upsampling
from i2icli.nn.warp import warp

FLOW_SCALE = 20.0  # pixels of flow for an output of 1, at the coarsest scale

HEADS = "heads."
"""How the names of the weights begin that lead from features to a frame."""


class Features(NamedTuple):
    """What a scale hands on to the next finer one, (B, C, H, W) each."""

    image: Tensor
    flow: Tensor | None
    foreground: Tensor | None


class Generated(NamedTuple):
    """A frame and what it was blended from."""

    image: Tensor  # (B, C, H, W) in [-1, 1]: the frame
    raw: Tensor  # (B, C, H, W) in [-1, 1]: without what was warped
    flow: Tensor | None  # (B, 2, H, W) in pixels, to the previous frame
    weight: Tensor | None  # (B, 1, H, W) in [0, 1], of the raw frame; Eq. (3) weighs the other


@dataclass(frozen=True)
class Layers:
    """How the layers of a scale are built."""

    norm: Norm = "batch"
    statistics: Statistics = "image"
    upsampling: Upsampling = "transposed"

    def normed(self, conv: nn.Conv2d | nn.ConvTranspose2d, channels: int) -> ConvNorm:
        """A convolution to so many channels and its norm."""
        return ConvNorm(conv, build_norm(self.norm, channels, self.statistics))

    @property
    def bias(self) -> bool:
        """Whether convolutions have a bias: a norm after them would take it away again."""
        return self.norm == "none"


class Encoder(nn.Module):
    """Reads planes at full size, halves their size and perhaps refines them in residual blocks."""

    def __init__(self, in_channels: int, width: int, depth: int, num_blocks: int, layers: Layers) -> None:
        super().__init__()
        stem = ReflectConv2d(in_channels, width, 7, bias=layers.bias)
        self.stem = layers.normed(stem, width)
        self.down = nn.ModuleList()
        for level in range(depth):
            channels = width << level
            conv = nn.Conv2d(channels, 2 * channels, 3, stride=2, padding=1, bias=layers.bias)
            self.down.append(layers.normed(conv, 2 * channels))
        self.blocks = _blocks(width << depth, num_blocks, layers)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        """x: (B, in_channels, H, W) -> (B, width * 2^depth, H / 2^depth, W / 2^depth)."""
        x = self.relu(self.stem(x))  # (B, width, H, W)
        for down in self.down:
            x = self.relu(down(x))  # (B, 2 width, H/2, W/2), then (B, 4 width, H/4, W/4) ...
        return self.blocks(x)  # type: ignore[no-any-return]


class Decoder(nn.Module):
    """Refines features in residual blocks and doubles their size."""

    def __init__(self, width: int, depth: int, num_blocks: int, layers: Layers) -> None:
        super().__init__()
        self.blocks = _blocks(width << depth, num_blocks, layers)
        self.up = nn.ModuleList()
        for level in range(depth, 0, -1):
            channels = width << level
            conv = build_upsampling(layers.upsampling, channels, channels // 2, kernel=3, bias=layers.bias)
            self.up.append(layers.normed(conv, channels // 2))
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        """x: (B, width * 2^depth, h, w) -> (B, width, h * 2^depth, w * 2^depth)."""
        x = self.blocks(x)
        for up in self.up:
            x = self.relu(up(x))  # ... (B, 2 width, H/2, W/2), then (B, width, H, W)
        return x


@dataclass(frozen=True)
class Sizes:
    """How large a scale is."""

    read: int  # channels of the maps that it reads, of all frames together
    shown: int  # channels of a frame
    remembered: int  # previous frames that it reads
    width: int  # channels of the first layer
    depth: int  # down-samplings; 1 in a local generator
    encoder_blocks: int  # residual blocks before maps and frames meet; 0 in a local generator
    decoder_blocks: int  # and afterwards
    foreground_width: int = 0  # channels of the foreground's first layer; 0: there is none
    foreground_blocks: int = 0
    flow: bool = True  # whether previous frames are warped
    scale: int = 0  # 0: the coarsest; flow is 2^scale times as many pixels


class ScaleGenerator(nn.Module):
    """Image, flow and foreground branches at one scale.

    Maps and previous frames are encoded apart and added; from there one branch makes the raw frame, and
    another the flow and the weight by which the warped previous frame is blended in. The foreground is made
    of the maps alone. A local generator adds the features of the scale below where its own meet.
    """

    def __init__(self, sizes: Sizes, layers: Layers) -> None:
        super().__init__()
        self.scale = sizes.scale
        inner = sizes.width, sizes.depth
        self.maps = Encoder(sizes.read, *inner, sizes.encoder_blocks, layers)
        self.frames = Encoder(sizes.remembered * sizes.shown, *inner, sizes.encoder_blocks, layers)
        self.image = Decoder(*inner, sizes.decoder_blocks, layers)
        self.heads = nn.ModuleDict({"image": ReflectHead(sizes.width, sizes.shown, 7)})
        self.flow: nn.Module | None = None
        self.foreground_maps: nn.Module | None = None
        self.foreground: nn.Module | None = None
        if sizes.flow:
            self.flow = Decoder(*inner, sizes.decoder_blocks, layers)
            self.heads["flow"] = ReflectHead(sizes.width, 2, 7)
            self.heads["weight"] = ReflectHead(sizes.width, 1, 7)
        if sizes.foreground_width:
            own = sizes.foreground_width, sizes.depth
            self.foreground_maps = Encoder(sizes.read, *own, 0, layers)
            self.foreground = Decoder(*own, sizes.foreground_blocks, layers)
            self.heads["foreground"] = ReflectHead(sizes.foreground_width, sizes.shown, 7)

    def forward(
        self,
        maps: Tensor,
        previous: Tensor,
        mask: Tensor | None = None,
        below: Features | None = None,
        *,
        first: bool = False,
    ) -> tuple[Generated, Features]:
        """maps: (B, read, H, W), previous frames: (B, remembered * C, H, W), the oldest first in both.

        mask: (B, 1, H, W) in [0, 1], of the foreground; below: features of the next coarser scale, (B, C',
        H/2, W/2) each; first: nothing came before, the raw frame is the frame.
        """
        features = self.features(maps, previous, below)
        return self.blended(features, previous, mask, first=first), features

    def features(self, maps: Tensor, previous: Tensor, below: Features | None = None) -> Features:
        """What its heads make a frame of, and what a finer scale adds to its own: (B, width, H, W) each."""
        met = self.maps(maps) + self.frames(previous)  # (B, C', h, w)
        image = met if below is None else met + below.image
        flow = None
        if self.flow is not None:
            flow = self.flow(met if below is None or below.flow is None else met + below.flow)
        foreground = None
        if self.foreground_maps is not None and self.foreground is not None:
            foreground = self.foreground_maps(maps)
            if below is not None and below.foreground is not None:
                foreground = foreground + below.foreground
            foreground = self.foreground(foreground)  # (B, foreground width, H, W)
        return Features(self.image(image), flow, foreground)

    def blended(
        self, features: Features, previous: Tensor, mask: Tensor | None = None, *, first: bool = False
    ) -> Generated:
        """A frame of features and the previous frames, as `forward` has them: the paper's Eq. (3) and (4)."""
        raw = self.heads["image"](features.image).tanh()  # (B, C, H, W)
        flow = weight = None
        image = raw
        if features.flow is not None:
            flow = self.heads["flow"](features.flow) * (FLOW_SCALE * 2**self.scale)  # (B, 2, H, W)
            weight = self.heads["weight"](features.flow).sigmoid()  # (B, 1, H, W)
            if not first:
                warped = warp(previous[:, -raw.shape[1] :], flow)  # (B, C, H, W)
                image = torch.lerp(warped.to(raw.dtype), raw, weight)
        if features.foreground is not None and mask is not None:
            foreground = self.heads["foreground"](features.foreground).tanh()  # (B, C, H, W)
            raw = torch.lerp(raw, foreground, mask.to(raw.dtype))
            image = torch.lerp(image, foreground, mask.to(raw.dtype))
        return Generated(image, raw, flow, weight)

    def weights_below_heads(self) -> Iterator[nn.Parameter]:
        """All weights but those of the heads."""
        return (weight for name, weight in self.named_parameters() if not name.startswith(HEADS))


def _blocks(channels: int, count: int, layers: Layers) -> nn.Sequential:
    return nn.Sequential(
        *(
            ResidualBlock(channels, layers.norm, statistics=layers.statistics, bias=layers.bias)
            for _ in range(count)
        )
    )
