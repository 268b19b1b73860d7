"""The networks of the perceptual loss give the features of the published ones, by the published names."""

import pytest
import torch
from torch import nn
from torch.nn.functional import conv2d, l1_loss, pad

from i2icli.backbones.catalogue import BACKBONES
from i2icli.config import Config
from i2icli.fields import choices
from i2icli.nn.efficientnet_lite import EfficientNetLiteFeatures, SameConv


def published(name: str) -> nn.Sequential:
    """torchvision's convolutions, with its random weights."""
    from torchvision.models import squeezenet1_1, vgg

    return squeezenet1_1().features if name == "squeezenet" else vgg.make_layers(vgg.cfgs["E"])


@pytest.mark.parametrize(("name", "ends"), [("vgg19", (2, 7, 12, 21, 30)), ("squeezenet", (2, 5, 8, 11, 13))])
def test_features_and_names_are_torchvision_s(name, ends):
    theirs, ours = published(name), BACKBONES[name].build()
    state = {f"features.{key}": value for key, value in theirs.state_dict().items()}
    ours.load_state_dict({key: state[key] for key in ours.state_dict()})
    images = torch.rand(2, 3, 37, 50)
    found = ours(images)
    assert len(found) == len(ends)
    for feature, end in zip(found, ends, strict=True):
        assert torch.equal(feature, theirs[:end](images))


def test_vgg19_compares_as_pix2pixhd_does():
    layers = published("vgg19")
    network = BACKBONES["vgg19"].build()
    network.load_state_dict({key: layers.state_dict()[key[9:]] for key in network.state_dict()})
    fake, real = torch.rand(2, 1, 3, 32, 32) * 2 - 1
    expected = sum(
        weight * l1_loss(layers[:end](fake), layers[:end](real))
        for weight, end in zip((1 / 32, 1 / 16, 1 / 8, 1 / 4, 1), (2, 7, 12, 21, 30), strict=True)
    )
    torch.testing.assert_close(BACKBONES["vgg19"].loss(network)(fake, real), expected)


def test_every_choice_is_described_and_sees_images_of_any_size():
    assert [*BACKBONES, "off"] == list(choices(Config.model_fields["perceptual"]))
    for backbone in BACKBONES.values():
        loss = backbone.loss(backbone.build())
        for channels, size in ((3, (1, 1)), (1, (5, 7)), (3, (33, 47))):
            fake, real = torch.rand(2, 2, channels, *size)
            assert loss(fake, fake) == 0
            assert loss(fake.requires_grad_(), real).isfinite()


def test_a_stride_pads_like_tensorflow():
    image, conv = torch.rand(1, 2, 6, 7), SameConv(2, 2, 3, 2, bias=False)
    padded = pad(image, (1, 1, 0, 1))  # of 6 rows one below; of 7 columns one on either side
    assert torch.equal(conv(image), conv2d(padded, conv.weight, stride=2))
    assert conv(image).shape == (1, 2, 3, 4)


def test_efficientnet_lite_has_the_blocks_of_the_published_file():
    network = EfficientNetLiteFeatures()
    shapes = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    assert len(shapes) == 296 - 8  # without the last convolution, its norm and the classifier
    assert shapes["conv_stem.weight"] == (32, 3, 3, 3)
    assert shapes["blocks.0.project_conv.weight"] == (16, 32, 1, 1)
    assert shapes["blocks.3.depthwise_conv.weight"] == (144, 1, 5, 5)
    assert shapes["blocks.15.project_conv.weight"] == (320, 1152, 1, 1)
    sizes = [tuple(feature.shape[1:]) for feature in network(torch.rand(1, 3, 64, 70))]
    assert sizes == [(32, 32, 35), (24, 16, 18), (40, 8, 9), (112, 4, 5), (320, 2, 3)]
