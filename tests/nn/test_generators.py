"""Shapes, building without memory, and generators whose answer for an image ignores its neighbours."""

from collections.abc import Callable

import pytest
import torch
from torch import nn

from i2icli.nn.init import init_normal
from i2icli.nn.resnet import ResnetGenerator
from i2icli.nn.unet import UNetGenerator

Build = Callable[[], nn.Module]

BUILDS: dict[str, Build] = {
    "unet": lambda: UNetGenerator(1, 2, width=2, depth=6),
    "unet of depth 2": lambda: UNetGenerator(1, 2, width=2, depth=2, norm="instance"),
    "resnet": lambda: ResnetGenerator(1, 2, width=2, num_blocks=2, norm="batch", dropout=0.5),
    "resnet without norm": lambda: ResnetGenerator(1, 2, width=2, num_blocks=1, norm="none"),
}


@pytest.fixture(params=BUILDS, ids=lambda name: name.replace(" ", "-"))
def build(request: pytest.FixtureRequest) -> Build:
    return BUILDS[request.param]


def drawn(build: Build) -> nn.Module:
    """A network with weights and statistics that are all unlike each other."""
    torch.manual_seed(0)
    network = build()
    init_normal(network, 0.3)
    network.train()(torch.randn(2, 1, 64, 64))
    return network.eval()


def test_an_image_keeps_its_size(build: Build) -> None:
    with torch.inference_mode():
        y = drawn(build)(torch.randn(3, 1, 64, 128))
    assert y.shape == (3, 2, 64, 128)
    assert y.abs().max() <= 1


def test_built_without_memory_and_given_the_weights_it_is_the_same_network(build: Build) -> None:
    network = drawn(build)
    with torch.device("meta"):
        other = build()
    other.load_state_dict(network.state_dict(), strict=True, assign=True)
    x = torch.randn(1, 1, 64, 64)

    with torch.inference_mode():
        torch.manual_seed(1)
        expected = network(x)
        torch.manual_seed(1)
        actual = other.eval()(x)

    assert torch.equal(actual, expected)


def test_an_images_answer_does_not_depend_on_its_batch(build: Build) -> None:
    network = drawn(build)
    x = torch.randn(3, 1, 64, 64)
    with torch.inference_mode():
        torch.manual_seed(1)
        together = network(x)
        torch.manual_seed(1)
        alone = network(x[1:2])
    torch.testing.assert_close(alone, together[1:2], atol=1e-5, rtol=1e-5)


def test_a_unet_halves_as_often_as_asked() -> None:
    network = UNetGenerator(width=2, depth=7)
    assert network.multiple == 128
    widths = [down.conv.out_channels for down in network.down]
    assert widths == [2, 4, 8, 16, 16, 16, 16]


@pytest.mark.parametrize(("depth", "noisy"), [(5, 0), (6, 1), (8, 3)])
def test_a_unet_drops_features_between_its_widest_layers(depth: int, noisy: int) -> None:
    network = UNetGenerator(width=1, depth=depth, dropout=0.5)
    probabilities = [dropout.probability for dropout in network.dropout]
    assert probabilities == [0.0] + [0.5] * noisy + [0.0] * (depth - 2 - noisy)


def test_convolutions_have_a_bias_unless_batch_norm_follows() -> None:
    def biased(network: nn.Module) -> int:
        convs = [module for module in network.modules() if isinstance(module, nn.Conv2d | nn.ConvTranspose2d)]
        return sum(conv.bias is not None for conv in convs)

    assert biased(ResnetGenerator(width=1, num_blocks=1, norm="batch")) == 1  # the last
    assert biased(ResnetGenerator(width=1, num_blocks=1, norm="instance")) == 8
    assert biased(UNetGenerator(width=1, depth=3, norm="batch")) == 1


def test_weights_start_as_in_the_papers() -> None:
    torch.manual_seed(0)
    network = ResnetGenerator(width=16, num_blocks=2, norm="batch")
    init_normal(network)
    kernel, norm = network.blocks[0].first.conv.weight, network.blocks[0].first.norm
    assert kernel.std().item() == pytest.approx(0.02, rel=0.05)
    assert norm.weight.mean().item() == pytest.approx(1, abs=0.02)
    assert norm.weight.std().item() == pytest.approx(0.02, rel=0.5)
    assert not network.head.bias.any()
    assert not norm.bias.any()
