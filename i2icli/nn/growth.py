"""Generators and discriminators that gain levels of twice the size while they are trained.

The literature has two approaches. Conditional generators add a local enhancer whose features are summed
with those of the existing network (Wang et al., "High-Resolution Image Synthesis and Semantic Manipulation
with Conditional GANs", CVPR 2018, section 3.1, https://arxiv.org/abs/1711.11585); unconditional ones fade
the new layers in (Karras et al., "Progressive Growing of GANs", ICLR 2018, section 2,
https://arxiv.org/abs/1710.10196). Here a new level is always pix2pixHD's enhancer, and the stage decides
whether its output is faded in, so both approaches end in the same network.
"""

from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate, leaky_relu

from i2icli.nn.blocks import ConvNorm, ResidualBlock
from i2icli.nn.dropout import Planes
from i2icli.nn.norm import Norm, Statistics, build_norm, needs_bias
from i2icli.nn.padding import ReflectConv2d, ReflectHead
from i2icli.nn.upsampling import Upsampling, build_upsampling, upsample_2x
from i2icli.stage import Clock

SMALL = "small"  # the original network, a submodule of the grown one
BLOCKS = 3  # residual blocks of an enhancer: pix2pixHD's number


GrowthClock = Callable[[], Clock]
"""Called in every forward pass. Pass a function, not a bound method: copies of a network (the moving average)
must keep reading the original clock."""


def downsample_2x(x: Tensor) -> Tensor:
    """x: (B, C, H, W), even sides -> (B, C, H/2, W/2), means of 2x2 pixels."""
    return avg_pool2d(x, 2)


class GrowingGenerator(nn.Module):
    """A generator with enhancers on top, each of which doubles the resolution of input and output.

    While a level fades in, output = (1 - alpha) * up-sampled output of the level below for the image at half
    the size + alpha * output of the new level. At alpha 0 that is exactly the smaller network's output.
    The small network has `features`, `to_image`, `feature_channels` and `multiple` (nn.resnet, nn.unet).
    """

    small: Any
    levels: Any

    def __init__(
        self,
        small: Any,
        num_levels: int,
        in_channels: int,
        out_channels: int,
        norm: Norm,
        clock: GrowthClock,
        statistics: Statistics = "image",
        upsampling: Upsampling = "transposed",
        *,
        num_blocks: int = BLOCKS,
        downsample: Callable[[Tensor], Tensor] = downsample_2x,
    ) -> None:
        """num_blocks: residual blocks of each enhancer; downsample: the input to half the size."""
        super().__init__()
        self.small = small
        self.clock = clock
        self.downsample = downsample
        channels = small.feature_channels
        self.levels = nn.ModuleList()
        for _ in range(num_levels):
            enhancer = Enhancer(channels, in_channels, out_channels, norm, statistics, upsampling, num_blocks)
            self.levels.append(enhancer)
            channels = half_width(channels)

    @property
    def multiple(self) -> int:
        """Sides of the input must be multiples of this at the current level."""
        return self.small.multiple << self.clock().stage.level  # type: ignore[no-any-return]

    def forward(self, x: Tensor, noise: Planes = ()) -> Tensor:
        """x: (B, in_channels, H, W), sides multiples of `multiple` -> (B, out_channels, H, W) in [-1, 1].

        noise: planes for the small network's dropout.
        """
        clock = self.clock()
        now = clock.stage
        if now.level == 0:
            return self.small(x, noise)  # type: ignore[no-any-return]
        newest = self.levels[now.level - 1]
        if not now.fading:
            return newest.to_image(self._features(x, now.level, noise))  # type: ignore[no-any-return]
        # (B, C, H/2, W/2), or (B, C, H/4, W/4) of a U-Net
        below = self._features(self.downsample(x), now.level - 1, noise)
        fine = newest.to_image(newest.features(x, below))  # (B, out_channels, H, W)
        previous = self.small if now.level == 1 else self.levels[now.level - 2]
        coarse = upsample_2x(previous.to_image(below))  # (B, out_channels, H, W)
        return blended(coarse, fine, clock.alpha)

    def _features(self, x: Tensor, level: int, noise: Planes) -> Tensor:
        """The input of a level's output layer, for images of that level's size."""
        if level == 0:
            return self.small.features(x, noise)  # type: ignore[no-any-return]
        # Not held here: it is large, and not needed any more once it was added.
        return self.levels[level - 1].features(x, self._features(self.downsample(x), level - 1, noise))  # type: ignore[no-any-return]

    def trainable_weights(self) -> Iterator[nn.Parameter]:
        """The weights trained in the current stage: those in use, or the newest level's alone."""
        clock = self.clock()
        now = clock.stage
        if now.level == 0:
            return self.small.parameters()  # type: ignore[no-any-return]
        newest = self.levels[now.level - 1].parameters()
        if now.alone:
            return newest  # type: ignore[no-any-return]
        fading_out = now.level - 1 if now.fading else None  # the output layer of this level is still in use
        small = self.small.parameters() if fading_out == 0 else _but_head(self.small)
        between = (
            self.levels[level - 1].parameters() if level == fading_out else _but_head(self.levels[level - 1])
            for level in range(1, now.level)
        )
        return chain(small, *between, newest)


