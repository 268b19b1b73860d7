"""CycleGAN: losses and their order, directions, channels per domain."""

from typing import Any

import pytest
import torch
from torch import Tensor

from i2icli.errors import UserError
from i2icli.systems.cyclegan.config import CycleGANConfig
from i2icli.systems.cyclegan.system import CycleGAN
from i2icli.task import names_of
from tests.asking import ask, compare, resolve, samples, tasks
from tests.systems.steps import run_step
from tests.tiny import tiny_config


def tiny(**changes: Any) -> CycleGAN:
    torch.manual_seed(0)
    config = tiny_config("cyclegan", **changes)
    assert isinstance(config, CycleGANConfig)
    return CycleGAN(config)


def channels_of(system: CycleGAN) -> dict[str | None, tuple[int, int]]:
    """Channels read and answered with, by target."""
    return {task.name: (task.inputs["image"].channels, task.output.channels) for task in tasks(system)}


def collections(A: int = 3, B: int = 3) -> dict[str, Tensor]:
    torch.manual_seed(1)
    return {"A": torch.rand(2, A, 32, 32) * 2 - 1, "B": torch.rand(2, B, 32, 32) * 2 - 1}


G_LOSSES = ["gan_AB", "gan_BA", "cycle_A", "cycle_B"]
IDENTITY = ["identity_A", "identity_B"]


@pytest.mark.parametrize(("changes", "generator", "discriminator"), [
    ({}, G_LOSSES + IDENTITY, ["gan_A", "gan_B"]),
    ({"identity_weight": 0}, G_LOSSES, ["gan_A", "gan_B"]),
    ({"gan_loss": "vanilla", "norm": "batch", "dropout": 0.5}, G_LOSSES + IDENTITY, ["gan_A", "gan_B"]),
    ({"gan_loss": "hinge", "norm": "none"}, G_LOSSES + IDENTITY, ["gan_A", "gan_B"]),
    ({"gan_loss": "wgangp"}, G_LOSSES + IDENTITY, ["gan_A", "penalty_A", "gan_B", "penalty_B"]),
])  # fmt: skip
def test_every_variant_trains(
    changes: dict[str, Any], generator: list[str], discriminator: list[str]
) -> None:
    system = tiny(**changes)
    before = {name: value.clone() for name, value in system.named_parameters()}

    updates = run_step(system, collections())

    assert [update.optimizer for update in updates] == ["G", "D"]
    assert [list(update.losses) for update in updates] == [generator, discriminator]
    assert all(loss.isfinite() for update in updates for loss in update.losses.values())
    weights = [name for name, value in system.named_parameters() if torch.equal(value, before[name])]
    assert not [name for name in weights if not name.endswith("bias")]


def test_discriminators_see_past_fakes_once_the_pools_are_full() -> None:
    system = tiny(pool_size=3)
    run_step(system, collections())
    assert len(system.pool_A.images) == 2
    run_step(system, collections())
    assert len(system.pool_A.images) == len(system.pool_B.images) == 3
    assert "pool_A._extra_state" in system.state_dict()


def test_both_directions_can_be_asked_for_by_name() -> None:
    system = tiny(domains=("horse", "zebra")).eval()
    image = collections()["A"]
    with torch.inference_mode():
        assert torch.equal(ask(system, image=image, to="zebra"), system.G_AB(image))
        assert torch.equal(ask(system, image=image, to="horse"), system.G_BA(image))
        assert torch.equal(ask(system, image=image), system.G_AB(image))
    assert names_of(tasks(system)) == ("zebra", "horse")


def test_an_unknown_domain_is_refused_with_the_known_ones() -> None:
    system = tiny(domains=("horse", "zebra"))
    with pytest.raises(UserError, match=r"'cow'.*zebra, horse"):
        resolve(system, "cow")


def test_domains_may_have_different_channels_and_then_there_is_no_identity_loss() -> None:
    system = tiny(channels=(1, 3))
    assert channels_of(system) == {"B": (1, 3), "A": (3, 1)}
    G, _ = run_step(system, collections(1, 3))
    assert list(G.losses) == G_LOSSES
    assert ask(system, image=torch.zeros(1, 3, 32, 32), to="A").shape == (1, 1, 32, 32)


@pytest.mark.parametrize(("channels", "expected"), [(None, (3, 3)), ((1,), (1, 1))])
def test_channels_follow_the_data(channels: tuple[int, ...] | None, expected: tuple[int, int]) -> None:
    assert channels_of(tiny(channels=channels)) == {"B": expected, "A": expected}


def test_preview_shows_both_ways_there_and_back() -> None:
    columns = tiny().eval().preview(collections())
    assert list(columns) == ["A", "A to B", "and back to A", "B", "B to A", "and back to B"]
    assert {column.shape for column in columns.values()} == {(2, 3, 32, 32)}


def test_only_examples_of_the_same_scene_are_scored() -> None:
    system, batch = tiny(domains=("day", "night")).eval(), collections()
    assert compare(system, batch) == {}
    assert list(samples(system, batch)) == ["day", "night"]
    assert compare(system, batch | {"truth": torch.tensor([False, False])}) == {}

    found = compare(system, batch | {"truth": torch.tensor([False, True])})

    assert list(found) == ["day_to_night", "night_to_day"]
    answer, truth = found["night_to_day"]
    assert torch.equal(truth, batch["A"][1:])
    torch.testing.assert_close(answer, system.G_BA(batch["B"])[1:], atol=1e-5, rtol=1e-5)
