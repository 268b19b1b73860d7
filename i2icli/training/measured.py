"""How long a training step takes here: a few are done, by networks that are thrown away."""

import time
from collections.abc import Sequence

import torch

from i2icli import registry
from i2icli.backbones.catalogue import BACKBONES
from i2icli.config import Config, RunOptions
from i2icli.data.examples import DataFolder
from i2icli.losses.perceptual import PerceptualLoss
from i2icli.runtime.precision import choose_placement
from i2icli.stage import Stage
from i2icli.training.run_data import RunData
from i2icli.training.trainer import Trainer

STEPS = 4  # at most, the first of which warms up
ENOUGH_S = 10.0  # after so long there are no more


def seconds_per_step(
    name: str,
    data: DataFolder,
    config: Config,
    options: RunOptions,
    device: torch.device,
    stage: Stage,
) -> float:
    """The mean time of the first steps of a stage, as they are trained: with their data, in their precision.

    Nothing is written or downloaded.
    """
    torch.manual_seed(config.seed)
    system = registry.system_type(name)(config).train()
    system.clock.stage = stage
    learning = (each for part, each in system.named_children() if part not in system.frozen)
    placement = choose_placement(device, config.precision, learning)
    ends: list[float] = []

    def after_step(_: Trainer) -> bool:
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        ends.append(time.perf_counter())
        return len(ends) == STEPS or ends[-1] - started_at > ENOUGH_S

    perceptual = _untrained(config) if config.has_perceptual_loss else None
    batches = RunData(data, config, options, pin=device.type == "cuda").training
    trainer = Trainer(system, batches, placement, perceptual=perceptual, after_step=after_step)
    started_at = time.perf_counter()
    trainer.fit()
    return _mean(started_at, ends)


def _mean(started_at: float, ends: Sequence[float]) -> float:
    """Seconds of a step, without the first where there are more."""
    if len(ends) == 1:
        return ends[0] - started_at
    return (ends[-1] - ends[0]) / (len(ends) - 1)


def _untrained(config: Config) -> PerceptualLoss:
    """The perceptual loss with weights of no meaning, which takes as long."""
    loss = BACKBONES[config.perceptual].meta_loss().to_empty(device="cpu")
    for weight in (*loss.parameters(), *loss.buffers()):
        if weight.is_floating_point():
            weight.data.fill_(1e-3)
    return loss.requires_grad_(False)
