"""Generators and discriminators that gain levels of twice the size while they are trained.

Two ways are known. Conditional generators add a local enhancer whose features are summed with those of
the network that is there (Wang et al., "High-Resolution Image Synthesis and Semantic Manipulation with
Conditional GANs", CVPR 2018, section 3.1, https://arxiv.org/abs/1711.11585); unconditional ones fade the
new layers in (Karras et al., "Progressive Growing of GANs", ICLR 2018, section 2,
https://arxiv.org/abs/1710.10196). Here a new level is always pix2pixHD's enhancer, and whoever builds the
network decides whether its answer is faded in: so both ways end in the same network.
"""

from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate, leaky_relu

from i2icli.nn.blocks import ConvNorm, ResidualBlock
from i2icli.nn.dropout import Planes
from i2icli.nn.norm import Norm, Statistics, build_norm, needs_bias
from i2icli.nn.padding import ReflectConv2d, ReflectHead
from i2icli.nn.upsampling import Upsampling, build_doubling
from i2icli.stage import Clock

SMALL = "small"  # the network that grows, as a part of the grown one
BLOCKS = 3  # residual blocks of an enhancer: pix2pixHD's number


GrowthClock = Callable[[], Clock]
"""Asked at every call. Pass a function, not a method: copies of a network must keep asking the original."""


class GrowingGenerator(nn.Module):
    """A generator below enhancers, each of which doubles the size of what it reads and answers.

    While a level fades in, answer = (1 - alpha) * up-sampled answer of the level below to the image at half
    the size + alpha * answer of the new level. At alpha 0 that is exactly what the smaller network says.
    The small network has `features`, `answer`, `feature_channels` and `multiple` (nn.resnet, nn.unet).
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
    ) -> None:
        super().__init__()
        self.small = small
        self.clock = clock
        channels = small.feature_channels
        self.levels = nn.ModuleList()
        for _ in range(num_levels):
            self.levels.append(Enhancer(channels, in_channels, out_channels, norm, statistics, upsampling))
            channels = halved_width(channels)

    @property
    def multiple(self) -> int:
        """Sides of the input must be multiples of this, at the level that is reached."""
        return self.small.multiple << self.clock().stage.level  # type: ignore[no-any-return]

    def forward(self, x: Tensor, noise: Planes = ()) -> Tensor:
        """x: (B, in_channels, H, W), sides multiples of `multiple` -> (B, out_channels, H, W) in [-1, 1].

        noise: of the small network's dropout.
        """
        clock = self.clock()
        now = clock.stage
        if now.level == 0:
            return self.small(x, noise)  # type: ignore[no-any-return]
        newest = self.levels[now.level - 1]
        below = self._features(halved(x), now.level - 1, noise)  # (B, C, H/2, W/2), or half that of a U-Net
        fine = newest.answer(newest.features(x, below))  # (B, out_channels, H, W)
        if not now.fading:
            return fine  # type: ignore[no-any-return]
        answering = self.small if now.level == 1 else self.levels[now.level - 2]
        coarse = doubled(answering.answer(below))  # (B, out_channels, H, W)
        return blended(coarse, fine, clock.alpha)

    def _features(self, x: Tensor, level: int, noise: Planes) -> Tensor:
        """What the last layer of a level makes its output of, for images of that level's size."""
        if level == 0:
            return self.small.features(x, noise)  # type: ignore[no-any-return]
        return self.levels[level - 1].features(x, self._features(halved(x), level - 1, noise))  # type: ignore[no-any-return]

    def learning(self) -> Iterator[nn.Parameter]:
        """The weights that learn where growth stands: those in use, or the newest level's alone."""
        clock = self.clock()
        now = clock.stage
        if now.level == 0:
            return self.small.parameters()  # type: ignore[no-any-return]
        newest = self.levels[now.level - 1].parameters()
        if now.alone:
            return newest  # type: ignore[no-any-return]
        answering = now.level - 1 if now.fading else None  # of the levels below, this one still answers
        small = self.small.parameters() if answering == 0 else _but_head(self.small)
        between = (
            self.levels[level - 1].parameters() if level == answering else _but_head(self.levels[level - 1])
            for level in range(1, now.level)
        )
        return chain(small, *between, newest)


class Enhancer(nn.Module):
    """pix2pixHD's local enhancer: a strided front on the full image, summed with features from below,
    residual blocks, one doubling and a head of its own. Half as many channels come out as go in.
    """

    def __init__(
        self,
        channels: int,
        in_channels: int,
        out_channels: int,
        norm: Norm,
        statistics: Statistics,
        upsampling: Upsampling,
    ) -> None:
        """channels: of the features from below; upsampling: see nn.upsampling, transposed is pix2pixHD's."""
        super().__init__()
        width, bias = halved_width(channels), needs_bias(norm)
        self.stem = ConvNorm(
            ReflectConv2d(in_channels, width, 7, bias=bias), build_norm(norm, width, statistics)
        )
        down = nn.Conv2d(width, channels, 3, stride=2, padding=1, bias=bias)
        self.down = ConvNorm(down, build_norm(norm, channels, statistics))
        blocks = (ResidualBlock(channels, norm, statistics=statistics) for _ in range(BLOCKS))
        self.blocks = nn.Sequential(*blocks)
        up = build_doubling(upsampling, channels, width, bias=bias)
        self.up = ConvNorm(up, build_norm(norm, width, statistics))
        self.head = ReflectHead(width, out_channels, 7)
        self.relu = nn.ReLU(inplace=True)

    def features(self, x: Tensor, below: Tensor) -> Tensor:
        """x: (B, in_channels, H, W), below: (B, C, h, w) for the image at half the size -> (B, C/2, H, W)."""
        front = self.relu(self.stem(x))  # (B, C/2, H, W)
        front = self.relu(self.down(front))  # (B, C, H/2, W/2)
        if below.shape[-2:] != front.shape[-2:]:
            below = interpolate(below, front.shape[-2:], mode="nearest")  # (B, C, H/2, W/2)
        return self.relu(self.up(self.blocks(front + below)))  # type: ignore[no-any-return]

    def answer(self, features: Tensor) -> Tensor:
        """features: (B, C/2, H, W) -> (B, out_channels, H, W) in [-1, 1]."""
        return self.head(features).tanh()  # type: ignore[no-any-return]


