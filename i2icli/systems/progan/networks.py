"""Progressive GAN's networks: they grow from 4x4 pixels, one doubling at a time.

A `level` says how far: the images have 4 * 2^level pixels a side. `alpha`, in [0, 1], is how much the newest
layers count against the level below while they are faded in (figure 2 of the paper); 1: they stand alone.
"""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, leaky_relu

from i2icli.nn.equalised import EqualConv2d, EqualLinear
from i2icli.nn.minibatch_stddev import append_deviation
from i2icli.nn.pixel_norm import pixel_norm
from i2icli.nn.upsampling import upsample_2x
from i2icli.systems.progan.config import SMALLEST
from i2icli.systems.progan.conventions import Convention


def fade_reals(images: Tensor, alpha: float) -> Tensor:
    """Real images (B, C, H, W) as coarse as the generator's while it is faded in.

    They are the mean of 2x2 pixels, enlarged again, and with `alpha` from 0 to 1 more and more themselves.
    """
    if alpha >= 1:
        return images
    return torch.lerp(upsample_2x(avg_pool2d(images, 2)), images, alpha)


class Generator(nn.Module):
    """Latent codes, with labels after them, to images; linear at the end (table 2 of the paper)."""

    def __init__(self, inputs: int, widths: Sequence[int], channels: int, convention: Convention) -> None:
        """inputs: numbers in a code and its label together; widths: channels of the levels from 4x4 on."""
        super().__init__()
        self.blocks = nn.ModuleList([InputBlock(inputs, widths[0], convention)])
        for below, here in pairwise(widths):
            self.blocks.append(SynthesisBlock(below, here, convention.scale_bias))
        self.to_rgb = nn.ModuleList(
            EqualConv2d(width, channels, 1, convention.last_gain, scale_bias=convention.scale_bias)
            for width in widths
        )

    def forward(self, code: Tensor, level: int, alpha: float = 1.0) -> Tensor:
        """(B, inputs) -> (B, C, 4 * 2^level, 4 * 2^level), about in [-1, 1]."""
        return self.synthesis(self.mapping(code), level, alpha)

    def mapping(self, code: Tensor) -> Tensor:
        """(B, inputs) -> the first features, (B, width, 4, 4)."""
        features: Tensor = self.blocks[0](pixel_norm(code))
        return features

    def synthesis(self, features: Tensor, level: int, alpha: float = 1.0) -> Tensor:
        """(B, width, 4, 4) -> (B, C, 4 * 2^level, 4 * 2^level)."""
        x = below = features
        for block in self.blocks[1 : level + 1]:
            below, x = x, block(x)  # (B, width, 2H, 2W)
        images: Tensor = self.to_rgb[level](x)
        if level == 0 or alpha >= 1:
            return images
        return torch.lerp(upsample_2x(self.to_rgb[level - 1](below)), images, alpha)

    def used(self, level: int, *, fading: bool) -> list[nn.Module]:
        """The layers that make images of a level."""
        return [*self.blocks[: level + 1], *self.to_rgb[level - (fading and level > 0) : level + 1]]


class InputBlock(nn.Module):
    """A code to 4x4 pixels: dense, then a convolution."""

    def __init__(self, inputs: int, width: int, convention: Convention) -> None:
        super().__init__()
        self.width = width
        per_unit, scaled = convention.bias_per_unit, convention.scale_bias
        self.dense = EqualLinear(
            inputs, SMALLEST**2 * width, convention.first_gain, bias=per_unit, scale_bias=scaled
        )
        self.bias = None if per_unit else nn.Parameter(torch.zeros(width))
        self.conv = EqualConv2d(width, width, 3, scale_bias=scaled)

    def forward(self, code: Tensor) -> Tensor:
        """(B, inputs) -> (B, width, 4, 4)."""
        x = self.dense(code).view(-1, self.width, SMALLEST, SMALLEST)  # (B, width, 4, 4)
        if self.bias is not None:
            x = x + self.bias[:, None, None]
        return _active(self.conv(_active(x)))


class SynthesisBlock(nn.Module):
    """Twice the size: a convolution of the enlarged features, then another."""

    def __init__(self, below: int, here: int, scale_bias: bool) -> None:
        super().__init__()
        self.up = EqualConv2d(below, here, 3, scale_bias=scale_bias, resample="up")
        self.conv = EqualConv2d(here, here, 3, scale_bias=scale_bias)

    def forward(self, x: Tensor) -> Tensor:
        """(B, below, H, W) -> (B, here, 2H, 2W)."""
        return _active(self.conv(_active(self.up(x))))


