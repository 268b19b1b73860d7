"""Training steps timed in turns, in one process: ours at the last stage, and a plain loop's."""

import time
from collections.abc import Callable, Mapping
from statistics import median

import torch
from torch import Tensor

from i2icli.config import Config
from i2icli.runtime.precision import place
from i2icli.stage import Clock
from i2icli.training.run import build_system
from i2icli.training.trainer import Trainer

Step = Callable[[], tuple[float, float]]
"""Answers with the losses of D and of G."""


def ours(name: str, config: Config, precision: str, batch: dict[str, Tensor]) -> tuple[Trainer, Step]:
    """A trainer at the last stage of fresh networks, always the same ones, and a step of it."""
    torch.manual_seed(0)
    system = build_system(name, config)
    placement = place(torch.device("cpu"), precision, system.children())
    trainer = Trainer(system, lambda *_: iter(()), placement)
    system.clock = Clock(system.config.stages()[-1])
    trainer.enter(system.clock.stage)

    def step() -> tuple[float, float]:
        trainer.metrics.restart()
        trainer.step([placement.batch(batch)])
        found = trainer.metrics.losses()
        return sum(found.get(f"D/{part}", 0.0) for part in ("gan", "penalty", "drift")), found["G/gan"]

    return trainer, step


def print_turns(
    contenders: Mapping[str, Step], rounds: int, about: str, clock: Callable[[], float] = time.perf_counter
) -> None:
    """The first losses; then seconds of each, and medians over the rounds of the first one's over its own.

    clock: `time.process_time` where steps run in one thread, and the machine is busy with other things.
    """
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for name, work in contenders.items():  # warm up
        print(name, "first losses of D and G", *(f"{value:.4f}" for value in work()))
    for _ in range(rounds):
        for name, work in contenders.items():
            began = clock()
            work()
            times[name].append(clock() - began)
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, {about}")
    first = next(iter(times.values()))
    for name, own in times.items():
        ratios = [a / b for a, b in zip(first, own, strict=True)]
        spread = f"({min(ratios):.2f}-{max(ratios):.2f})"
        print(f"{name:12} {median(own):7.3f} s/step {median(ratios):5.2f}x {spread}")
