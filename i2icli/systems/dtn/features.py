"""The feature function f of DTN, in several builds, and the layer that reads a class from its output."""

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

from i2icli.nn.resizing import resized
from i2icli.systems.dtn.config import Extractor
from i2icli.systems.dtn.layers import SameConv2d, build_norm

_LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601, as Pillow turns colours into grey


def match_channels(images: Tensor, channels: int) -> Tensor:
    """(B, C, H, W) -> (B, channels, H, W): grey is repeated, colours become grey. Both are 1 or 3."""
    if images.shape[1] == channels:
        return images
    if channels == 1:
        luma = torch.tensor(_LUMA, device=images.device, dtype=images.dtype)[:, None, None]  # (3, 1, 1)
        return (images * luma).sum(1, keepdim=True)  # (B, 1, H, W)
    return images.expand(-1, channels, -1, -1)  # (B, 3, H, W)


class FeatureFunction(nn.Module):
    """f: halve an image several times, then see all of it at once; the output lies in [-1, 1].

    Layers of the public code (yunjey/domain-transfer-network) if `pooled` is false: strided 3x3 convolutions.
    With `pooled` the convolutions keep the size and max pooling halves it, as the paper says of its digits.
    """

    def __init__(
        self,
        channels: int,
        size: tuple[int, int],
        width: int,
        num_features: int,
        num_blocks: int,
        norm: str,
        *,
        pooled: bool,
    ) -> None:
        super().__init__()
        self.channels = channels
        self.num_features = num_features
        widths = [channels, *(width * 2**block for block in range(num_blocks))]
        layers: list[nn.Module] = []
        for inner, outer in pairwise(widths):
            layers += [SameConv2d(inner, outer, 3, 1 if pooled else 2), build_norm(norm, outer), nn.ReLU()]
            layers += [nn.MaxPool2d(2)] if pooled else []
        self.blocks = nn.Sequential(*layers)
        whole = size[0] // 2**num_blocks, size[1] // 2**num_blocks
        self.last = nn.Conv2d(widths[-1], num_features, whole)
        self.last_norm = build_norm(norm, num_features)

    def forward(self, images: Tensor) -> Tensor:
        """images: (B, C or 1 or 3, H, W) of its size -> features (B, Z, 1, 1) in [-1, 1]."""
        hidden = self.blocks(match_channels(images, self.channels))  # (B, C', H / 2^n, W / 2^n)
        return torch.tanh(self.last_norm(self.last(hidden)))  # (B, Z, 1, 1)


@dataclass(frozen=True)
class DigitLayers:
    """The layers of a digit classifier up to its last but one, and how it wants its images."""

    mean: tuple[float, ...]  # of its training images in [0, 1], per channel
    std: tuple[float, ...]
    side: int  # pixels
    widths: tuple[int, ...]  # one per halving
    convolutions: int  # per halving
    norm: bool
    num_features: int


CCEXAM: dict[Extractor, DigitLayers] = {
    "ccexam-mnist": DigitLayers((0.1307,), (0.3081,), 28, (32, 64), 1, False, 128),
    "ccexam-usps": DigitLayers((0.2471,), (0.2994,), 16, (32, 64), 1, True, 128),
    "ccexam-svhn": DigitLayers(
        (0.4377, 0.4438, 0.4728), (0.1980, 0.2010, 0.1970), 32, (32, 64, 128), 2, True, 256
    ),
}
"""The classifiers of the Python package ccexam 1.0.0 (MIT), whose weights --init-from takes."""


class DigitFeatures(nn.Module):
    """f as a classifier trained elsewhere: its hidden layer before the classes, at least 0."""

    mean: Tensor
    std: Tensor

    def __init__(self, layers: DigitLayers) -> None:
        super().__init__()
        self.channels = len(layers.mean)
        self.side = layers.side
        self.num_features = layers.num_features
        # In [-1, 1], where our images live, a mean m becomes 2 m - 1 and a deviation s becomes 2 s.
        self.register_buffer("mean", torch.tensor(layers.mean)[:, None, None] * 2 - 1)  # (C, 1, 1)
        self.register_buffer("std", torch.tensor(layers.std)[:, None, None] * 2)  # (C, 1, 1)
        inner = self.channels
        blocks: list[nn.Module] = []
        for width in layers.widths:
            for _ in range(layers.convolutions):
                blocks.append(nn.Conv2d(inner, width, 3, padding=1))
                blocks += [nn.BatchNorm2d(width)] if layers.norm else []
                blocks.append(nn.ReLU())
                inner = width
            blocks.append(nn.MaxPool2d(2))
        self.blocks = nn.Sequential(*blocks)
        self.last = nn.Conv2d(inner, layers.num_features, layers.side // 2 ** len(layers.widths))

    def forward(self, images: Tensor) -> Tensor:
        """images: (B, 1 or 3, H, W) of any size, resized to what it knows -> features (B, Z, 1, 1)."""
        images = match_channels(images, self.channels)
        images = resized(images, (self.side, self.side))  # (B, C, side, side)
        hidden = self.blocks((images - self.mean) / self.std)  # (B, C', h, w)
        return torch.relu(self.last(hidden))  # (B, Z, 1, 1)


class ClassHead(nn.Module):
    """Read a class from features."""

    def __init__(self, num_features: int, num_classes: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(num_features, num_classes, 1)

    def forward(self, features: Tensor) -> Tensor:
        """features: (B, Z, 1, 1) -> logits (B, L)."""
        return self.conv(features).flatten(1)  # type: ignore[no-any-return]
