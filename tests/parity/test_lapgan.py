"""LAPGAN: pyramid, networks and schedule equal the reference's numbers."""

import pytest
import torch
from torch import Tensor, nn

from i2icli.nn.pyramid import downsample, pyramid, resample, upsample
from i2icli.systems.lapgan.networks import LevelDiscriminator, LevelGenerator
from i2icli.systems.lapgan.original import rename
from i2icli.systems.lapgan.schedule import lr_at, momentum_at
from tests.parity import cases
from tests.parity.cases import Case


def load(network: nn.Module, case: Case) -> nn.Module:
    network.load_state_dict(rename(case.state()), strict=True)
    return network.eval().requires_grad_(False)


def label_of(case: Case) -> Tensor | None:
    return case.given("class") if "classes" in case.config else None


@pytest.mark.parametrize("name", ["conditional_generator", "class_conditional_generator", "generator_16px"])
def test_generators(name: str) -> None:
    case = cases.read("lapgan", name)
    widths, side = [case.config["hidden"]] * 2, case.config["fine_size"]
    G = load(LevelGenerator(3, widths, side, num_classes=case.config.get("classes", 0)), case)
    cases.assert_images(G(case.given("coarse"), case.given("noise"), label_of(case)), case.expected())


@pytest.mark.parametrize("name", ["conditional_discriminator", "class_conditional_discriminator"])
def test_discriminators(name: str) -> None:
    case = cases.read("lapgan", name)
    widths, side = [case.config["hidden"]] * 2, case.config["fine_size"]
    D = load(LevelDiscriminator(3, widths, side, num_classes=case.config.get("classes", 0)), case)
    logits = D(case.given("coarse"), case.given("diff"), label_of(case))
    cases.assert_images(logits.sigmoid(), case.expected())


def test_pyramid() -> None:
    case = cases.read("lapgan", "pyramid")
    image = case.given("image")
    sides = sorted(case.config["levels"])
    small, levels = pyramid(image, [(side, side) for side in sides])
    cases.assert_images(small, case.expected(f"down_{sides[0]}"))
    cases.assert_images(downsample(image, (16, 16)), case.expected("down_16"))
    for side, level in zip(sides[1:], levels, strict=True):
        cases.assert_images(level.coarse, case.expected(f"coarse_{side}"))
        cases.assert_images(level.residual, case.expected(f"residual_{side}"))
    again = small
    for side, level in zip(sides[1:], levels, strict=True):
        again = upsample(again, (side, side)) + level.residual
    cases.assert_images(again, case.expected("reconstruction"))


def test_resampling_to_any_ratio() -> None:
    case = cases.read("lapgan", "resample_any_ratio")
    found = [name for name in case.tensors if name.startswith("out.scaled_")]
    assert len(found) == 4
    for name in found:
        height, width = map(int, name.removeprefix("out.scaled_").split("x"))
        cases.assert_images(resample(case.given("image"), (height, width)), case.tensors[name])


def test_schedule() -> None:
    case = cases.read("lapgan", "sgd_schedule")
    epochs = range(len(case.expected("lr")))
    lr = [lr_at(epoch, case.config["lr"], 1.000004) for epoch in epochs]
    momentum = [momentum_at(epoch, case.config["momentum"], 0.7) for epoch in epochs]
    torch.testing.assert_close(torch.tensor(lr, dtype=torch.float64), case.expected("lr"), rtol=1e-12, atol=0)
    expected = case.expected("momentum")
    torch.testing.assert_close(torch.tensor(momentum, dtype=torch.float64), expected, rtol=1e-12, atol=0)
