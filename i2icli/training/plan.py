"""--dry-run: stages, networks and memory of a run, without training."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from i2icli import registry
from i2icli.config import Config, RunOptions
from i2icli.data.examples import DataFolder
from i2icli.recipe import recipe_text
from i2icli.stage import Clock, Stage
from i2icli.system import Batch, System
from i2icli.training.run import open_data
from i2icli.training.spectral_term import SpectralTerm

TRIED = 5  # steps of each stage: the critic may be updated several times before the generator
GRADIENTS = 2  # activation gradients alive at a time: a layer's backward pass reads one and writes one


@dataclass(frozen=True)
class StagePlan:
    """The cost of one stage."""

    name: str
    resolution: int | None  # pixels, where stages have their own sizes
    batch_size: int
    steps: int
    memory_bytes: int  # estimated peak in fp32: weights, gradients, optimisers, activations
    flops: int  # of one step, forward pass only: to compare stages

    @property
    def images(self) -> int:
        """Training images of the stage."""
        return self.steps * self.batch_size


@dataclass(frozen=True)
class Plan:
    """The resolved settings of a run and its cost."""

    recipe: str  # TOML, usable with --recipe
    networks: list[tuple[str, int]]  # name and number of weights
    stages: list[StagePlan]
    report: list[str]  # notes on the settings and on what was detected in the data

    @property
    def memory_bytes(self) -> int:
        """The estimated peak of the most expensive stage."""
        return max(stage.memory_bytes for stage in self.stages)


def plan(system: str, data: Sequence[Path], config: Config, options: RunOptions | None = None) -> Plan:
    """Settings, sizes and estimated memory. The networks are built on the meta device.

    Raises UserError as `train` does.
    """
    return plan_of(system, *open_data(system, data, config, options or RunOptions()))


def plan_of(system: str, folder: DataFolder, config: Config) -> Plan:
    """The same for data that is already open, with the settings completed from it."""
    with torch.device("meta"):
        built = registry.system_type(system)(config).train()
    networks = [
        (name, sum(weight.numel() for weight in network.parameters()))
        for name, network in built.named_children()
    ]
    return Plan(
        recipe_text(system, config),
        [(name, count) for name, count in networks if count],
        [_of_stage(built, folder, stage) for stage in built.config.stages()],
        [*config.notes, *folder.report],
    )


def _of_stage(system: System[Any], folder: DataFolder, stage: Stage) -> StagePlan:
    """The cost of the first steps of a stage."""
    rng = np.random.default_rng(0)
    example = folder.train(stage.resolution).of_batch(rng).get(0, rng)
    size = stage.batch_size or system.config.batch_size
    batch = {name: value.expand(size, *value.shape).to("meta") for name, value in example.items()}
    kept, flops = 0, 0
    for step in range(min(TRIED, stage.steps)):
        system.clock = Clock(stage, step)
        with _Flops() as counted:
            kept = max(kept, activation_bytes(system, batch))
        flops = max(flops, counted.total)
    images = size * system.config.accumulate
    return StagePlan(stage.name, stage.resolution, images, stage.steps, weight_bytes(system) + kept, flops)


def weight_bytes(system: System[Any]) -> int:
    """Bytes of all weights and their EMA, and of gradients and optimiser state in the current stage."""
    held = chain(system.parameters(), system.buffers())
    if system.config.ema:
        published = (system.get_submodule(name).parameters() for name in system.inference_modules)
        held = chain(held, *published)
    trained = 0
    for optimizer in system.optimizers().values():
        for group in optimizer.param_groups:
            states = 2 if "betas" in group else bool(group.get("momentum"))  # Adam's moments, or momentum
            trained += (1 + states) * sum(map(_bytes, group["params"]))
    return sum(map(_bytes, held)) + trained


def _bytes(tensor: Tensor) -> int:
    return tensor.numel() * tensor.element_size()


def activation_bytes(system: System[Any], batch: Batch) -> int:
    """Bytes that autograd saves for the most expensive update of a training step (on the meta device), plus
    the largest activation gradients of its backward pass.
    """
    own = {weight.untyped_storage()._cdata for weight in system.parameters()}
    kept: dict[int, Tensor] = {}

    def keep(tensor: Tensor) -> Tensor:
        key = tensor.untyped_storage()._cdata
        if key not in own:
            kept[key] = tensor  # holding it keeps its address from being used again
        return tensor

    most = 0
    with saved_tensors_hooks(keep, lambda tensor: tensor):
        for update in system.training_step(batch):
            SpectralTerm.from_config(system.config).add_to(update)
            sizes = [tensor.untyped_storage().nbytes() for tensor in kept.values()]
            most = max(most, sum(sizes) + GRADIENTS * max(sizes, default=0))
            kept.clear()
    return most


class _Flops(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts the floating-point operations of convolutions and matrix products inside."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.total = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        out = func(*args, **kwargs)
        if func.overloadpacket in flop_registry:
            self.total += flop_registry[func.overloadpacket](*args, **kwargs, out_val=out)
        return out
