"""The edge network HED: Xie and Tu, "Holistically-nested edge detection", ICCV 2015."""

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from i2icli.nn.vgg import WIDTHS, taken_from

BLOCKS = (2, 2, 3, 3, 3)  # convolutions of each block of VGG16


class HolisticEdges(nn.Module):
    """VGG16 with an edge map after each block, upsampled and fused. https://arxiv.org/abs/1504.06375"""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        self.taken: list[int] = []  # layers after which an edge map is made
        channels = 3
        for count, width in zip(BLOCKS, WIDTHS, strict=True):
            if layers:
                layers.append(nn.MaxPool2d(2, ceil_mode=True))
            for _ in range(count):
                layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU(inplace=True)]
                channels = width
            self.taken.append(len(layers) - 1)
        self.features = nn.Sequential(*layers)
        self.sides = nn.ModuleList(nn.Conv2d(width, 1, 1) for width in WIDTHS)
        self.fuse = nn.Conv2d(len(WIDTHS), 1, 1)

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, H, W), less the mean that its weights expect -> (B, 1, H, W) in [0, 1]: edges."""
        features = taken_from(self.features, images, self.taken)
        size = images.shape[-2:]
        maps = [
            interpolate(side(each), size, mode="bilinear", align_corners=False)  # (B, 1, H, W)
            for side, each in zip(self.sides, features, strict=True)
        ]
        return torch.sigmoid(self.fuse(torch.cat(maps, dim=1)))
