"""What a training run will be, stage by stage: for --dry-run, and before `i2i grow` trains."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
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
from i2icli.backbones.catalogue import BACKBONES
from i2icli.config import Config, RunOptions
from i2icli.data.examples import DataFolder
from i2icli.errors import UserError
from i2icli.metadata import read_metadata
from i2icli.processors import limited_threads
from i2icli.recipe import recipe_text
from i2icli.runs import LAST
from i2icli.runtime.device import Placement, choose_device
from i2icli.stage import Clock, Stage
from i2icli.system import Batch, System
from i2icli.task import Task
from i2icli.training.callbacks import NoCallbacks
from i2icli.training.fine_tuning import adjust_optimizers, freeze, frozen_line
from i2icli.training.measured import seconds_per_step
from i2icli.training.outlook import Machine, machine_of
from i2icli.training.perceptual_term import PerceptualTerm
from i2icli.training.perceptual_weights import perceptual_notes
from i2icli.training.reported_warnings import report_warnings
from i2icli.training.run_data import open_data
from i2icli.training.run_folder import RunFolder, default_folder
from i2icli.training.spectral_term import SpectralTerm
from i2icli.training.updates import Term

TRIED = 5  # steps of each stage: the critic may be updated several times before the generator
GRADIENTS = 2  # activation gradients alive at a time: a layer's backward pass reads one and writes one


@dataclass(frozen=True)
class StagePlan:
    """What one stage costs, and how much of it is done."""

    name: str
    size: tuple[int, int]  # (height, width) of the training images
    batch_size: int
    steps: int
    steps_done: int  # in earlier sessions
    memory_bytes: int  # of a process, estimated peak in fp32: weights, gradients, optimisers, activations
    flops: int  # of one step, forward pass only: to compare stages
    smaller: str = ""  # options that halve its batch; empty for a batch of one

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
    tasks: tuple[Task, ...]  # what the trained model can be asked for
    report: list[str]  # notes on the settings and on what was detected in the data
    machine: Machine = field(default_factory=Machine)
    left_s: float | None = None  # to the end, as measured here; None: it was not

    @property
    def largest(self) -> StagePlan:
        """The stage that needs most memory."""
        return max(self.stages, key=lambda stage: stage.memory_bytes)

    @property
    def memory_bytes(self) -> int:
        """The estimated peak of that stage."""
        return self.largest.memory_bytes

    @property
    def even(self) -> bool:
        """Whether the steps of all stages cost the same."""
        return len({stage.flops for stage in self.stages}) == 1

    @property
    def steps_left(self) -> int:
        """Steps of all stages that are still to be done."""
        return sum(stage.steps - stage.steps_done for stage in self.stages)


def plan(
    system: str,
    data: Sequence[Path],
    config: Config,
    options: RunOptions | None = None,
    *,
    measure: bool = False,
) -> Plan:
    """Settings, sizes and estimated memory. The networks are built on the meta device.

    measure: how long it takes as well, by a few steps, unless memory does not suffice or several devices
    shall train. Raises UserError as `train` does.
    """
    options = options or RunOptions()
    with report_warnings(NoCallbacks()):  # training reports them
        notes = perceptual_notes(config, options)
        opened, config = open_data(system, data, config, options)
        run = options.out or default_folder(system, data)
        found = plan_of(system, opened, config, run, options.devices)
        found = replace(found, report=[*notes, *found.report])
        kept = options.model_copy(update={"threads": options.threads or RunFolder(run).threads()})
        return _timed(found, system, opened, config, kept) if measure else found


def _timed(plan: Plan, name: str, data: DataFolder, config: Config, options: RunOptions) -> Plan:
    """The plan with the time that it takes: that of a step of the stage it has reached, and for the others
    in proportion to their computations.
    """
    device = choose_device(options.device)
    machine = machine_of(name, config, device, options.devices)
    plan = replace(plan, machine=machine)
    fits = machine.memory is None or plan.memory_bytes <= machine.memory
    if options.devices > 1 or not fits or not plan.steps_left:
        return plan
    index = next(number for number, stage in enumerate(plan.stages) if stage.steps_done < stage.steps)
    with limited_threads(options.threads):
        each = seconds_per_step(name, data, config, options, device, config.stages()[index])
    unit = each / max(1, plan.stages[index].flops)
    rest = sum((stage.steps - stage.steps_done) * max(1, stage.flops) for stage in plan.stages)
    return replace(plan, left_s=unit * rest)


def plan_of(system: str, data: DataFolder, config: Config, run: Path, processes: int = 1) -> Plan:
    """The same for data that are open, with the settings that they completed; run: the run's folder.

    processes: those that share every batch.
    """
    with torch.device("meta"):
        built = registry.system_type(system)(config).train()
    freeze(built)
    perceptual = meta_term(config) if config.has_perceptual_loss else None
    networks = [
        (name, sum(weight.numel() for weight in network.parameters()))
        for name, network in built.named_children()
        if name not in built.frozen
    ]
    stages = built.config.stages()
    done = _steps_done(run, stages)
    return Plan(
        recipe_text(system, config),
        [(name, count) for name, count in networks if count],
        [_of_stage(built, data, perceptual, processes, *each) for each in zip(stages, done, strict=True)],
        config.tasks(config.stages()[-1]),
        [*config.notes, *data.report, *([line] if (line := frozen_line(built)) else [])],
    )


def _steps_done(run: Path, stages: Sequence[Stage]) -> list[int]:
    """Steps of every stage that the run in a folder has done; none where there is no such run."""
    names, done = [stage.name for stage in stages], [0] * len(stages)
    try:
        model = read_metadata(run / LAST)
    except UserError:
        return done
    if model.stage in names:
        current = names.index(model.stage)
        done[:current] = [stage.steps for stage in stages[:current]]
        done[current] = min(stages[current].steps, model.stage_step)
    return done


def _of_stage(
    system: System[Any],
    data: DataFolder,
    perceptual: PerceptualTerm | None,
    processes: int,
    stage: Stage,
    steps_done: int,
) -> StagePlan:
    """What the first steps of a stage cost each process."""
    rng = np.random.default_rng(0)
    example = data.train(stage.shape).of_batch(rng).get(0, rng)
    size = stage.batch_size or system.config.batch_size
    own = max(1, size // processes)
    batch = {name: value.expand(own, *value.shape).to("meta") for name, value in example.items()}
    kept, flops = 0, 0
    for step in range(min(TRIED, stage.steps)):
        system.clock = Clock(stage, step)
        with _Flops() as counted:
            kept = max(kept, activation_bytes(system, batch, perceptual))
        flops = max(flops, counted.total)
    images = size * system.config.accumulate
    crop = data.options.preprocess.at(stage.resolution).crop_size
    memory = weight_bytes(system) + kept
    if perceptual is not None:
        memory += sum(map(_bytes, perceptual.loss.parameters()))
    smaller = _smaller(system.config, stage, size)
    return StagePlan(stage.name, crop, images, stage.steps, steps_done, memory, flops, smaller)


def _smaller(config: Config, stage: Stage, size: int) -> str:
    """Options that halve the batch of a stage."""
    if size == 1:
        return ""
    if "batch_sizes" in type(config).model_fields:
        return f"--batch-sizes {stage.resolution}:{size // 2}"
    return f"--batch-size {size // 2} --accumulate {2 * config.accumulate}"


def weight_bytes(system: System[Any]) -> int:
    """Bytes of all weights and their EMA, and of gradients and optimiser state in the current stage."""
    held = chain(system.parameters(), system.buffers())
    if system.config.ema:
        published = (system.get_submodule(name).parameters() for name in system.inference_modules)
        held = chain(held, *published)
    trained = 0
    optimizers = system.optimizers()
    adjust_optimizers(system, optimizers, frozenset())
    for optimizer in optimizers.values():
        for group in optimizer.param_groups:
            states = 2 if "betas" in group else bool(group.get("momentum"))  # Adam's moments, or momentum
            trained += (1 + states) * sum(map(_bytes, group["params"]))
    return sum(map(_bytes, held)) + trained


def _bytes(tensor: Tensor) -> int:
    return tensor.numel() * tensor.element_size()


def activation_bytes(system: System[Any], batch: Batch, perceptual: PerceptualTerm | None = None) -> int:
    """Bytes that autograd saves for the most expensive update of a training step (on the meta device), plus
    the largest activation gradients of its backward pass.
    """
    terms: list[Term] = [SpectralTerm.from_config(system.config)]
    weights = list(system.parameters())
    if perceptual is not None:
        terms.append(perceptual)
        weights += perceptual.loss.parameters()
    own = {weight.untyped_storage()._cdata for weight in weights}
    kept: dict[int, Tensor] = {}

    def keep(tensor: Tensor) -> Tensor:
        key = tensor.untyped_storage()._cdata
        if key not in own:
            kept[key] = tensor  # holding it keeps its address from being used again
        return tensor

    most = 0
    with saved_tensors_hooks(keep, lambda tensor: tensor):
        for update in system.training_step(batch):
            for term in terms:
                term.add_to(update)
            sizes = [tensor.untyped_storage().nbytes() for tensor in kept.values()]
            most = max(most, sum(sizes) + GRADIENTS * max(sizes, default=0))
            kept.clear()
    return most


def meta_term(config: Config) -> PerceptualTerm:
    """The perceptual term of these settings, on the meta device."""
    loss = BACKBONES[config.perceptual].meta_loss()
    return PerceptualTerm(loss, config.perceptual_weight, Placement(torch.device("meta")))


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
