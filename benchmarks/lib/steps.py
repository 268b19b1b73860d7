"""Training steps of systems, outside of a run: for timing and memory measurements."""

import time
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from benchmarks.lib.timing import Timer, print_speed_ups, time_in_turns
from i2icli.config import Config
from i2icli.runtime.device import Placement
from i2icli.runtime.precision import choose_placement
from i2icli.stage import Clock
from i2icli.training.run import build_system
from i2icli.training.trainer import Trainer

Step = Callable[[], tuple[float, float]]
"""Makes a step and returns the losses of D and G."""


def new_trainer(name: str, config: Config, placement: Placement, *, last_stage: bool = False) -> Trainer:
    """A trainer of a newly initialised system, in its first or last stage."""
    trainer = Trainer(build_system(name, config), lambda *_: iter(()), placement)
    system = trainer.system
    if last_stage:
        system.clock = Clock(system.config.stages()[-1])
    trainer.enter(system.clock.stage)
    return trainer


def cpu_trainer(name: str, config: Config, precision: str = "fp32", *, last_stage: bool = False) -> Trainer:
    """The same on the CPU."""
    networks = build_system(name, config).children() if precision == "auto" else ()
    placement = choose_placement(torch.device("cpu"), precision, networks)
    return new_trainer(name, config, placement, last_stage=last_stage)


def engine_step(name: str, config: Config, precision: str, batch: dict[str, Tensor]) -> tuple[Trainer, Step]:
    """A trainer in the last stage, always with the same initial weights, and its step."""
    torch.manual_seed(0)
    trainer = cpu_trainer(name, config, precision, last_stage=True)

    def step() -> tuple[float, float]:
        trainer.metrics.restart()
        trainer.step([trainer.placement.batch(batch)])
        losses = trainer.metrics.losses()
        return sum(losses.get(f"D/{part}", 0.0) for part in ("gan", "penalty", "drift")), losses["G/gan"]

    return trainer, step


def compare_steps(
    contenders: Mapping[str, Step], rounds: int, about: str, timer: Timer = time.perf_counter
) -> None:
    """Print the first losses of every contender, which should agree, then times and speed-ups."""
    for name, step in contenders.items():  # also warms up
        print(name, "first losses of D and G", *(f"{value:.4f}" for value in step()))
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, {about}")
    print_speed_ups(time_in_turns(contenders, rounds, warm_up=0, timer=timer), "s/step")
