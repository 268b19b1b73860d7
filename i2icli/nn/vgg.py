"""The convolutions of VGG networks, as far as features are taken from them."""

from collections.abc import Sequence

from torch import Tensor, nn

WIDTHS = (64, 128, 256, 512, 512)  # channels of each block


class VGGFeatures(nn.Module):
    """Features after the first ReLU of each block: relu1_1, relu2_1, ...

    Simonyan and Zisserman, "Very Deep Convolutional Networks for Large-Scale Image Recognition", ICLR 2015,
    https://arxiv.org/abs/1409.1556. Layers are numbered as in torchvision's files: "features.0.weight".
    """

    def __init__(self, convolutions: Sequence[int], *, ceil: bool = False) -> None:
        """convolutions: of each block; VGG19's are 2, 2, 4, 4 and 4, and those behind the last feature can
        be left out. ceil: whether an odd row at the edge is pooled by itself instead of dropped, as in Caffe.
        """
        super().__init__()
        layers: list[nn.Module] = []
        self.taken: list[int] = []  # layers whose output is a feature
        channels = 3
        for count, width in zip(convolutions, WIDTHS, strict=False):
            if layers:
                layers.append(nn.MaxPool2d(2, ceil_mode=ceil))
            self.taken.append(len(layers) + 1)
            for _ in range(count):
                layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU(inplace=True)]
                channels = width
        self.features = nn.Sequential(*layers)

    def forward(self, images: Tensor) -> list[Tensor]:
        """(B, 3, H, W) -> (B, C, h, w) of each block, at 1, 1/2, 1/4, ... of the size."""
        return taken_from(self.features, images, self.taken)


def taken_from(layers: nn.Sequential, images: Tensor, taken: Sequence[int]) -> list[Tensor]:
    """The outputs of some of the layers, by number, when images (B, 3, H, W) pass through all of them."""
    found: list[Tensor] = []
    for number, layer in enumerate(layers):
        images = layer(images)
        if number in taken:
            found.append(images)
    return found