class Enhancer(nn.Module):
    """pix2pixHD's local enhancer: strided convolutions of the full image, summed with the features of the
    level below, residual blocks, one up-sampling layer and its own head. It halves the channels.
    """

    def __init__(
        self,
        channels: int,
        in_channels: int,
        out_channels: int,
        norm: Norm,
        statistics: Statistics,
        upsampling: Upsampling,
        num_blocks: int = BLOCKS,
    ) -> None:
        """channels: of the level below's features; upsampling: see nn.upsampling, transposed in pix2pixHD."""
        super().__init__()
        width, bias = half_width(channels), needs_bias(norm)
        self.stem = ConvNorm(
            ReflectConv2d(in_channels, width, 7, bias=bias), build_norm(norm, width, statistics)
        )
        down = nn.Conv2d(width, channels, 3, stride=2, padding=1, bias=bias)
        self.down = ConvNorm(down, build_norm(norm, channels, statistics))
        blocks = (ResidualBlock(channels, norm, statistics=statistics) for _ in range(num_blocks))
        self.blocks = nn.Sequential(*blocks)
        up = build_upsampling(upsampling, channels, width, bias=bias)
        self.up = ConvNorm(up, build_norm(norm, width, statistics))
        self.head = ReflectHead(width, out_channels, 7)
        self.relu = nn.ReLU(inplace=True)

    def features(self, x: Tensor, below: Tensor) -> Tensor:
        """x: (B, in_channels, H, W), below: (B, C, h, w) for the image at half the size -> (B, C/2, H, W)."""
        hidden = self.relu(self.stem(x))  # (B, C/2, H, W)
        hidden = self.relu(self.down(hidden))  # (B, C, H/2, W/2)
        if below.shape[-2:] != hidden.shape[-2:]:
            below = interpolate(below, hidden.shape[-2:], mode="nearest")  # (B, C, H/2, W/2)
        hidden = hidden + below
        del below  # tensors of large images are freed as soon as they are not needed
        hidden = self.blocks(hidden)
        return self.relu(self.up(hidden))  # type: ignore[no-any-return]

    def to_image(self, features: Tensor) -> Tensor:
        """features: (B, C/2, H, W) -> (B, out_channels, H, W) in [-1, 1]."""
        return self.head(features).tanh()  # type: ignore[no-any-return]


