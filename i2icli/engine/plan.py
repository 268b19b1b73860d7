"""--dry-run: what a training run would be, without running it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks

from i2icli import registry
from i2icli.config import Config, RunOptions
from i2icli.data.examples import DataFolder
from i2icli.engine.training import open_data
from i2icli.recipe import recipe_text
from i2icli.system import Batch, Clock, Stage, System

TRIED = 5  # steps of each stage: a critic may learn several times before the generator does
COPIES = 4  # of every weight while it learns: itself, its gradient, Adam's two averages


@dataclass(frozen=True)
class Plan:
    """The resolved settings of a run and what it would cost."""

    recipe: str  # TOML, usable with --recipe
    networks: list[tuple[str, int]]  # name and number of weights
    memory_bytes: int  # estimated peak in fp32: weights, gradients, optimisers, activations
    report: list[str]  # what was recognised in the data


def plan(system: str, data: Sequence[Path], config: Config, options: RunOptions | None = None) -> Plan:
    """Settings, sizes and an estimate of memory. Networks are built without memory.

    Raises UserError as `train` does.
    """
    folder, config = open_data(system, data, config, options or RunOptions())
    with torch.device("meta"):
        built = registry.system_type(system)(config).train()
    networks = [
        (name, sum(weight.numel() for weight in network.parameters()))
        for name, network in built.named_children()
    ]
    weights = sum(weight.numel() * weight.element_size() for weight in built.parameters())
    return Plan(
        recipe_text(system, config),
        [(name, count) for name, count in networks if count],
        COPIES * weights + max(_of_stage(built, folder, stage) for stage in built.stages()),
        folder.report,
    )


def _of_stage(system: System[Any], folder: DataFolder, stage: Stage) -> int:
    """Bytes that autograd keeps in the first steps of a stage."""
    rng = np.random.default_rng(0)
    example = folder.train(stage.resolution, stage.clip_length).of_batch(rng).get(0, rng)
    size = stage.batch_size or system.config.batch_size
    batch = {name: value.expand(size, *value.shape).to("meta") for name, value in example.items()}
    most = 0
    for step in range(min(TRIED, stage.steps)):
        system.clock = Clock(stage, step)
        most = max(most, activation_bytes(system, batch))
    return most


def activation_bytes(system: System[Any], batch: Batch) -> int:
    """Bytes that autograd keeps for the most expensive update of a training step on the meta device."""
    own = {weight.untyped_storage()._cdata for weight in system.parameters()}
    kept: dict[int, Tensor] = {}

    def keep(tensor: Tensor) -> Tensor:
        key = tensor.untyped_storage()._cdata
        if key not in own:
            kept[key] = tensor  # holding it keeps its address from being used again
        return tensor

    most = 0
    with saved_tensors_hooks(keep, lambda tensor: tensor):
        for _ in system.training_step(batch):
            most = max(most, sum(tensor.untyped_storage().nbytes() for tensor in kept.values()))
            kept.clear()
    return most
