"""Weights that are frozen stay what they are; loaded ones may learn at a rate of their own."""

import math

import pytest
import torch

from i2icli import registry
from i2icli.errors import UserError
from i2icli.runtime.device import Placement
from i2icli.training.fine_tuning import frozen_weights, report_start
from i2icli.training.plan import plan
from i2icli.training.run import build_system
from i2icli.training.state import own_weights, restore, state_of
from i2icli.training.trainer import Trainer
from tests.tiny import STEPS_TO_REACH_ALL, tiny_config
from tests.training.synthetic import assert_same, batches

CPU = Placement(torch.device("cpu"))


def trainer_of(name, stop_at=math.inf, loaded=frozenset(), **settings):
    config = tiny_config(name, **({"steps": STEPS_TO_REACH_ALL.get(name, 2), "batch_size": 2} | settings))
    return Trainer(
        build_system(name, config),
        batches(name, 2),
        CPU,
        after_step=lambda trainer: trainer.system.clock.total == stop_at,
        loaded=loaded,
    )


def copied(state):
    return {key: value.clone() for key, value in state.items() if isinstance(value, torch.Tensor)}


@pytest.mark.parametrize("role", ["generator", "discriminator"])
@pytest.mark.parametrize("name", registry.SYSTEMS)
def test_what_is_frozen_stays_and_all_else_learns(name, role):
    settings = {"discriminator_norm": "batch"} if name == "combogan" else {}
    trainer = trainer_of(name, ema=0.5, freeze=(role,), **settings)
    system = trainer.system
    frozen, before = frozen_weights(system), copied(system.state_dict())
    networks = {each.partition(".")[0] for each in frozen}
    averaged = copied(trainer.ema.state().get("G", {}))
    trainer.fit()
    after, weights = system.state_dict(), own_weights(system)
    held = {id(weight) for each in trainer.optimizers.values() for weight in each.state}
    assert frozen
    for key in before:
        if key.partition(".")[0] in networks and not key.startswith("styles"):
            assert torch.equal(before[key], after[key]), key
    for key in frozen:
        assert weights[key].grad is None
        assert id(weights[key]) not in held
    assert any(not torch.equal(before[key], after[key]) for key in weights.keys() - frozen)
    if "G" in networks and averaged:
        assert_same(averaged, copied(trainer.ema.state()["G"]))


def test_frozen_batch_norms_normalise_by_what_they_have_and_others_go_on():
    trainer = trainer_of("spectral_dcgan", norm="batch", freeze=("D.net.2",))
    D, before = trainer.system.D, copied(trainer.system.D.state_dict())
    trainer.fit()
    changed = {key for key, value in D.state_dict().items() if not torch.equal(value, before[key])}
    assert not any(key.startswith("net.2.") for key in changed)
    assert {"net.3.1.running_mean", "net.0.weight"} <= changed
    assert D.net[2][1].training is False
    assert D.net[3][1].training is True


@pytest.mark.parametrize(
    ("freeze", "expected"),
    [
        (("G_AB",), ("G_AB.",)),
        (("D_A.stem", "G_BA.blocks.0"), ("D_A.stem.", "G_BA.blocks.0.")),
        (("discriminators",), ("D_A.", "D_B.")),
        (("Generator",), ("G_AB.", "G_BA.")),
        (("G_AB.head.bias",), ("G_AB.head.bias",)),
    ],
)
def test_names_mean_networks_layers_and_roles(freeze, expected):
    system = build_system("cyclegan", tiny_config("cyclegan", freeze=freeze))
    assert frozen_weights(system) == {key for key in own_weights(system) if key.startswith(expected)}


def test_layers_of_a_grown_network_are_called_as_before():
    system = build_system("pix2pix", tiny_config("pix2pix", freeze=("G.down",), grown=1, crop_size=64))
    assert frozen_weights(system)
    assert all(key.startswith("G.small.down.") for key in frozen_weights(system))


