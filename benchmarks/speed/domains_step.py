"""What a ComboGAN step costs with 2, 4 and 8 domains.

Time is taken in turns in one process, memory in processes of their own.

    python -m benchmarks.speed.domains_step [--rounds 12] [--size 64] [--width 16] [--threads 1]

Printed per number of domains, as ratios to 2 domains: the time of a step (median over the rounds), what is
kept between steps (weights and Adam's averages, after every domain was drawn; counted exactly), the gradients
of one step (counted), and the peak of a process's memory, less that of a process that builds nothing.
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import combinations, cycle
from pathlib import Path
from statistics import median

import torch
from torch import Tensor

from i2icli.runtime.device import Placement
from i2icli.systems.combogan.config import ComboGANConfig
from i2icli.training.run import build_system
from i2icli.training.trainer import Trainer

DOMAINS = (2, 4, 8)
NUM_BLOCKS = 6


def trainer_of(domains: int, size: int, width: int) -> tuple[Trainer, Iterator[dict[str, Tensor]]]:
    """A trainer in its first stage, and batches that draw every pair of domains in turn."""
    config = ComboGANConfig(
        domains=tuple(f"d{number}" for number in range(domains)),
        crop_size=size,
        steps=10**6,
        width=width,
        discriminator_width=width,
        num_blocks=NUM_BLOCKS,
        pool_size=0,
    )
    trainer = Trainer(build_system("combogan", config), lambda *_: iter(()), Placement(torch.device("cpu")))
    trainer.enter(trainer.system.clock.stage)
    A, B = (torch.rand(1, 3, size, size) * 2 - 1 for _ in range(2))
    pairs = cycle(combinations(range(domains), 2))
    return trainer, ({"pair": torch.tensor([pair]), "A": A, "B": B} for pair in pairs)


def stepper(trainer: Trainer, batches: Iterator[dict[str, Tensor]]) -> Callable[[], None]:
    """One step, waited for."""

    def step() -> None:
        trainer.step([next(batches)])
        trainer.metrics.finite()

    return step


def size_of(tensors: Iterator[Tensor]) -> int:
    """Bytes."""
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


def kept(trainer: Trainer) -> int:
    """Bytes of weights and of the optimisers' averages."""
    states = (
        value
        for optimizer in trainer.optimizers.values()
        for state in optimizer.state.values()
        for value in state.values()
    )
    return size_of(trainer.system.parameters()) + size_of(states)


def gradients(trainer: Trainer) -> int:
    """Bytes of the gradients that the last step left."""
    return size_of(weight.grad for weight in trainer.system.parameters() if weight.grad is not None)


def peak(domains: int, arguments: argparse.Namespace) -> int:
    """Peak resident memory (KiB) of a process that steps with every pair; 0 domains: it builds nothing."""
    command = [sys.executable, __file__, "--peak-of", str(domains), "--size", str(arguments.size)]
    command += ["--width", str(arguments.width), "--threads", str(arguments.threads)]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def print_peak(arguments: argparse.Namespace) -> None:
    """Take a step with every pair of domains and print the peak resident memory."""
    if arguments.peak_of:
        step = stepper(*trainer_of(arguments.peak_of, arguments.size, arguments.width))
        for _ in combinations(range(arguments.peak_of), 2):
            step()
    lines = Path("/proc/self/status").read_text().splitlines()  # getrusage would count the parent's, too
    print(next(line.split()[1] for line in lines if line.startswith("VmHWM")))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--width", type=int, default=16)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--peak-of", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    if arguments.peak_of is not None:
        print_peak(arguments)
        return

    trainers = {domains: trainer_of(domains, arguments.size, arguments.width) for domains in DOMAINS}
    steps = {domains: stepper(*both) for domains, both in trainers.items()}
    for domains, step in steps.items():
        for _ in combinations(range(domains), 2):
            step()  # until Adam has averages for every domain
    times: dict[int, list[float]] = {domains: [] for domains in DOMAINS}
    for _ in range(arguments.rounds):
        for domains, step in steps.items():
            began = time.perf_counter()
            step()
            times[domains].append(time.perf_counter() - began)

    seconds = {domains: median(each) for domains, each in times.items()}
    state = {domains: kept(trainer) for domains, (trainer, _) in trainers.items()}
    left = {domains: gradients(trainer) for domains, (trainer, _) in trainers.items()}
    nothing = peak(0, arguments)
    peaks = {domains: peak(domains, arguments) - nothing for domains in DOMAINS}
    print(
        f"torch {torch.__version__}, {arguments.threads} thread(s), "
        f"{arguments.size} px, width {arguments.width}"
    )
    print("domains   step time   kept between steps   gradients   peak memory")
    for domains in DOMAINS:
        ratios = [each[domains] / each[DOMAINS[0]] for each in (seconds, state, left, peaks)]
        print("{:7}   {:9.2f}   {:18.2f}   {:9.2f}   {:11.2f}".format(domains, *ratios))
    per_domain = (peaks[8] - peaks[2]) / 6 / 1024
    print(
        f"2 domains: {seconds[2]:.2f} s, {state[2] / 2**20:.1f} MB kept; "
        f"{per_domain:.1f} MB more at the peak per further domain"
    )


if __name__ == "__main__":
    main()
