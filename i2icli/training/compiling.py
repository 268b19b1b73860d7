"""Networks compiled by torch."""

from typing import Any

from torch import nn

from i2icli.system import System


def compile_networks(system: System[Any]) -> None:
    """Compile every network in place; state_dict keys are unchanged."""
    for child in system.children():
        _compile(child)


def _compile(module: nn.Module) -> None:
    """Compile a network, or those in what has no forward pass of its own, as a ModuleDict or a cascade."""
    if type(module).forward is nn.Module.forward:
        for child in module.children():
            _compile(child)
    elif next(module.parameters(), None) is not None:
        module.compile()
