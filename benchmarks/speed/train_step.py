"""A CycleGAN training step against the classic loop: ResNet-9, 64 filters, 128 px, batch 1, two threads.

    python -m benchmarks.speed.train_step [--rounds 12] [--size 128]

Both sides do the same mathematics (no image pools) in turns in one process; the printed ratios are medians
over the rounds of classic seconds / our seconds, so more than 1 means faster than the classic loop.
"""

import argparse
import time
from collections.abc import Callable
from statistics import median

import torch

from benchmarks.lib.classic import ClassicCycleGAN
from i2icli.registry import config_type
from i2icli.runtime.precision import place
from i2icli.training.run import build_system
from i2icli.training.trainer import Trainer


def ours(precision: str, batch: dict[str, torch.Tensor]) -> Callable[[], None]:
    """A step of the engine in a precision."""
    size = batch["A"].shape[-1]
    config = config_type("cyclegan")(crop_size=size, steps=10**6, pool_size=0, channels=(3, 3))
    system = build_system("cyclegan", config)
    placement = place(torch.device("cpu"), precision, system.children())
    trainer = Trainer(system, lambda *_: iter(()), placement)
    trainer.enter(system.clock.stage)

    def step() -> None:
        trainer.step([placement.batch(batch)])
        trainer.metrics.finite()

    return step


def seconds(work: Callable[[], None]) -> float:
    """Duration of one call."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    batch = {name: torch.rand(1, 3, arguments.size, arguments.size) * 2 - 1 for name in "AB"}
    classic = ClassicCycleGAN()
    contenders = {
        "classic fp32": lambda: classic.step(batch["A"], batch["B"]),
        "i2i fp32": ours("fp32", batch),
        "i2i auto": ours("auto", batch),
    }
    for work in contenders.values():
        work()  # warm up
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(arguments.rounds):
        for name, work in contenders.items():
            times[name].append(seconds(work))
    print(f"torch {torch.__version__}, {arguments.threads} threads, {arguments.size} px")
    for name, own in times.items():
        ratios = [a / b for a, b in zip(times["classic fp32"], own, strict=True)]
        print(
            f"{name:14} {median(own):6.3f} s/step   {median(ratios):5.2f}x "
            f"({min(ratios):.2f}-{max(ratios):.2f})"
        )


if __name__ == "__main__":
    main()
