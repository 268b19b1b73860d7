"""A perceptual loss of a tiny network, for tests."""

from typing import Any

import torch
from torch import nn

from i2icli.config import Config
from i2icli.losses.perceptual import PerceptualLoss
from i2icli.registry import config_type


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


def with_perceptual(name: str) -> dict[str, Any]:
    """Settings that ask for a perceptual loss, if the system can have one."""
    if not config_type(name).reconstructs:
        return {}
    return {"perceptual": "vgg19", "perceptual_weight": 1.0}


def loss_of(config: Config) -> PerceptualLoss | None:
    """The loss for a trainer with these settings."""
    return tiny_loss() if config.has_perceptual_loss else None


def tiny_loss() -> PerceptualLoss:
    """Always the same."""
    return PerceptualLoss(TinyFeatures(), (0.25, 1.0))
