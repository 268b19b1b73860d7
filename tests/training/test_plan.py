"""What a plan counts is what training holds."""

import pytest
import torch

from i2icli.runtime.device import Placement
from i2icli.training.plan import weight_bytes
from i2icli.training.run import build_system
from i2icli.training.trainer import Trainer
from tests.tiny import tiny_config
from tests.training.synthetic import batches

CASES = [
    ("progan", {"ema": 0.9, "stage_images": 4, "fade_images": 4, "batch_size": 2, "steps": None}),
    (
        "progan",
        {"stage_images": 4, "fade_images": 4, "batch_size": 2, "steps": None, "freeze": "discriminator"},
    ),
    ("lapgan", {"ema": 0.0, "sides": "8,16,32", "steps": 6}),
    ("lapgan", {"ema": 0.9, "sides": "8,16,32", "steps": 6, "optimizer": "sgd"}),
    ("pix2pix", {"grown": 1, "how": "residual", "num_layers": 1, "depth": 2}),
]


@pytest.mark.parametrize(("name", "settings"), CASES)
def test_weights_count_as_often_as_they_are_held(name, settings):
    system = build_system(name, tiny_config(name, **settings))
    trainer = Trainer(system, batches(name, 2), Placement(torch.device("cpu")))
    seen = set()
    for stage in system.config.stages():
        trainer.enter(stage)
        system.clock.step = 1  # of a fade at alpha 0 the new layers have no part
        for weight in system.parameters():
            weight.grad = None
        trainer.step([next(batches(name, 2)(stage, 0))])
        held = [*system.parameters(), *system.buffers()]
        held += [weight for network in trainer.ema.averaged.values() for weight in network.parameters()]
        held += [weight.grad for weight in system.parameters() if weight.grad is not None]
        for optimizer in trainer.optimizers.values():
            held += [value for state in optimizer.state.values() for value in state.values()]
        arrays = [
            value for value in held if torch.is_tensor(value) and value.ndim
        ]  # counters of steps are not
        counters = [value for value in system.buffers() if not value.ndim]
        assert weight_bytes(system) == sum(value.nbytes for value in (*arrays, *counters))
        seen.add(weight_bytes(system))
    assert len(seen) > 1  # not all of it learns all the time
