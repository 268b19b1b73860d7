"""The networks of LAPGAN: dense ones for the images of the lowest level, convolutions for every level above.

Denton et al., NIPS 2015, section 3.3, and the authors' program, of which the details are.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from i2icli.nn.norm import Norm, build_norm, needs_bias
from i2icli.systems.lapgan.config import FIRST_NOISE


class ClassPlane(nn.Module):
    """A class as one more channel of a image, learned."""

    def __init__(self, num_classes: int, side: int) -> None:
        super().__init__()
        self.side = side
        self.linear = nn.Linear(num_classes, side * side)

    def forward(self, label: Tensor, size: tuple[int, int]) -> Tensor:
        """label: (B, L), 1 for its class, else 0 -> (B, 1, *size); stretched if that is not its own size."""
        plane: Tensor = self.linear(label).relu().view(-1, 1, self.side, self.side)  # (B, 1, side, side)
        if not torch.compiler.is_exporting() and size == (self.side, self.side):
            return plane
        return interpolate(plane, size, mode="bilinear", align_corners=True)  # (B, 1, *size)


def _channels(planes: Sequence[Tensor | None]) -> Tensor:
    """Planes (B, C, H, W) one behind the other; those that are not there are left out."""
    return torch.cat([plane for plane in planes if plane is not None], dim=1)


class LevelGenerator(nn.Module):
    """What an upscaled image lacks, made of the image and noise: (B, C, H, W), any size.

    Convolutions with ReLU between; no activation at the end, as residuals have any value.
    """

    def __init__(
        self,
        channels: int,
        widths: Sequence[int],
        side: int,
        *,
        kernel: int = 7,
        last_kernel: int = 5,
        norm: Norm = "none",
        dropout: float = 0.0,
        num_classes: int = 0,
    ) -> None:
        """widths: channels of the hidden layers. side: of the images learned from, for the classes."""
        super().__init__()
        self.plane = ClassPlane(num_classes, side) if num_classes else None
        inputs = [1 + bool(num_classes) + channels, *widths[:-1]]
        layers: list[nn.Module] = []
        for source, target in zip(inputs, widths, strict=True):
            layers += [nn.Conv2d(source, target, kernel, padding=kernel // 2, bias=needs_bias(norm))]
            layers += [] if norm == "none" else [build_norm(norm, target, "running")]
            layers += [nn.ReLU(inplace=True)] + ([nn.Dropout(dropout)] if dropout else [])
        self.layers = nn.Sequential(*layers)
        self.head = nn.Conv2d(widths[-1], channels, last_kernel, padding=last_kernel // 2)

    def forward(self, coarse: Tensor, noise: Tensor, label: Tensor | None = None) -> Tensor:
        """coarse: (B, C, H, W), upscaled; noise: (B, 1, H, W) in [-1, 1]; label: (B, L) -> (B, C, H, W)."""
        size = coarse.shape[-2], coarse.shape[-1]
        plane = self.plane(label, size) if self.plane is not None else None
        return self.head(self.layers(_channels([noise, plane, coarse])))  # type: ignore[no-any-return]


class LevelDiscriminator(nn.Module):
    """Whether a residual belongs to its upscaled image; one logit each.

    It sees their sum. 5x5 convolutions, unpadded as long as the image is large enough, the first of
    stride 1, the others of stride 2, with ReLU; then dropout and one linear layer.
    """

    def __init__(
        self,
        channels: int,
        widths: Sequence[int],
        side: int,
        *,
        norm: Norm = "none",
        dropout: float = 0.5,
        num_classes: int = 0,
    ) -> None:
        """side: of the images, which must all have this size."""
        super().__init__()
        self.plane = ClassPlane(num_classes, side) if num_classes else None
        padding = 0 if _after(side, len(widths), 0) > 0 else 2
        layers: list[nn.Module] = []
        source = channels + bool(num_classes)
        for number, target in enumerate(widths):
            normed = norm if number else "none"
            stride = 2 if number else 1
            layers += [nn.Conv2d(source, target, 5, stride, padding, bias=needs_bias(normed))]
            layers += [] if normed == "none" else [build_norm(normed, target, "running")]
            layers += [nn.ReLU(inplace=True)]
            source = target
        self.layers = nn.Sequential(*layers)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(source * _after(side, len(widths), padding) ** 2, 1)

    def forward(self, coarse: Tensor, residual: Tensor, label: Tensor | None = None) -> Tensor:
        """coarse, residual: (B, C, H, W); label: (B, L) -> logits (B, 1)."""
        size = coarse.shape[-2], coarse.shape[-1]
        plane = self.plane(label, size) if self.plane is not None else None
        features = self.layers(_channels([residual + coarse, plane])).flatten(1)  # (B, C h w)
        return self.head(self.dropout(features))  # type: ignore[no-any-return]


def _after(side: int, num_layers: int, padding: int) -> int:
    """The side of a discriminator's last features: 5x5, stride 1, then stride 2; below 1 if none are left."""
    for number in range(num_layers):
        side = (side + 2 * padding - 5) // (2 if number else 1) + 1 if side + 2 * padding >= 5 else 0
    return side


class SmallGenerator(nn.Module):
    """Images of the lowest level, by two hidden layers from noise; ReLU, sigmoid: (B, C, side, side)."""

    def __init__(self, channels: int, side: int, width: int, num_classes: int = 0) -> None:
        super().__init__()
        self.shape = (channels, side, side)
        self.layers = nn.Sequential(
            nn.Linear(FIRST_NOISE + num_classes, width),
            nn.ReLU(inplace=True),
            nn.Linear(width, width),
            nn.Sigmoid(),
            nn.Linear(width, channels * side * side),
        )
        _init_dense(self, 0.05)

    def forward(self, noise: Tensor, label: Tensor | None = None) -> Tensor:
        """noise: (B, 100) in [-1, 1]; label: (B, L) -> (B, C, side, side), about [-1, 1]."""
        known = noise if label is None else torch.cat([noise, label], dim=1)  # (B, 100 + L)
        return self.layers(known).unflatten(1, self.shape)  # type: ignore[no-any-return]


class SmallDiscriminator(nn.Module):
    """Scores images of the lowest level: two hidden layers with ReLU and dropout, one logit each."""

    def __init__(self, channels: int, side: int, width: int, dropout: float, num_classes: int = 0) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(channels * side * side + num_classes, width),
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
            nn.Linear(width, width),
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
            nn.Linear(width, 1),
        )
        _init_dense(self, 0.005)

    def forward(self, image: Tensor, label: Tensor | None = None) -> Tensor:
        """image: (B, C, side, side); label: (B, L) -> logits (B, 1)."""
        pixels = image.flatten(1)  # (B, C side side)
        known = pixels if label is None else torch.cat([pixels, label], dim=1)
        return self.layers(known)  # type: ignore[no-any-return]


def _init_dense(network: nn.Module, std: float) -> None:
    """Weights from N(0, std), biases 0, as in the authors' program."""
    for layer in network.modules():
        if isinstance(layer, nn.Linear) and not layer.weight.is_meta:
            nn.init.normal_(layer.weight, 0.0, std)
            nn.init.zeros_(layer.bias)
