"""The training loop."""

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
from i2icli.training.distributed import gather_on_main, rank
from i2icli.training.ema import EMA
from i2icli.training.metrics import Metrics
from i2icli.training.spectral_term import SpectralTerm
from i2icli.training.updates import Updater

Batches = Callable[[Stage, int], Iterator[Batch]]
"""(stage, number of batches to skip) -> this process's part of the batches, endless."""


class Trainer:
    """Trains any system, from scratch or from a saved state.

    `after_step` is called after every step; it may log, sample and save, and returns whether to stop.
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
        self.updater = Updater(placement, config.max_grad_norm, SpectralTerm.from_config(config))
        self.optimizers: dict[str, Optimizer] = {}
        self.metrics = Metrics()
        self.restored: dict[str, Any] | None = None
        self.seconds = 0.0  # time spent training, over all sessions

    @property
    def steps(self) -> int:
        """Total steps of all stages."""
        return sum(stage.steps for stage in self.system.config.stages())

    def fit(self) -> bool:
        """Train to the end. False if `after_step` stopped it early."""
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
        """Everything needed to resume from here. Collective: every process must call it."""
        weights = own_weights(self.system)
        full = own_state(self.system)
        own = _on_cpu({name: value for name, value in full.items() if name not in weights})
        clock = self.system.clock
        return {
            "system": full,
            "ranks": gather_on_main(own)[1:],  # image pools and running statistics differ between processes
            "average": self.ema.state(),
            "optimizers": {name: optimizer.state_dict() for name, optimizer in self.optimizers.items()},
            "scalers": self.updater.state(),
            "clock": {"stage": clock.stage.name, "step": clock.step, "total": clock.total},
            "seconds": self.seconds,
        }

    def restore(self, state: dict[str, Any], *, grown: bool = False) -> None:
        """Restore from `state`; optimisers are restored when their stage is entered.

        `grown`: the networks may have gained layers since, which start from scratch.
        """
        own = state["ranks"][rank() - 1] if 0 < rank() <= len(state["ranks"]) else {}
        current = self.system.state_dict()
        if not grown:  # every weight must be in the state, except those that are never saved
            current = {name: current[name] for name in current.keys() - own_state(self.system).keys()}
        self.system.load_state_dict(current | state["system"] | own)
        self.ema.load_state(state["average"], grown=grown)
        clock = self.system.clock
        clock.stage = next(
            stage for stage in self.system.config.stages() if stage.name == state["clock"]["stage"]
        )
        clock.step, clock.total = state["clock"]["step"], state["clock"]["total"]
        self.seconds = state["seconds"]
        self.system.train()  # what trains depends on the stage
        self.restored = state

    # -- the loop ------------------------------------------------------------------------

    def enter(self, stage: Stage) -> None:
        """Start a stage, or resume it."""
        clock = self.system.clock
        if clock.stage.name != stage.name:
            clock.step = 0
        clock.stage = stage
        self.system.train()
        self.optimizers = self.system.optimizers()
        base = {
            name: [group["lr"] for group in optimizer.param_groups]
            for name, optimizer in self.optimizers.items()
        }
        if self.restored is not None:  # only the interrupted stage has optimiser state to resume
            for name, state in self.restored["optimizers"].items():
                self.optimizers[name].load_state_dict(state)
                _match_memory_layout(self.optimizers[name])
            self.updater.load_state(self.restored["scalers"])
            self.restored = None
        for name, optimizer in self.optimizers.items():
            for group, lr in zip(optimizer.param_groups, base[name], strict=True):
                group["base_lr"] = lr  # from the current settings: a resumed run may change --lr

    def _train(self, stage: Stage) -> bool:
        clock = self.system.clock
        accumulate = self.system.config.accumulate
        batches = self.batches(stage, clock.step * accumulate)
        timed = self.metrics.waiting(batches)
        try:
            while clock.step < stage.steps:
                started_at = time.perf_counter()
                self.step([self.placement.batch(next(timed)) for _ in range(accumulate)])
                self.seconds += time.perf_counter() - started_at
                if self.after_step(self):
                    return clock.total == self.steps
        finally:
            batches.close()  # type: ignore[attr-defined]
        return True

    def step(self, batches: list[Batch]) -> None:
        """One training step over one batch, or over several with accumulated gradients."""
        system = self.system
        # Random draws depend on the step alone, not on earlier draws: a resumed run draws the same numbers.
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
        index = [each.name for each in stages].index(stage.name)
        by_resolution = "batch_sizes" in type(self.system.config).model_fields
        before = stages[index - 1] if index else None
        return training_out_of_memory(batch, stage, before, by_resolution=by_resolution)


def _on_cpu(value: Any) -> Any:
    """The same nested dicts and lists with every tensor on the CPU."""
    if isinstance(value, Tensor):
        return value.cpu()
    if isinstance(value, dict):
        return {key: _on_cpu(each) for key, each in value.items()}
    return [_on_cpu(each) for each in value] if isinstance(value, list) else value


def _match_memory_layout(optimizer: Optimizer) -> None:
    """Convert loaded optimiser state to the memory layout of its weights.

    A run may be resumed in another precision, hence in another layout, and the fused optimiser ignores
    strides.
    """
    for weight, state in optimizer.state.items():
        for name, value in state.items():
            if isinstance(value, Tensor) and value.shape == weight.shape:
                state[name] = torch.empty_like(weight, dtype=value.dtype).copy_(value)


def seed_of(*parts: int) -> int:
    """One seed hashed from several numbers."""
    digest = hashlib.blake2b(repr(parts).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1