def _active(x: Tensor) -> Tensor:
    return pixel_norm(leaky_relu(x, 0.2))


class Discriminator(nn.Module):
    """Images to scores, and where there are labels to the logits of the classes (table 2 of the paper)."""

    def __init__(
        self,
        channels: int,
        widths: Sequence[int],
        dense_width: int,
        num_labels: int,
        group_size: int,
        convention: Convention,
    ) -> None:
        """widths: channels of the levels from 4x4 on; group_size: images compared, 1: none."""
        super().__init__()
        scaled = convention.scale_bias
        self.fade_at_8 = convention.fade_at_8
        self.from_rgb = nn.ModuleList(EqualConv2d(channels, width, 1, scale_bias=scaled) for width in widths)
        self.blocks = nn.ModuleList([EpilogueBlock(widths[0], dense_width, group_size, convention)])
        for below, here in pairwise(widths):
            self.blocks.append(DownBlock(here, below, convention))
        self.decision = EqualLinear(dense_width, 1 + num_labels, convention.last_gain, scale_bias=scaled)

    def forward(self, images: Tensor, level: int, alpha: float = 1.0) -> Tensor:
        """(B, C, 4 * 2^level, 4 * 2^level) -> (B, 1 + L): the score, then the logits."""
        scores: Tensor = self.decision(self.features(images, level, alpha))
        return scores

    def features(self, images: Tensor, level: int, alpha: float = 1.0) -> Tensor:
        """(B, C, 4 * 2^level, 4 * 2^level) -> (B, dense width): what it decides by."""
        x = self._seen(images, level)  # (B, width, H, W)
        for place in range(level, 0, -1):
            x = self.blocks[place](x)  # (B, width below, H / 2, W / 2)
            if place == level and alpha < 1 and (level > 1 or self.fade_at_8):
                x = torch.lerp(self._seen(avg_pool2d(images, 2), level - 1), x, alpha)
        features: Tensor = self.blocks[0](x)
        return features

    def _seen(self, images: Tensor, level: int) -> Tensor:
        return leaky_relu(self.from_rgb[level](images), 0.2)  # (B, width, H, W)

    def used(self, level: int, *, fading: bool) -> list[nn.Module]:
        """The layers that judge images of a level."""
        fading = fading and level > (0 if self.fade_at_8 else 1)
        return [*self.blocks[: level + 1], *self.from_rgb[level - fading : level + 1], self.decision]


class DownBlock(nn.Module):
    """Half the size: a convolution, then another whose results are averaged."""

    def __init__(self, here: int, below: int, convention: Convention) -> None:
        super().__init__()
        scaled = convention.scale_bias
        self.average_first = convention.average_first
        self.conv = EqualConv2d(here, here, 3, scale_bias=scaled)
        self.down = EqualConv2d(
            here, below, 3, scale_bias=scaled, resample="down" if convention.average_first else "no"
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, here, H, W) -> (B, below, H / 2, W / 2)."""
        x = leaky_relu(self.down(leaky_relu(self.conv(x), 0.2)), 0.2)
        return x if self.average_first else avg_pool2d(x, 2)


class EpilogueBlock(nn.Module):
    """4x4 pixels, with how much the images differ beside them, to a few numbers."""

    def __init__(self, width: int, dense_width: int, group_size: int, convention: Convention) -> None:
        super().__init__()
        scaled = convention.scale_bias
        self.group_size = group_size
        self.consecutive = convention.consecutive
        self.conv = EqualConv2d(width + (group_size > 1), width, 3, scale_bias=scaled)
        self.dense = EqualLinear(SMALLEST**2 * width, dense_width, scale_bias=scaled)

    def forward(self, x: Tensor) -> Tensor:
        """(B, width, 4, 4) -> (B, dense width)."""
        if self.group_size > 1:
            x = append_deviation(x, self.group_size, consecutive=self.consecutive)  # (B, width + 1, 4, 4)
        x = leaky_relu(self.conv(x), 0.2).flatten(1)  # (B, 16 width)
        return leaky_relu(self.dense(x), 0.2)
