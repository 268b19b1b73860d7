"""Tiny systems whose outputs vary, as those of trained ones do: outputs that are all alike prove nothing."""

from typing import Any

import torch

from i2icli.system import System
from i2icli.training.run import build_system
from tests.tiny import tiny_config


def lively(name: str, **changes: Any) -> System[Any]:
    """A system in its last stage, with weights that keep the size of what goes through them."""
    system = build_system(name, tiny_config(name, **changes))
    system.clock.stage = system.config.stages()[-1]
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for weight in system.parameters():
            drawn = torch.randn(weight.shape, generator=generator)
            weight.copy_(drawn / weight[0].numel() ** 0.5 if weight.ndim > 1 else 0.5 + drawn.abs() / 4)
    return system.eval().requires_grad_(False)