@pytest.mark.parametrize(
    ("freeze", "said"),
    [
        (
            ("G",),
            r"--freeze G: no such network; there are G_AB, G_BA, D_A, D_B \(or generator, discriminator\)",
        ),
        (("D_A.stern",), r"D_A has no such part; there are D_A.stem, D_A.layers, D_A.head$"),
        (("G_AB.ste",), r"G_AB has no such part"),
        (("generator", "D_A", "D_B"), r"--freeze generator,D_A,D_B leaves nothing to learn; freeze less"),
    ],
)
def test_what_cannot_be_frozen_is_refused_with_what_there_is(freeze, said, toy):
    with pytest.raises(UserError, match=said):
        plan("cyclegan", [toy("cyclegan")], tiny_config("cyclegan", freeze=freeze))


def test_frozen_weights_are_counted_before_the_start_and_random_ones_pointed_out(toy):
    config = tiny_config("cyclegan", freeze=("discriminator",))
    assert any(
        "frozen: discriminator (" in line for line in plan("cyclegan", [toy("cyclegan")], config).report
    )
    system = build_system("cyclegan", config)
    lines = []
    report_start(system, frozenset(each for each in own_weights(system) if each[:3] == "D_A"), lines.append)
    assert lines == ["frozen, but not from --init-from: D_B will stay random"]


def test_only_the_parts_of_a_network_that_stay_random_are_named():
    system = build_system("cyclegan", tiny_config("cyclegan", freeze=("G_AB.stem",)))
    lines = []
    report_start(system, frozenset(), lines.append)
    assert lines == ["frozen, but not from --init-from: G_AB.stem will stay random"]


def test_what_was_loaded_learns_at_a_rate_of_its_own():
    names = own_weights(trainer_of("spade").system)
    loaded = frozenset(name for name in names if not name.startswith("G.head"))
    trainer = trainer_of("spade", loaded=loaded, loaded_lr_factor=0.1, max_grad_norm=1.0)
    trainer.enter(trainer.system.clock.stage)
    config, own = trainer.system.config, {id(weight): name for name, weight in names.items()}
    own = {id(weight): name for name, weight in own_weights(trainer.system).items()}
    for name, lr in (("G", config.lr), ("D", config.discriminator_lr)):
        for group in trainer.optimizers[name].param_groups:
            slow = {own[id(weight)] in loaded for weight in group["params"]}
            assert slow in ({True}, {False})
            assert group["base_lr"] == pytest.approx(lr * (0.1 if slow == {True} else 1))
    assert len(trainer.optimizers["G"].param_groups) == 2


def test_groups_that_were_split_are_clipped_as_one(monkeypatch):
    clipped = []
    monkeypatch.setattr(
        "i2icli.training.updates.clip_grad_norm_", lambda weights, _: clipped.append(len(weights))
    )
    names = own_weights(trainer_of("pix2pix").system)
    for loaded in (frozenset(), frozenset(name for name in names if name.startswith(("G.down", "D.stem")))):
        trainer_of("pix2pix", loaded=loaded, loaded_lr_factor=0.1, max_grad_norm=1.0, steps=1).fit()
    assert clipped[:2] == clipped[2:]


@pytest.mark.parametrize("name", ["cyclegan", "progan"])
def test_a_resumed_run_keeps_both_to_the_bit(name):
    settings = {"freeze": ("discriminator",) if name == "cyclegan" else ("G.blocks.0",)}
    settings |= {"loaded_lr_factor": 0.1, "ema": 0.9, "steps": 4, "batch_size": 2}
    if name == "progan":
        settings |= {"stage_images": 4, "fade_images": 4}
    loaded = frozenset(each for each in own_weights(trainer_of(name).system) if each.startswith("G"))
    whole = trainer_of(name, loaded=loaded, **settings)
    whole.fit()
    half = trainer_of(name, stop_at=3, loaded=loaded, **settings)
    half.fit()
    rest = trainer_of(name, **settings)
    restore(rest, state_of(half))
    assert rest.loaded == loaded
    rest.fit()
    for key in ("system", "average", "optimizers"):
        assert_same({key: state_of(whole)[key]}, {key: state_of(rest)[key]})
