"""A perceptual loss of a tiny network, for tests."""

import torch
from torch import nn

from i2icli.losses.perceptual import PerceptualLoss


class TinyFeatures(nn.Module):
    """Two convolutions with fixed random weights; both outputs are features."""

    def __init__(self) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.first, self.second = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 4, 3, stride=2, padding=1)
        for weight in self.parameters():
            weight.data = torch.randn(weight.shape, generator=generator) / weight[0].numel() ** 0.5

    def forward(self, images: torch.Tensor) -> list[torch.Tensor]:
        first = self.first(images).relu()
        return [first, self.second(first).relu()]


def tiny_loss() -> PerceptualLoss:
    """Always the same."""
    return PerceptualLoss(TinyFeatures(), (0.25, 1.0))
