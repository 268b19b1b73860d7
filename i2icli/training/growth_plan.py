"""What growing will take: the stages of a plan with the time each of them needs, about."""

import time
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from i2icli.config import Config, RunOptions
from i2icli.data.examples import DataFolder
from i2icli.data.loader import batches
from i2icli.errors import UserError
from i2icli.metadata import read_metadata
from i2icli.runs import LAST
from i2icli.runtime.device import choose_device
from i2icli.runtime.precision import choose_placement
from i2icli.stage import Clock, Stage
from i2icli.system import Batch
from i2icli.training.broken_images import report_broken_images
from i2icli.training.callbacks import NoCallbacks
from i2icli.training.plan import Plan, StagePlan, plan_of
from i2icli.training.run import build_system, default_folder, open_data
from i2icli.training.trainer import Trainer

ENOUGH = 2e9  # operations of a step that can be timed at leisure: a second or so on a slow machine
TIMED = 2  # steps that are timed, after one that is not


@dataclass(frozen=True)
class GrowthPlan:
    """A plan, what of it is done, and the time that is left."""

    plan: Plan
    done: list[int]  # steps done of every stage, in an earlier sitting
    seconds: list[float] | None  # left for every stage; None where no step could be timed


def plan_growth(system: str, data: Sequence[Path], config: Config, options: RunOptions) -> GrowthPlan:
    """The plan of a run and an estimate of its time, from real steps of its cheap stages.

    Raises UserError as `train` does.
    """
    with report_broken_images(NoCallbacks()):  # training tells of them itself
        folder, config = open_data(system, data, config, options)
        told = plan_of(system, folder, config)
        per_step = _seconds(system, folder, config, options, told.stages)
    done = _done(options.out or default_folder(system, data), told.stages)
    left = [stage.steps - steps for stage, steps in zip(told.stages, done, strict=True)]
    return GrowthPlan(told, done, per_step and [a * b for a, b in zip(left, per_step, strict=True)])


def _done(folder: Path, stages: list[StagePlan]) -> list[int]:
    """Steps of every stage that the run in a folder has done; none where there is no such run."""
    names = [stage.name for stage in stages]
    try:
        model = read_metadata(folder / LAST)
    except UserError:
        return [0] * len(stages)
    here = names.index(model.stage) if model.stage in names else 0
    return [
        stage.steps if place < here else min(stage.steps, model.stage_step) if place == here else 0
        for place, stage in enumerate(stages)
    ]


def _seconds(
    name: str, folder: DataFolder, config: Config, options: RunOptions, stages: list[StagePlan]
) -> list[float] | None:
    """Seconds per step by stage: a step costs something by itself, and something for each operation.

    Timed are the cheapest stage and the largest that is still cheap; the rest follows by their operations.
    None where not even these fit into memory, which training will tell in its own words.
    """
    costs = [stage.flops for stage in stages]
    low = min(range(len(stages)), key=lambda place: costs[place])
    affordable = [place for place, cost in enumerate(costs) if cost <= ENOUGH]
    high = max(affordable or [low], key=lambda place: costs[place])
    system = build_system(name, config)
    placement = choose_placement(choose_device(options.device), config.precision, system.children())
    trainer = Trainer(system, partial(_batches, folder, config), placement)
    own = system.config.stages()
    try:
        at_low, at_high = _timed(trainer, own[low]), _timed(trainer, own[high])
    except UserError:
        return None
    rise = at_high - at_low
    if rise <= 0 or costs[high] == costs[low]:  # nothing to draw a line through: in proportion
        return [at_high * cost / max(1, costs[high]) for cost in costs]
    return [at_low + rise * (cost - costs[low]) / (costs[high] - costs[low]) for cost in costs]


def _timed(trainer: Trainer, stage: Stage) -> float:
    """Seconds of one step at the beginning of a stage, reading included."""
    trainer.system.clock = beginning = Clock(stage)
    trainer.enter(stage)
    accumulate = trainer.system.config.accumulate
    with closing(trainer.batches(stage, 0)) as waiting:  # type: ignore[type-var]
        for number in range(1 + TIMED):
            if number == 1:
                began = time.perf_counter()
            beginning.step = 0  # the stage may be shorter than what is timed
            trainer.step([trainer.placement.batch(next(waiting)) for _ in range(accumulate)])
    return (time.perf_counter() - began) / TIMED


def _batches(folder: DataFolder, config: Config, stage: Stage, start: int) -> Generator[Batch, None, None]:
    size = stage.batch_size or config.batch_size
    examples = folder.train(stage.resolution)
    return batches(examples, batch_size=size, seed=config.seed, start=start, accumulate=config.accumulate)
