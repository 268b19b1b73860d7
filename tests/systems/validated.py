"""What a system says of a validation batch, asked as the engine asks."""

from typing import Any

from torch import Tensor

from i2icli.system import Batch, Pairs, System


def compare(system: System[Any], batch: Batch) -> Pairs:
    """Answers beside the truth."""
    return system.compare(batch, system.answers(batch))


def measure(system: System[Any], batch: Batch) -> dict[str, Tensor]:
    """The system's own numbers."""
    return system.measure(batch, system.answers(batch))


def samples(system: System[Any], batch: Batch) -> Pairs:
    """What it generates beside real images."""
    return system.samples(batch, system.answers(batch))
