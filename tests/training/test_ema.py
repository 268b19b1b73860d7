"""The average of the published weights, and the statistics of batch norm that are measured for it."""

from copy import deepcopy
from itertools import islice

import pytest
import torch
from torch import Tensor, nn

from i2icli.nn.norm import BatchNorm
from i2icli.runtime.device import Placement
from i2icli.system import Batch
from i2icli.training.run import build_system
from i2icli.training.trainer import Trainer
from tests.tiny import tiny_config
from tests.training.synthetic import assert_same, batches

SIZE = 4  # images of a batch
Statistics = list[tuple[Tensor, Tensor]]


@pytest.fixture
def trainer() -> Trainer:
    """A tiny spectral DCGAN with batch norm and an average, after three steps."""
    config = tiny_config("spectral_dcgan", norm="batch", ema=0.9, steps=9, batch_size=SIZE, lr=5e-3)
    trained = Trainer(
        build_system("spectral_dcgan", config),
        batches("spectral_dcgan", SIZE),
        Placement(torch.device("cpu")),
        after_step=lambda each: each.system.clock.step == 3,
    )
    assert not trained.fit()
    return trained


def some_batches(trainer: Trainer, count: int = 3) -> list[Batch]:
    """Batches that it has not seen."""
    return list(islice(batches("spectral_dcgan", SIZE)(trainer.system.clock.stage, 100), count))


def norms_of(network: nn.Module) -> list[BatchNorm]:
    return [module for module in network.modules() if isinstance(module, BatchNorm)]


def statistics_of(network: nn.Module) -> Statistics:
    """Running mean and variance of every batch norm."""
    return [(norm.running_mean.clone(), norm.running_var.clone()) for norm in norms_of(network)]


def measured(network: nn.Module, given: list[Batch], fixed: tuple[int, ...] = ()) -> Statistics:
    """Mean over the batches of the mean and of the unbiased variance of what each batch norm reads.

    `fixed`: the places of those that go on with their running statistics.
    """
    copy = deepcopy(network).eval()
    seen: list[Statistics] = [[] for _ in norms_of(copy)]
    for place, norm in enumerate(norms_of(copy)):
        norm.train(place not in fixed)
        norm.register_forward_pre_hook(
            lambda _, inputs, place=place: seen[place].append(
                (inputs[0].mean((0, 2, 3)), inputs[0].var((0, 2, 3), correction=1))
            )
        )
    with torch.no_grad():
        for batch in given:
            copy(batch["codes"][:, 0])
    means = (zip(*each, strict=True) for each in seen)
    return [(torch.stack(mean).mean(0), torch.stack(variance).mean(0)) for mean, variance in means]


def test_statistics_are_measured_with_the_averaged_weights(trainer: Trainer) -> None:
    averaged, given = trainer.ema.averaged["G"], some_batches(trainer)
    expected, copied = measured(averaged, given), statistics_of(averaged)
    weights = {name: value.clone() for name, value in averaged.named_parameters()}
    own = {name: value.clone() for name, value in trainer.system.state_dict().items()}

    trainer.ema.reestimate(iter(given))

    torch.testing.assert_close(statistics_of(averaged), expected)
    for found, before in zip(statistics_of(averaged), copied, strict=True):
        assert not any(map(torch.allclose, found, before))
    assert_same(dict(averaged.named_parameters()), weights)
    assert_same(trainer.system.state_dict(), own)  # what is trained is left alone
    assert not any(module.training for module in averaged.modules())
    assert all(module.training for module in trainer.system.modules())
    assert {norm.momentum for norm in norms_of(averaged)} == {0.1}


def test_measuring_again_does_not_depend_on_what_was_measured_before(trainer: Trainer) -> None:
    averaged, given = trainer.ema.averaged["G"], some_batches(trainer, 5)
    trainer.ema.reestimate(given[:3])
    trainer.ema.update(0)
    trainer.ema.reestimate(given[3:])
    torch.testing.assert_close(statistics_of(averaged), measured(averaged, given[3:]))


def test_statistics_are_measured_once_for_the_same_weights(trainer: Trainer) -> None:
    given = some_batches(trainer, 5)
    trainer.ema.reestimate(given[:3])
    trainer.ema.reestimate(given[3:])
    averaged = trainer.ema.averaged["G"]
    torch.testing.assert_close(statistics_of(averaged), measured(averaged, given[:3]))


def test_layers_that_are_not_in_training_mode_keep_their_statistics(trainer: Trainer) -> None:
    averaged, given = trainer.ema.averaged["G"], some_batches(trainer)
    norms_of(trainer.system.G)[1].eval()
    expected, copied = measured(averaged, given, fixed=(1,)), statistics_of(averaged)

    trainer.ema.reestimate(given)

    found = statistics_of(averaged)
    for before, after in zip(copied[1], found[1], strict=True):
        assert torch.equal(before, after)
    for place in (0, 2):
        torch.testing.assert_close(found[place], expected[place])
    assert [norm.training for norm in norms_of(trainer.system.G)] == [True, False, True]


def test_a_batch_that_fails_leaves_the_networks_as_they_were(trainer: Trainer) -> None:
    averaged = trainer.ema.averaged["G"]
    with pytest.raises(KeyError):
        trainer.ema.reestimate([{}])
    assert not any(module.training for module in averaged.modules())
    assert {norm.momentum for norm in norms_of(averaged)} == {0.1}


def test_without_batches_the_copied_statistics_stay(trainer: Trainer) -> None:
    averaged = trainer.ema.averaged["G"]
    copied = {name: value.clone() for name, value in averaged.state_dict().items()}
    trainer.ema.reestimate([])
    assert_same(averaged.state_dict(), copied)
    assert {norm.momentum for norm in norms_of(averaged)} == {0.1}


def test_the_next_update_restores_the_copied_statistics(trainer: Trainer) -> None:
    averaged = trainer.ema.averaged["G"]
    trainer.ema.reestimate(some_batches(trainer))
    trainer.ema.update(10**6)
    assert_same(dict(averaged.named_buffers()), dict(trainer.system.G.named_buffers()))


@pytest.mark.parametrize(("step", "decay"), [(0, 1 / 10), (10, 11 / 20), (80, 0.9), (10**6, 0.9)])
def test_the_first_steps_are_averaged_over_few(trainer: Trainer, step: int, decay: float) -> None:
    averaged, current = next(trainer.ema.averaged["G"].parameters()), next(trainer.system.G.parameters())
    expected = decay * averaged + (1 - decay) * current
    trainer.ema.update(step)
    torch.testing.assert_close(averaged, expected)


def test_a_run_whose_statistics_were_measured_goes_on_as_one_whose_were_not(trainer: Trainer) -> None:
    (batch,) = some_batches(trainer, 1)
    other = deepcopy(trainer.ema.averaged["G"])
    trainer.ema.reestimate(some_batches(trainer))
    reached = trainer.system.clock.total
    trainer.step([batch])
    for kept, current in zip(other.parameters(), trainer.system.G.parameters(), strict=True):
        kept.data.lerp_(current, 9 / (10 + reached))
    assert_same(dict(trainer.ema.averaged["G"].named_parameters()), dict(other.named_parameters()))
    assert_same(dict(trainer.ema.averaged["G"].named_buffers()), dict(trainer.system.G.named_buffers()))
