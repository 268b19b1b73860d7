"""Upsampling layers by name: sizes, and their effect on a uniform image."""

from typing import Literal

import pytest
import torch
from torch import nn

from i2icli.nn.resnet import ResnetGenerator
from i2icli.nn.unet import UNetGenerator
from i2icli.nn.upsampling import Upsampling, build_upsampling
from i2icli.systems.cyclegan.config import CycleGANConfig
from i2icli.systems.cyclegan.system import CycleGAN
from i2icli.systems.pix2pix.config import Pix2PixConfig
from i2icli.systems.pix2pix.networks import build_generator
from tests.asking import ask
from tests.tiny import tiny_config

KINDS: tuple[Upsampling, ...] = ("transposed", "nearest", "bilinear")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("kernel", [3, 4])
def test_sides_are_doubled(kind: Upsampling, kernel: Literal[3, 4]) -> None:
    layer = build_upsampling(kind, 5, 3, kernel=kernel, bias=False)
    assert layer(torch.rand(2, 5, 6, 7)).shape == (2, 3, 12, 14)
    assert layer.bias is None


@pytest.mark.parametrize("kind", KINDS)
def test_only_transposed_convolutions_cause_a_checkerboard_on_a_uniform_image(kind: Upsampling) -> None:
    layer = build_upsampling(kind, 4, 4)
    inside = layer(torch.ones(1, 4, 8, 8))[..., 2:-2, 2:-2]
    flat = (inside - inside[..., :1, :1]).abs().max() < 1e-5
    assert flat == (kind != "transposed")


def test_nearest_and_bilinear_interpolate_accordingly() -> None:
    edge = torch.tensor([[[[0.0, 1.0], [0.0, 1.0]]]])
    rows = {}
    for kind in ("nearest", "bilinear"):
        layer = build_upsampling(kind, 1, 1, bias=False)
        nn.init.zeros_(layer.weight)
        layer.weight.data[0, 0, 1, 1] = 1  # the identity kernel: only interpolation is left
        rows[kind] = layer(edge)[0, 0, 1].tolist()
    assert rows == {"nearest": [0, 0, 1, 1], "bilinear": [0, 0.25, 0.75, 1]}


@pytest.mark.parametrize("kind", KINDS[1:])
def test_generators_use_the_upsampling_mode(kind: Upsampling) -> None:
    for generator in (
        ResnetGenerator(3, 3, 4, 1, upsampling=kind),
        UNetGenerator(3, 3, 4, 3, "instance", upsampling=kind),
    ):
        assert not [layer for layer in generator.modules() if isinstance(layer, nn.ConvTranspose2d)]
        assert generator(torch.rand(1, 3, 32, 32)).shape == (1, 3, 32, 32)


@pytest.mark.parametrize("kind", KINDS)
def test_settings_reach_the_networks(kind: Upsampling) -> None:
    cyclegan = tiny_config("cyclegan", upsampling=kind)
    pix2pix = tiny_config("pix2pix", upsampling=kind)
    assert isinstance(cyclegan, CycleGANConfig)
    assert isinstance(pix2pix, Pix2PixConfig)
    system = CycleGAN(cyclegan)
    for network in (system.G_AB, system.G_BA, build_generator(pix2pix, 3, 3)):
        transposed = [layer for layer in network.modules() if isinstance(layer, nn.ConvTranspose2d)]
        assert bool(transposed) == (kind == "transposed")
    assert ask(system, image=torch.zeros(1, 3, 32, 32)).shape == (1, 3, 32, 32)
