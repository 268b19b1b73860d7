"""The convolutions of SqueezeNet 1.1, as far as features are taken from them."""

import torch
from torch import Tensor, nn

from i2icli.nn.vgg import taken_from

TAKEN = (1, 4, 7, 10, 12)  # the first ReLU, and the last Fire module of each width


class Fire(nn.Module):
    """A 1x1 convolution to few channels, then 1x1 and 3x3 convolutions of these side by side."""

    def __init__(self, channels: int, squeezed: int, expanded: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(channels, squeezed, 1)
        self.expand1x1 = nn.Conv2d(squeezed, expanded, 1)
        self.expand3x3 = nn.Conv2d(squeezed, expanded, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, h, w) -> (B, 2 x expanded, h, w)."""
        squeezed = self.squeeze(x).relu_()
        return torch.cat([self.expand1x1(squeezed), self.expand3x3(squeezed)], 1).relu_()


class SqueezeNetFeatures(nn.Module):
    """Five features of SqueezeNet 1.1.

    Iandola et al., "SqueezeNet: AlexNet-level accuracy with 50x fewer parameters", 2016,
    https://arxiv.org/abs/1602.07360; version 1.1 is the authors' later one. Layers are numbered as in
    torchvision's files: "features.0.weight".
    """

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 64, 3, stride=2), nn.ReLU(inplace=True),
            _pool(), Fire(64, 16, 64), Fire(128, 16, 64),
            _pool(), Fire(128, 32, 128), Fire(256, 32, 128),
            _pool(), Fire(256, 48, 192), Fire(384, 48, 192), Fire(384, 64, 256), Fire(512, 64, 256),
        )  # fmt: skip

    def forward(self, images: Tensor) -> list[Tensor]:
        """(B, 3, H, W), sides of 17 or more -> (B, C, h, w) at 1/2, 1/4, 1/8, 1/16 and 1/16 of the size."""
        return taken_from(self.features, images, TAKEN)


def _pool() -> nn.MaxPool2d:
    return nn.MaxPool2d(3, stride=2, ceil_mode=True)
