"""The engine's duties in their simplest form, for tests of systems alone."""

import torch
from torch.optim import Optimizer

from i2icli.system import Batch, System, Update


def run_step(system: System, batch: Batch, optimizers: dict[str, Optimizer] | None = None) -> list[Update]:
    """One training step in float32: per update zero the gradients, backward over its weights, step."""
    optimizers = optimizers or system.optimizers()
    updates = []
    for update in system.training_step(batch):
        optimizer = optimizers[update.optimizer]
        optimizer.zero_grad()
        weights = [weight for group in optimizer.param_groups for weight in group["params"]]
        torch.stack(list(update.losses.values())).sum().backward(inputs=weights)
        optimizer.step()
        updates.append(update)
    return updates
