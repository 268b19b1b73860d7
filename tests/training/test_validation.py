"""What is measured on validation images, and the one number by which the best model is kept."""

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from i2icli import registry
from i2icli.config import RunOptions
from i2icli.data.loader import validation_batches
from i2icli.stage import Clock
from i2icli.training.run import build_system
from i2icli.training.run_data import open_data
from i2icli.training.validation import measure_spectra, quality, validate
from tests.tiny import tiny_config

SCORES = {
    "psnr/A_to_B": 10.0,
    "psnr/B_to_A": 20.0,
    "ssim/A_to_B": 0.5,
    "accuracy": 0.75,
    "source_accuracy": 1.0,
}


def test_the_criterion_is_a_mean_over_outputs() -> None:
    assert quality(SCORES, "psnr") == 15.0
    assert quality(SCORES, "accuracy") == 0.75


def test_what_was_not_measured_keeps_no_model() -> None:
    assert quality({"ssim": 0.5, "psnr_of_others": 1.0}, "psnr") is None


def networks(module: nn.Module) -> Iterator[nn.Module]:
    """The networks inside, also those in dictionaries and lists, but not their layers."""
    for child in module.children():
        if type(child).forward is nn.Module.forward:
            yield from networks(child)
        else:
            yield child


@pytest.mark.parametrize("name", registry.SYSTEMS)
def test_no_network_runs_twice_on_the_same(name: str, toy: Any) -> None:
    folder, config = open_data(name, [toy(name)], tiny_config(name), RunOptions())
    system = build_system(name, config).eval()
    for weight in system.parameters():
        weight.data += 0.05 * torch.randn_like(weight)  # so that every code and label makes a difference
    calls: list[tuple[int, list[bytes]]] = []

    def note(network: nn.Module, given: tuple[Any, ...]) -> None:
        calls.append((id(network), [each.numpy().tobytes() for each in given if isinstance(each, Tensor)]))

    for network in networks(system):
        network.register_forward_pre_hook(note)
    for stage in system.config.stages():
        system.clock = Clock(stage)
        examples = folder.validation(stage.shape)
        assert examples is not None
        batch = next(validation_batches(examples, batch_size=1, workers=0))
        calls.clear()
        with torch.no_grad():
            validate(system, [batch])
        assert calls
        assert all(calls.count(call) == 1 for call in calls), stage.name


@pytest.mark.parametrize("name", registry.SYSTEMS)
def test_samples_can_be_measured_in_every_stage_without_validation_images(name: str, toy: Any) -> None:
    folder, config = open_data(name, [toy(name)], tiny_config(name, holdout=0.0), RunOptions())
    system = build_system(name, config).eval()
    for stage in system.config.stages():
        system.clock = Clock(stage)
        examples = folder.train(stage.shape)
        with torch.no_grad():
            found = measure_spectra(system, [next(validation_batches(examples, batch_size=1, workers=0))])
    assert any(score.startswith("spectral_distance") for score in found.scores)  # of the last stage
