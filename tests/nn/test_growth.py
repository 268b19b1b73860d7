"""A grown network begins as exactly what the small one was, at every level and in every system."""

import pytest
import torch
from torch import nn

from i2icli.nn.growth import (
    GrowingDiscriminator,
    GrowingGenerator,
    downsample_2x,
    trainable_weights,
)
from i2icli.nn.init import init_normal
from i2icli.nn.patchgan import PatchDiscriminator, PixelDiscriminator
from i2icli.nn.resnet import ResnetGenerator
from i2icli.nn.unet import UNetGenerator
from i2icli.nn.upsampling import upsample_2x
from i2icli.stage import Clock, Stage

GENERATORS = {
    "unet": lambda: UNetGenerator(1, 2, width=2, depth=3, dropout=0.5),
    "resnet": lambda: ResnetGenerator(1, 2, width=4, num_blocks=1, dropout=0.5),
}
DISCRIMINATORS = {
    "patch": lambda: PatchDiscriminator(1, width=4, num_layers=2),
    "pixel": lambda: PixelDiscriminator(1, width=4),
}


def clock_at(level: int, alpha: float = 1.0, fading: bool = False, alone: bool = False) -> Clock:
    return Clock(Stage("", 1000, level=level, fading=fading, alone=alone), step=round(1000 * alpha))


class Growth:
    """How far networks have grown: a test can change it."""

    def __init__(self, level: int, alpha: float = 1.0, *, fading: bool = False, alone: bool = False) -> None:
        self.clock = clock_at(level, alpha, fading, alone)


def grown_generator(name: str, growth: Growth, levels: int = 2) -> GrowingGenerator:
    network = GrowingGenerator(GENERATORS[name](), levels, 1, 2, "instance", lambda: growth.clock)
    init_normal(network, 0.3)
    return network.eval()


def grown_discriminator(name: str, growth: Growth, levels: int = 2) -> GrowingDiscriminator:
    network = GrowingDiscriminator(DISCRIMINATORS[name](), levels, 1, lambda: growth.clock)
    init_normal(network, 0.3)
    return network.eval()


def seeded(network: nn.Module, x: torch.Tensor) -> torch.Tensor:
    torch.manual_seed(1)
    answer: torch.Tensor = network(x)
    return answer


@pytest.mark.parametrize("level", [1, 2])
@pytest.mark.parametrize("name", GENERATORS)
def test_at_alpha_0_a_generator_answers_what_the_smaller_one_does(name: str, level: int) -> None:
    growth = Growth(level, 0.0, fading=True)
    network = grown_generator(name, growth)
    x = torch.rand(2, 1, 64, 32) * 2 - 1
    answer = seeded(network, x)
    growth.clock = clock_at(level - 1)
    assert torch.equal(answer, upsample_2x(seeded(network, downsample_2x(x))))
    if level == 1:
        assert torch.equal(answer, upsample_2x(seeded(network.small, downsample_2x(x))))


@pytest.mark.parametrize("level", [1, 2])
@pytest.mark.parametrize("name", DISCRIMINATORS)
def test_at_alpha_0_a_discriminator_judges_as_the_smaller_one_does(name: str, level: int) -> None:
    growth = Growth(level, 0.0, fading=True)
    network = grown_discriminator(name, growth)
    x = torch.rand(2, 1, 64, 96) * 2 - 1
    scores = network(x)
    growth.clock = clock_at(level - 1)
    assert torch.equal(scores, network(downsample_2x(x)))
    if level == 1:
        assert torch.equal(scores, network.small(downsample_2x(x)))


@pytest.mark.parametrize("name", GENERATORS)
def test_a_fade_goes_from_the_small_answer_to_the_new_one(name: str) -> None:
    growth = Growth(1, fading=True)
    network = grown_generator(name, growth, levels=1)
    x = torch.rand(1, 1, 16, 16) * 2 - 1
    answers = []
    for alpha in (0.0, 0.25, 1.0):
        growth.clock = clock_at(1, alpha, fading=True)
        answers.append(seeded(network, x))
    growth.clock = clock_at(1)
    small, between, new = answers
    assert torch.equal(seeded(network, x), new)
    assert not torch.allclose(small, new, atol=0.01)
    torch.testing.assert_close(between, 0.75 * small + 0.25 * new)


@pytest.mark.parametrize("make", [grown_generator, grown_discriminator])
@pytest.mark.parametrize(
    "now",
    [clock_at(0), *(clock_at(level, 0.5, fading=True) for level in (1, 2)), clock_at(1), clock_at(2)],
)
def test_exactly_the_weights_in_use_learn(make, now: Clock) -> None:
    growth = Growth(0)
    name = "resnet" if make is grown_generator else "patch"
    network = make(name, growth).train()
    growth.clock = now
    network(torch.rand(1, 1, 64, 64)).square().mean().backward()
    reached = {id(weight) for weight in network.parameters() if weight.grad is not None}
    assert {id(weight) for weight in trainable_weights(network)} == reached


def test_an_enhancer_learns_alone() -> None:
    growth = Growth(2, alone=True)
    network = grown_generator("unet", growth)
    assert {id(w) for w in trainable_weights(network)} == {id(w) for w in network.levels[1].parameters()}


def test_a_generator_asks_for_multiples_of_the_level_it_has_reached() -> None:
    growth = Growth(0)
    network = grown_generator("unet", growth)
    assert network.multiple == 8
    growth.clock = clock_at(2)
    assert network.multiple == 32
    assert network(torch.rand(1, 1, 32, 64)).shape == (1, 2, 32, 64)
