"""The one training loop."""

import hashlib
import time
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from i2icli.errors import UserError
from i2icli.runtime.device import Placement
from i2icli.runtime.memory import is_out_of_memory, training_out_of_memory
from i2icli.stage import Stage
from i2icli.system import Batch, System, own_state, own_weights
from i2icli.training.distributed import gathered, rank
from i2icli.training.ema import EMA
from i2icli.training.metrics import Metrics
from i2icli.training.spectral_term import SpectralTerm
from i2icli.training.updates import Updater

Batches = Callable[[Stage, int], Iterator[Batch]]
"""(stage, number of batches to skip) -> this process's share of the batches, without end."""


class Trainer:
    """Train any system, from scratch or from where a state left off.

    `after_step` is called once a step is done; it may log, sample and save, and answers whether to leave.
    """

    def __init__(
        self,
        system: System[Any],
        batches: Batches,
        placement: Placement,
        *,
        after_step: Callable[["Trainer"], bool] = lambda _: False,
    ) -> None:
        self.system = system
        self.batches = batches
        self.placement = placement
        self.after_step = after_step
        placement.place(system)
        self.ema = EMA(system, system.config.ema)
        config = system.config
        self.updater = Updater(placement, config.max_grad_norm, SpectralTerm.wanted(config))
        self.optimizers: dict[str, Optimizer] = {}
        self.metrics = Metrics()
        self.restored: dict[str, Any] | None = None
        self.seconds = 0.0  # time spent training, over all sittings

    @property
    def steps(self) -> int:
        """Steps of all stages together."""
        return sum(stage.steps for stage in self.system.config.stages())

    def fit(self) -> bool:
        """Train to the end. False if it was asked to stop before."""
        clock = self.system.clock
        stages = self.system.config.stages()
        names = [stage.name for stage in stages]
        for stage in stages[names.index(clock.stage.name) :]:
            self.enter(stage)
            if not self._train(stage):
                return False
        return True

    # -- resuming ------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """All that training needs to go on from here. Collective: every process must call it."""
        weights = own_weights(self.system)
        everything = own_state(self.system)
        own = _on_cpu({name: value for name, value in everything.items() if name not in weights})
        clock = self.system.clock
        return {
            "system": everything,
            "ranks": gathered(own)[1:],  # image pools and running statistics differ between processes
            "average": self.ema.state(),
            "optimizers": {name: optimizer.state_dict() for name, optimizer in self.optimizers.items()},
            "scalers": self.updater.state(),
            "clock": {"stage": clock.stage.name, "step": clock.step, "total": clock.total},
            "seconds": self.seconds,
        }

    def restore(self, state: dict[str, Any], *, grown: bool = False) -> None:
        """Put back what `state` gave; optimisers follow when their stage is entered.

        `grown`: the networks may have gained layers since, which begin fresh.
        """
        own = state["ranks"][rank() - 1] if 0 < rank() <= len(state["ranks"]) else {}
        kept = self.system.state_dict()
        if not grown:  # then every weight must be there, but for those that are never saved
            kept = {name: kept[name] for name in kept.keys() - own_state(self.system).keys()}
        self.system.load_state_dict(kept | state["system"] | own)
        self.ema.load_state(state["average"], grown=grown)
        clock = self.system.clock
        clock.stage = next(
            stage for stage in self.system.config.stages() if stage.name == state["clock"]["stage"]
        )
        clock.step, clock.total = state["clock"]["step"], state["clock"]["total"]
        self.seconds = state["seconds"]
        self.restored = state

    # -- the loop ------------------------------------------------------------------------

    def enter(self, stage: Stage) -> None:
        """Begin a stage, or go on with the one that was left."""
        clock = self.system.clock
        if clock.stage.name != stage.name:
            clock.step = 0
        clock.stage = stage
        self.optimizers = self.system.optimizers()
        base = {
            name: [group["lr"] for group in optimizer.param_groups]
            for name, optimizer in self.optimizers.items()
        }
        if self.restored is not None:  # only the stage that was left has optimiser state to go on with
            for name, state in self.restored["optimizers"].items():
                self.optimizers[name].load_state_dict(state)
                _lay_out_like_weights(self.optimizers[name])
            self.updater.load_state(self.restored["scalers"])
            self.restored = None
        for name, optimizer in self.optimizers.items():
            for group, lr in zip(optimizer.param_groups, base[name], strict=True):
                group["base_lr"] = lr  # as configured today, so that a resumed run may change --lr

    def _train(self, stage: Stage) -> bool:
        clock = self.system.clock
        accumulate = self.system.config.accumulate
        batches = self.batches(stage, clock.step * accumulate)
        waiting = self.metrics.waiting(batches)
        try:
            while clock.step < stage.steps:
                began = time.perf_counter()
                self.step([self.placement.batch(next(waiting)) for _ in range(accumulate)])
                self.seconds += time.perf_counter() - began
                if self.after_step(self):
                    return clock.total == self.steps
        finally:
            batches.close()  # type: ignore[attr-defined]
        return True

    def step(self, batches: list[Batch]) -> None:
        """One training step; several batches are accumulated into it."""
        system = self.system
        # Noise depends on the step alone, never on what was drawn before: a resumed run draws the same.
        torch.manual_seed(seed_of(system.config.seed, system.clock.total, rank()))
        for name, optimizer in self.optimizers.items():
            factor = system.lr_factor(name)
            for group in optimizer.param_groups:
                group["lr"] = factor * group["base_lr"]
        try:
            for update in self.updater.run(system, batches, self.optimizers):
                self.metrics.add(update)
        except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
            raise self._out_of_memory(batches[0]) from None
        self.ema.update()
        size = system.clock.stage.batch_size or system.config.batch_size
        self.metrics.images += size * system.config.accumulate
        system.clock.step += 1
        system.clock.total += 1

    def _out_of_memory(self, batch: Batch) -> UserError:
        stage, stages = self.system.clock.stage, self.system.config.stages()
        place = [each.name for each in stages].index(stage.name)
        by_resolution = "batch_sizes" in type(self.system.config).model_fields
        before = stages[place - 1] if place else None
        return training_out_of_memory(batch, stage, before, by_resolution=by_resolution)


def _on_cpu(value: Any) -> Any:
    """The same nested dicts and lists with every tensor on the CPU."""
    if isinstance(value, Tensor):
        return value.cpu()
    if isinstance(value, dict):
        return {key: _on_cpu(each) for key, each in value.items()}
    return [_on_cpu(each) for each in value] if isinstance(value, list) else value


def _lay_out_like_weights(optimizer: Optimizer) -> None:
    """Bring loaded averages into the memory layout of their weights.

    A run may be resumed in another precision and so in another layout, and the fused optimiser walks through
    memory without looking at strides.
    """
    for weight, state in optimizer.state.items():
        for name, value in state.items():
            if isinstance(value, Tensor) and value.shape == weight.shape:
                state[name] = torch.empty_like(weight, dtype=value.dtype).copy_(value)


def seed_of(*parts: int) -> int:
    """One seed from several numbers, well mixed."""
    digest = hashlib.blake2b(repr(parts).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1