class GrowingDiscriminator(nn.Module):
    """A discriminator behind new first layers, one pair for each level of twice the size.

    While a level fades in, the small network's hidden layer is (1 - alpha) * what its own first layer says
    of the image at half the size + alpha * what the new layers say. At alpha 0 it judges exactly what the
    smaller network judges. The small one has `front`, `judge`, `front_channels` and `front_stride`.
    """

    small: Any
    levels: Any

    def __init__(self, small: Any, num_levels: int, in_channels: int, clock: GrowthClock) -> None:
        super().__init__()
        self.small = small
        self.clock = clock
        width, stride = small.front_channels, small.front_stride
        self.levels = nn.ModuleList()
        for level in range(num_levels):
            self.levels.append(Front(in_channels, width, 2 if level else stride))

    def forward(self, x: Tensor) -> Tensor:
        """x: (B, in_channels, H, W) -> (B, 1, h, w) scores, as many as the small one gives at its size."""
        clock = self.clock()
        now = clock.stage
        if now.level == 0:
            return self.small(x)  # type: ignore[no-any-return]
        newest = self.levels[now.level - 1]
        hidden = newest.down(newest.front(x))  # as the level below begins: (B, width, h, w)
        if now.fading:
            below = self.small if now.level == 1 else self.levels[now.level - 2]
            hidden = blended(below.front(halved(x)), hidden, clock.alpha)
        for level in range(now.level - 1, 0, -1):
            hidden = self.levels[level - 1].down(hidden)  # (B, width, h/2, w/2)
        return self.small.judge(hidden)  # type: ignore[no-any-return]

    def learning(self) -> Iterator[nn.Parameter]:
        """The weights that learn where growth stands: those in use."""
        clock = self.clock()
        now = clock.stage
        if now.level == 0:
            return self.small.parameters()  # type: ignore[no-any-return]
        used = [*self.levels[now.level - 1].parameters()]
        fronts = [self.small, *self.levels]
        for level in range(now.level):
            in_use = now.fading and level == now.level - 1
            used += fronts[level].parameters() if in_use else _but_stem(fronts[level])
        return iter(used)


class Front(nn.Module):
    """New first layers of a discriminator, in the place of its old first layer."""

    def __init__(self, in_channels: int, width: int, stride: int) -> None:
        """stride: 2 if the layer that is replaced halved the image, else 1."""
        super().__init__()
        self.stem = nn.Conv2d(in_channels, width, 4, stride=2, padding=1)
        kernel = 4 if stride == 2 else 3
        self.conv = nn.Conv2d(width, width, kernel, stride=stride, padding=1)

    def front(self, x: Tensor) -> Tensor:
        """x: (B, in_channels, H, W) -> (B, width, H/2, W/2): the first layer, not yet activated."""
        return self.stem(x)  # type: ignore[no-any-return]

    def down(self, hidden: Tensor) -> Tensor:
        """hidden: (B, width, H/2, W/2) from `front` -> as the level below begins, not yet activated."""
        return self.conv(leaky_relu(hidden, 0.2))  # type: ignore[no-any-return]


def halved(x: Tensor) -> Tensor:
    """x: (B, C, H, W), even sides -> (B, C, H/2, W/2), means of four pixels."""
    return avg_pool2d(x, 2)


def doubled(x: Tensor) -> Tensor:
    """x: (B, C, H, W) -> (B, C, 2H, 2W), each pixel four times."""
    return interpolate(x, scale_factor=2, mode="nearest")


def blended(below: Tensor, here: Tensor, alpha: float) -> Tensor:
    """(1 - alpha) * below + alpha * here, of one shape; in low precision their types may differ."""
    kind = torch.promote_types(below.dtype, here.dtype)
    return torch.lerp(below.to(kind), here.to(kind), alpha)


def halved_width(channels: int) -> int:
    """Half the channels, at least one."""
    return max(1, channels // 2)


def learning(network: nn.Module) -> Iterator[nn.Parameter]:
    """The weights of a network that learn now: all, unless it is one that grows."""
    if isinstance(network, GrowingGenerator | GrowingDiscriminator):
        return network.learning()
    return network.parameters()


def grown_name(name: str) -> str:
    """The name that a weight "G.stem.weight" has once its network has grown: "G.small.stem.weight"."""
    network, _, rest = name.partition(".")
    return f"{network}.{SMALL}.{rest}"


def _but_head(network: nn.Module) -> Iterator[nn.Parameter]:
    return (weight for name, weight in network.named_parameters() if not name.startswith("head."))


def _but_stem(network: nn.Module) -> Iterator[nn.Parameter]:
    return (weight for name, weight in network.named_parameters() if not name.startswith("stem."))
