"""The exponential moving average of the weights that are published."""

from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

import torch
from torch import nn

from i2icli.system import System


class EMA:
    """A moving average of a system's inference modules: average = decay * average + (1 - decay) * weight.

    Buffers are copied as they are. With decay 0 the average is the network itself and nothing is kept.
    """

    def __init__(self, system: System[Any], decay: float) -> None:
        self.system = system
        self.decay = decay
        self.averaged: dict[str, nn.Module] = {}
        if decay > 0:
            for name in system.inference_modules:
                self.averaged[name] = deepcopy(system.get_submodule(name)).requires_grad_(False).eval()

    @torch.no_grad()
    def update(self) -> None:
        """Move the average towards the current weights; called after each step."""
        for name, averaged in self.averaged.items():
            network = self.system.get_submodule(name)
            for kept, current in zip(averaged.parameters(), network.parameters(), strict=True):
                kept.lerp_(current, 1 - self.decay)
            for copy, buffer in zip(averaged.buffers(), network.buffers(), strict=True):
                copy.copy_(buffer)

    def modules(self) -> dict[str, nn.Module]:
        """The networks to publish, by name."""
        own = {name: self.system.get_submodule(name) for name in self.system.inference_modules}
        return self.averaged or own

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Inside the block the system answers with the published weights: eval mode, no gradients."""
        current = {name: self.system.get_submodule(name) for name in self.averaged}
        learning = [module for module in self.system.modules() if module.training]  # frozen teachers are not
        self._swap(self.averaged)
        self.system.eval()
        try:
            with torch.no_grad():
                yield
        finally:
            self._swap(current)
            for module in learning:
                module.training = True

    def _swap(self, networks: dict[str, nn.Module]) -> None:
        for name, network in networks.items():
            self.system.set_submodule(name, network)

    def state(self) -> dict[str, Any]:
        """State for resuming."""
        return {name: network.state_dict() for name, network in self.averaged.items()}

    def load_state(self, state: dict[str, Any], *, grown: bool = False) -> None:
        """Put back what `state` gave; what networks have gained since (`grown`) stays as it is."""
        for name, network in self.averaged.items():
            network.load_state_dict((network.state_dict() if grown else {}) | state[name])
