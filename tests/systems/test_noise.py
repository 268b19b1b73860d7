"""Planes of noise: a task lists those that the network reads, in its order and of its sizes."""

from typing import Any

import pytest
import torch

from i2icli.inference.latents import draw_noise
from i2icli.nn.dropout import NoiseDropout
from i2icli.stage import Clock, Stage
from i2icli.system import System
from i2icli.training.run import build_system
from tests.asking import ask, tasks
from tests.tiny import tiny_config

NETWORKS: list[tuple[str, dict[str, Any]]] = [
    ("pix2pix", {"depth": 6, "crop_size": 64}),
    ("pix2pix", {"depth": 8, "crop_size": 256, "width": 2, "norm": "none"}),  # planes of three sizes
    ("pix2pix", {"generator": "resnet", "num_blocks": 3}),
    ("cyclegan", {"num_blocks": 3}),
]
KINDS = ["unet-6", "unet-8", "resnet", "cyclegan"]


def built(name: str, settings: dict[str, Any], *, grown: int = 0) -> System[Any]:
    """A tiny system with dropout, ready to translate; `grown`: levels that its networks have gained."""
    config = tiny_config(name, dropout=0.5, **settings)
    if grown:
        height, width = config.crop_size
        sides = {"crop_size": (height << grown, width << grown), "grown": grown}
        config = type(config).model_validate(config.model_dump() | sides)
    return build_system(name, config).eval()


def assert_planes_are_what_is_read(system: System[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Every task answers as where its network draws these planes itself, one by one."""
    height, width = system.config.crop_size
    for task in tasks(system):
        image = torch.rand(2, 3, height, 2 * width) * 2 - 1
        planes = draw_noise(task, image.shape[-2:], 3)
        assert list(planes) == list(task.noise)
        with torch.inference_mode():
            given, other = (ask(system, image=image, to=task.name, seed=seed) for seed in (3, 4))
            left = [torch.from_numpy(plane[0]) for plane in planes.values()]  # (C, H, W) each

            def next_plane(shape: torch.Size, **_device: Any) -> torch.Tensor:
                assert left[0].shape == shape  # noqa: B023 - called within the turn
                return left.pop(0)  # noqa: B023

            with monkeypatch.context() as patched:
                patched.setattr(torch, "rand", next_plane)
                drawn = network(system, task.name)(image)
        assert not left
        assert torch.equal(given, drawn)
        assert not torch.equal(given, other)


def network(system: System[Any], to: str | None) -> torch.nn.Module:
    return system.get_submodule({None: "G", "B": "G_AB", "A": "G_BA"}[to])


@pytest.mark.parametrize(("name", "settings"), NETWORKS, ids=KINDS)
def test_planes_are_those_that_the_network_would_draw(
    name: str, settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert_planes_are_what_is_read(built(name, settings), monkeypatch)


@pytest.mark.parametrize(("name", "settings"), NETWORKS, ids=KINDS)
def test_planes_stay_those_of_the_network_while_it_grows(
    name: str, settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    system = built(name, settings, grown=1)
    begins, ends = system.config.stages()
    assert (begins.fading, ends.fading) == (True, False)
    for stage in (begins, ends):
        system.clock = Clock(stage, step=1)
        assert_planes_are_what_is_read(system, monkeypatch)
    assert system.config.tasks(Stage("before", 1)) != system.config.tasks(ends)


@pytest.mark.parametrize(("name", "settings"), NETWORKS, ids=KINDS)
def test_there_is_a_plane_for_every_dropout_and_none_without(name: str, settings: dict[str, Any]) -> None:
    system = built(name, settings)
    for task in tasks(system):
        layers = [each for each in network(system, task.name).modules() if isinstance(each, NoiseDropout)]
        assert len(task.noise) == sum(layer.probability > 0 for layer in layers) > 0
    without = tiny_config(name, dropout=0.0, **settings)
    assert all(not task.noise for task in without.tasks(without.stages()[0]))


def test_an_output_does_not_depend_on_the_default_generator() -> None:
    system = built("pix2pix", {"depth": 6, "crop_size": 64})
    image = torch.rand(1, 3, 64, 64) * 2 - 1
    with torch.inference_mode():
        first = ask(system, image=image)
        before = torch.get_rng_state()
        assert torch.equal(ask(system, image=image), first)
    assert torch.equal(torch.get_rng_state(), before)
