"""The engine applies what a system yields, and nothing else."""

import pytest
import torch
from torch import nn

from i2icli import registry
from i2icli.runtime.device import Placement
from i2icli.system import Update
from i2icli.training.run import build_system
from i2icli.training.trainer import Trainer
from i2icli.training.updates import Updater
from tests.tiny import image_by_image, tiny_config, with_large_ones_slow
from tests.training.perceptual import loss_of, with_perceptual
from tests.training.synthetic import assert_same, batches

CPU = Placement(torch.device("cpu"))


class Two(nn.Module):
    """Two weights whose losses meet: each update must move its own alone."""

    def __init__(self):
        super().__init__()
        self.a = nn.Parameter(torch.tensor(1.0))
        self.b = nn.Parameter(torch.tensor(2.0))

    def training_step(self, batch):
        yield Update("a", {"both": (self.a * self.b - batch["x"]).pow(2)})
        yield Update("b", {"both": (self.a * self.b - batch["x"]).pow(2)}, {"a": self.a})


def sgd(system):
    return {"a": torch.optim.SGD([system.a], lr=0.1), "b": torch.optim.SGD([system.b], lr=0.1)}


def test_an_update_moves_only_its_own_weights_and_the_next_one_sees_them_moved():
    system = Two()
    optimizers = sgd(system)
    updates = Updater(CPU).run(system, [{"x": torch.tensor(0.0)}], optimizers)
    seen = [(update.optimizer, system.a.item(), system.b.item()) for update in updates]
    # d/da (ab)^2 = 2ab*b = 8 -> a = 0.2; then d/db = 2ab*a with the new a = 0.16 -> b = 1.984
    assert [name for name, _, _ in seen] == ["a", "b"]
    assert seen[0][1:] == pytest.approx((0.2, 2.0))
    assert seen[1][1:] == pytest.approx((0.2, 1.984))


def test_gradients_are_clipped_to_the_norm():
    system = Two()
    list(Updater(CPU, max_grad_norm=1.0).run(system, [{"x": torch.tensor(0.0)}], sgd(system)))
    assert system.a.item() == pytest.approx(0.9)  # a gradient of 8 was clipped to 1


def test_yielding_inside_no_grad_is_refused():
    class Careless(Two):
        def training_step(self, batch):
            with torch.no_grad():
                yield Update("a", {"loss": self.a * batch["x"]})

    system = Careless()
    with pytest.raises(AssertionError, match="no_grad"):
        list(Updater(CPU).run(system, [{"x": torch.tensor(0.0)}], sgd(system)))


@pytest.mark.parametrize("name", with_large_ones_slow(registry.SYSTEMS))
def test_accumulated_batches_equal_the_large_one(name):
    # Batch norm, dropout and pools see the batches one by one, by design: they are off here.
    changes = image_by_image(name, norm="instance") | with_perceptual(name)
    ends = []
    for size, accumulate in ((8, 1), (4, 2), (2, 4)):
        config = tiny_config(name, steps=3, batch_size=size, accumulate=accumulate, **changes)
        system, perceptual = build_system(name, config).double(), loss_of(config)
        if perceptual is not None:
            perceptual.double()
        Trainer(system, _pieces(name, size), CPU, perceptual=perceptual).fit()
        ends.append(system.state_dict())
    assert_same(ends[0], ends[1], 1e-10)
    assert_same(ends[0], ends[2], 1e-10)


def _pieces(name, size):
    """The batches of eight, cut into batches of `size`."""

    def endless(stage, start):
        assert start == 0
        for whole in batches(name, 8, dtype=torch.float64)(stage, 0):
            for first in range(0, 8, size):
                yield {key: images[first : first + size] for key, images in whole.items()}

    return endless


@pytest.mark.parametrize("precision", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("name", with_large_ones_slow(registry.SYSTEMS))
def test_low_precision_steps_are_finite_and_move_every_network(name, precision):
    # An fp16 scaler skips steps until its scale fits.
    config = tiny_config(name, steps=12, batch_size=2, **with_perceptual(name))
    system = build_system(name, config)
    before = {key: value.clone() for key, value in system.named_parameters()}
    placement = Placement(torch.device("cpu"), precision)
    trainer = Trainer(system, batches(name, 2), placement, perceptual=loss_of(config))
    trainer.fit()
    assert trainer.metrics.finite()
    assert all(
        value.isfinite().all() for value in system.state_dict().values() if isinstance(value, torch.Tensor)
    )
    for network, _ in system.named_children():
        own = [key for key in before if key.startswith(f"{network}.")]
        assert not own or any(not torch.equal(before[key], system.get_parameter(key)) for key in own), network


def test_what_follows_the_last_yield_runs_for_every_accumulated_batch():
    class Counting(Two):
        def training_step(self, batch):
            yield Update("a", {"loss": self.a * batch["x"]})
            ends.append(batch["x"].item())

    ends: list[float] = []
    system = Counting()
    list(Updater(CPU).run(system, [{"x": torch.tensor(1.0)}, {"x": torch.tensor(2.0)}], sgd(system)))
    assert ends == [1.0, 2.0]
