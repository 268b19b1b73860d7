"""Tiny systems whose outputs vary, as those of trained ones do; equal outputs all alike prove nothing."""

from typing import Any

import torch

from i2icli.system import System
from i2icli.training.run import build_system
from tests.tiny import tiny_config

SMALLER: dict[str, dict[str, Any]] = {
    "pix2pix": {"depth": 2},
    "pix2pixhd": {"grown": 0, "depth": 1, "encoder_depth": 1},
    "spade": {"num_levels": 1},
    "vid2vid": {"grown": 0, "depth": 1, "num_blocks": 1},
    "combogan": {"num_blocks": 1, "domains": ("summer", "winter")},
}
"""By the system's name: fewer layers of the same kinds, as tracing takes its time for each."""


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
