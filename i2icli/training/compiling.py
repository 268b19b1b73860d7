"""Networks compiled by torch."""

from typing import Any

import torch

from i2icli.system import System


def compile_networks(system: System[Any]) -> None:
    """Compile every network in place, including those in a ModuleDict; state_dict keys are unchanged."""
    for child in system.children():
        for network in child.children() if isinstance(child, torch.nn.ModuleDict) else (child,):
            if any(True for _ in network.parameters()):
                network.compile()
