"""The training loop."""

import hashlib
import time
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch.optim import Optimizer

from i2icli.errors import UserError
from i2icli.losses.perceptual import PerceptualLoss
from i2icli.runtime.device import Placement
from i2icli.runtime.memory import is_out_of_memory, training_out_of_memory
from i2icli.stage import Stage
from i2icli.system import Batch, System
from i2icli.training.distributed import rank
from i2icli.training.ema import EMA
from i2icli.training.fine_tuning import adjust_optimizers, freeze
from i2icli.training.metrics import Metrics
from i2icli.training.perceptual_term import PerceptualTerm
from i2icli.training.spectral_term import SpectralTerm
from i2icli.training.state import restore_optimizers
from i2icli.training.updates import Term, Updater

Batches = Callable[[Stage, int], Iterator[Batch]]
"""(stage, number of batches to skip) -> this process's part of the batches, endless."""


class Trainer:
    """Trains any system, from scratch or from a saved state.

    `perceptual` is the loss that settings with a perceptual weight ask for. `after_step` is called after
    every step; it may log, sample and save, and returns whether to stop. `loaded` names the weights that did
    not start from scratch.
    """

    def __init__(
        self,
        system: System[Any],
        batches: Batches,
        placement: Placement,
        *,
        perceptual: PerceptualLoss | None = None,
        after_step: Callable[["Trainer"], bool] = lambda _: False,
        loaded: frozenset[str] = frozenset(),
    ) -> None:
        self.system = system
        self.batches = batches
        self.placement = placement
        self.after_step = after_step
        self.loaded = loaded
        placement.place(system)
        self.ema = EMA(system, system.config.ema)
        config = system.config
        terms: list[Term] = [SpectralTerm.from_config(config)]
        assert (perceptual is not None) == config.has_perceptual_loss
        if perceptual is not None:
            terms.append(PerceptualTerm(perceptual, config.perceptual_weight, placement))
        self.updater = Updater(placement, config.max_grad_norm, terms)
        self.optimizers: dict[str, Optimizer] = {}
        self.metrics = Metrics()
        self.restored: dict[str, Any] | None = None  # until its stage is entered
        self.seconds = 0.0  # time spent training, over all sessions
        self.amid = False  # whether a step has begun and not ended, so that some weights may have moved on

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

    # -- the loop ------------------------------------------------------------------------

    def enter(self, stage: Stage) -> None:
        """Start a stage, or resume it."""
        clock = self.system.clock
        if clock.stage.name != stage.name:
            clock.step = 0
        clock.stage = stage
        self.system.train()
        freeze(self.system)
        self.optimizers = self.system.optimizers()
        adjust_optimizers(self.system, self.optimizers, self.loaded)
        base = {
            name: [group["lr"] for group in optimizer.param_groups]
            for name, optimizer in self.optimizers.items()
        }
        restore_optimizers(self)
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
        self.amid = True
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
        self.ema.update(system.clock.total)
        size = system.clock.stage.batch_size or system.config.batch_size
        self.metrics.images += size * system.config.accumulate
        system.clock.step += 1
        system.clock.total += 1
        self.amid = False

    def _out_of_memory(self, batch: Batch) -> UserError:
        stage, stages = self.system.clock.stage, self.system.config.stages()
        index = [each.name for each in stages].index(stage.name)
        by_resolution = "batch_sizes" in type(self.system.config).model_fields
        before = stages[index - 1] if index else None
        low = self.placement.dtype is not None
        return training_out_of_memory(batch, stage, before, by_resolution=by_resolution, low_precision=low)


def seed_of(*parts: int) -> int:
    """One seed hashed from several numbers."""
    digest = hashlib.blake2b(repr(parts).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1
