"""Applies the updates that a system yields: precision, gradients, optimiser step."""

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.nn.utils import clip_grad_norm_
from torch.optim import Optimizer

from i2icli.runtime.device import Placement
from i2icli.system import Batch, System, Update
from i2icli.training.distributed import average_gradients
from i2icli.training.fine_tuning import clipped_together


class Term(Protocol):
    """What the engine adds to the losses of a system."""

    def add_to(self, update: Update) -> Update:
        """The update with another loss, or as it is."""


class Updater:
    """Runs training steps and applies each update before the step continues."""

    def __init__(
        self,
        placement: Placement,
        max_grad_norm: float | None = None,
        terms: Sequence[Term] = (),
    ) -> None:
        self.placement = placement
        self.max_grad_norm = max_grad_norm
        self.terms = terms
        self.scalers: dict[str, torch.amp.GradScaler] = {}  # one each: optimisers may step several times

    def run(
        self, system: System[Any], batches: Sequence[Batch], optimizers: dict[str, Optimizer]
    ) -> Iterator[Update]:
        """Advance one training step per batch in lockstep; gradients of all batches make one optimiser step.

        With several batches (gradient accumulation) the result equals that of one large batch. Yields each
        update after it was applied, with losses and metrics averaged over the batches.
        """
        steps = [system.training_step(batch) for batch in batches]
        while True:
            updates: list[Update] = []
            for step in steps:
                # Leaving autocast at each yield drops its cached low-precision weights,
                # which would be stale after the optimiser step.
                with self.placement.autocast():
                    update = next(step, None)
                if update is None:
                    continue
                for term in self.terms:
                    update = term.add_to(update)
                assert torch.is_grad_enabled(), "training_step yielded inside torch.no_grad()"
                self.backward(update, optimizers[update.optimizer], first=not updates, scale=1 / len(steps))
                updates.append(_detached(update))
            if not updates:
                return
            assert len(updates) == len(steps), (
                "training_step yielded more updates for one batch than for another"
            )
            mean = _mean(updates)
            self.step(mean.optimizer, optimizers[mean.optimizer])
            yield mean

    def backward(self, update: Update, optimizer: Optimizer, *, first: bool, scale: float) -> None:
        """Add the gradients of one update's losses, times `scale`, to the optimiser's weights."""
        if first:
            optimizer.zero_grad(set_to_none=True)
        weights = _weights(optimizer)
        loss = sum(update.losses.values(), start=torch.zeros((), device=self.placement.device))
        if scale != 1:
            loss = loss * scale
        if not weights or not loss.requires_grad:
            return  # all that it depends on is frozen
        # `inputs=` keeps this loss out of every other optimiser's gradients.
        self.scaler(update.optimizer).scale(loss).backward(inputs=weights)  # type: ignore[no-untyped-call]

    def step(self, name: str, optimizer: Optimizer) -> None:
        """Average the gradients over the processes, clip them and step."""
        scaler = self.scaler(name)
        weights = _weights(optimizer)
        average_gradients(weights)
        if all(weight.grad is None for weight in weights):
            return
        if self.max_grad_norm is not None:
            scaler.unscale_(optimizer)
            for together in clipped_together(optimizer):  # one network, where each is clipped separately
                clip_grad_norm_(together, self.max_grad_norm)
        scaler.step(optimizer)
        scaler.update()

    def scaler(self, name: str) -> torch.amp.GradScaler:
        """The gradient scaler of one optimiser; disabled unless the precision is fp16."""
        if name not in self.scalers:
            enabled = self.placement.dtype is torch.float16
            self.scalers[name] = torch.amp.GradScaler(self.placement.device.type, enabled=enabled)
        return self.scalers[name]

    def state(self) -> dict[str, Any]:
        """The state of the scalers, for resuming."""
        return {name: scaler.state_dict() for name, scaler in self.scalers.items() if scaler.is_enabled()}

    def load_state(self, state: dict[str, Any]) -> None:
        """Restore from `state`. Scalers that this precision does not use are ignored."""
        for name, values in state.items():
            if self.scaler(name).is_enabled():
                self.scaler(name).load_state_dict(values)


def _weights(optimizer: Optimizer) -> list[Tensor]:
    return [weight for group in optimizer.param_groups for weight in group["params"]]


def _detached(update: Update) -> Update:
    losses = {name: loss.detach() for name, loss in update.losses.items()}
    return Update(update.optimizer, losses, {name: value.detach() for name, value in update.metrics.items()})


def _mean(updates: list[Update]) -> Update:
    if len(updates) == 1:
        return updates[0]
    first = updates[0]
    losses = {name: torch.stack([update.losses[name] for update in updates]).mean() for name in first.losses}
    metrics = {
        name: torch.stack([update.metrics[name] for update in updates]).mean() for name in first.metrics
    }
    return Update(first.optimizer, losses, metrics)
