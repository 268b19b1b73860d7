"""The exponential moving average (EMA) of the published weights."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from i2icli.nn.norm import BatchNorm
from i2icli.system import Batch, System


class EMA:
    """A moving average of a system's inference modules: average = decay * average + (1 - decay) * weight.

    In the first steps the decay is smaller, (1 + step) / (10 + step): else a short training would publish
    mostly its initial weights. Buffers are copied, except for batch-norm statistics, see `reestimate`. With
    decay 0 the average is the network itself and no copy is kept.
    """

    def __init__(self, system: System[Any], decay: float) -> None:
        self.system = system
        self.decay = decay
        self.averaged: dict[str, nn.Module] = {}
        self.norms: list[tuple[_BatchNorm, _BatchNorm]] = []  # (averaged, trained)
        self._estimated = False  # whether their statistics are those of the weights as they are
        for name in system.inference_modules if decay > 0 else ():
            network = system.get_submodule(name)
            self.averaged[name] = averaged = deepcopy(network).requires_grad_(False).eval()
            self.norms += [
                (norm, trained)
                for norm, trained in zip(averaged.modules(), network.modules(), strict=True)
                if isinstance(norm, _BatchNorm)
                and isinstance(trained, _BatchNorm)
                and _uses_running_statistics(norm)
            ]

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Move the average towards the current weights; called after each step, which counts from 0."""
        self._estimated = False
        decay = min(self.decay, (1 + step) / (10 + step))
        for name, averaged in self.averaged.items():
            network = self.system.get_submodule(name)
            for average, current in zip(averaged.parameters(), network.parameters(), strict=True):
                average.lerp_(current, 1 - decay)
            for copy, buffer in zip(averaged.buffers(), network.buffers(), strict=True):
                copy.copy_(buffer)

    def reestimate(self, batches: Iterable[Batch]) -> None:
        """Re-estimate batch-norm statistics for the averaged weights on some training batches.

        The trained network's statistics belong to other weights. Layers that no batch reaches, or that are
        not in training mode, keep theirs. The estimates last until the next `update`, and are not made again
        before: neither training nor resuming depends on them.
        """
        norms = [norm for norm, trained in self.norms if trained.training]
        if not norms or self._estimated:
            return
        before = [(deepcopy(norm.state_dict()), norm.momentum) for norm in norms]
        try:
            with self.applied():
                for norm in norms:
                    norm.reset_running_stats()
                    norm.momentum = None  # cumulative mean over all batches
                    norm.train()
                for batch in batches:
                    self.system.evaluate(batch)
            self._estimated = True
        finally:
            for norm, (state, momentum) in zip(norms, before, strict=True):
                norm.momentum = momentum
                norm.eval()
                if norm.num_batches_tracked == 0:
                    norm.load_state_dict(state)

    def modules(self) -> dict[str, nn.Module]:
        """The networks to publish, by name."""
        own = {name: self.system.get_submodule(name) for name in self.system.inference_modules}
        return self.averaged or own

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Inside the block the system uses the published weights, in eval mode and without gradients."""
        current = {name: self.system.get_submodule(name) for name in self.averaged}
        trained = [module for module in self.system.modules() if module.training]  # frozen ones are not
        self._swap(self.averaged)
        self.system.eval()
        try:
            with torch.no_grad():
                yield
        finally:
            self._swap(current)
            for module in trained:
                module.training = True

    def _swap(self, networks: dict[str, nn.Module]) -> None:
        for name, network in networks.items():
            self.system.set_submodule(name, network)

    def state(self) -> dict[str, Any]:
        """The state for resuming."""
        return {name: network.state_dict() for name, network in self.averaged.items()}

    def load_state(self, state: dict[str, Any], *, grown: bool = False) -> None:
        """Restore from `state`; layers added since then (`grown`) keep their current weights."""
        self._estimated = False
        for name, network in self.averaged.items():
            network.load_state_dict((network.state_dict() if grown else {}) | state[name])


def _uses_running_statistics(norm: _BatchNorm) -> bool:
    """Whether it normalises by running statistics in evaluation mode."""
    return not isinstance(norm, BatchNorm) or norm.statistics == "running"