class GrowingDiscriminator(nn.Module):
    """A discriminator preceded by new input layers, two for each level of twice the size.

    While a level fades in, the small network's hidden layer is (1 - alpha) * its own first layer's features
    of the image at half the size + alpha * the features of the new layers. At alpha 0 the scores are exactly
    the smaller network's, which has `features`, `score`, `feature_channels` and `feature_stride`.
    """

    small: Any
    levels: Any

    def __init__(self, small: Any, num_levels: int, in_channels: int, clock: GrowthClock) -> None:
        super().__init__()
        self.small = small
        self.clock = clock
        width, stride = small.feature_channels, small.feature_stride
        self.levels = nn.ModuleList()
        for level in range(num_levels):
            self.levels.append(EnhancerInput(in_channels, width, 2 if level else stride))

    def forward(self, x: Tensor) -> Tensor:
        """x: (B, in_channels, H, W) -> (B, 1, h, w) scores, as many as the small one gives at its size."""
        clock = self.clock()
        now = clock.stage
        if now.level == 0:
            return self.small(x)  # type: ignore[no-any-return]
        newest = self.levels[now.level - 1]
        hidden = newest.down(newest.features(x))  # features of the level below: (B, width, h, w)
        if now.fading:
            below = self.small if now.level == 1 else self.levels[now.level - 2]
            hidden = blended(below.features(downsample_2x(x)), hidden, clock.alpha)
        for level in range(now.level - 1, 0, -1):
            hidden = self.levels[level - 1].down(hidden)  # (B, width, h/2, w/2)
        return self.small.score(hidden)  # type: ignore[no-any-return]

    def trainable_weights(self) -> Iterator[nn.Parameter]:
        """The weights trained in the current stage: those in use."""
        clock = self.clock()
        now = clock.stage
        if now.level == 0:
            return self.small.parameters()  # type: ignore[no-any-return]
        used = [*self.levels[now.level - 1].parameters()]
        networks = [self.small, *self.levels]
        for level in range(now.level):
            fading_out = now.fading and level == now.level - 1
            used += networks[level].parameters() if fading_out else _but_stem(networks[level])
        return iter(used)


class EnhancerInput(nn.Module):
    """New input layers of a discriminator, which replace its old first layer."""

    def __init__(self, in_channels: int, width: int, stride: int) -> None:
        """stride: of the layer that is replaced, 2 or 1."""
        super().__init__()
        self.stem = nn.Conv2d(in_channels, width, 4, stride=2, padding=1)
        kernel = 4 if stride == 2 else 3
        self.conv = nn.Conv2d(width, width, kernel, stride=stride, padding=1)

    def features(self, x: Tensor) -> Tensor:
        """x: (B, in_channels, H, W) -> (B, width, H/2, W/2): the first layer, not yet activated."""
        return self.stem(x)  # type: ignore[no-any-return]

    def down(self, hidden: Tensor) -> Tensor:
        """hidden: (B, width, H/2, W/2) from `features` -> features of the level below, not yet activated."""
        return self.conv(leaky_relu(hidden, 0.2))  # type: ignore[no-any-return]


def blended(below: Tensor, here: Tensor, alpha: float) -> Tensor:
    """(1 - alpha) * below + alpha * here, of equal shape; in low precision their dtypes may differ."""
    kind = torch.promote_types(below.dtype, here.dtype)
    return torch.lerp(below.to(kind), here.to(kind), alpha)


def half_width(channels: int) -> int:
    """Half the channels, at least one."""
    return max(1, channels // 2)


@runtime_checkable
class Growing(Protocol):
    """A network that grows."""

    def trainable_weights(self) -> Iterator[nn.Parameter]:
        """The weights trained in the current stage."""


def trainable_weights(network: nn.Module) -> Iterator[nn.Parameter]:
    """The weights of a network trained in the current stage: all, unless the network grows."""
    return network.trainable_weights() if isinstance(network, Growing) else network.parameters()


def grown_name(name: str) -> str:
    """The name of a weight in the grown network: "G.stem.weight" -> "G.small.stem.weight"."""
    network, _, rest = name.partition(".")
    return f"{network}.{SMALL}.{rest}"


def _but_head(network: nn.Module) -> Iterator[nn.Parameter]:
    return (weight for name, weight in network.named_parameters() if not name.startswith("head."))


def _but_stem(network: nn.Module) -> Iterator[nn.Parameter]:
    return (weight for name, weight in network.named_parameters() if not name.startswith("stem."))
