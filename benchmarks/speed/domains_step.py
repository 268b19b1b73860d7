"""The cost of a ComboGAN training step with 2, 4 and 8 domains.

    python -m benchmarks.speed.domains_step [--rounds 12] [--size 64] [--width 16] [--threads 1]

Printed per number of domains, relative to 2 domains: the median time of a step (measured in turns in one
process), the state kept between steps (weights and Adam's moments, once every domain was drawn; exact), the
gradients of one step (exact), and the peak memory of a separate process, minus that of one without a system.
"""

import argparse
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from itertools import combinations, cycle
from pathlib import Path
from statistics import median

import torch
from torch import Tensor

from benchmarks.lib.arguments import argument_parser
from benchmarks.lib.steps import cpu_trainer
from benchmarks.lib.timing import time_in_turns
from i2icli.systems.combogan.config import ComboGANConfig
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
    trainer = cpu_trainer("combogan", config)
    A, B = (torch.rand(1, 3, size, size) * 2 - 1 for _ in range(2))
    pairs = cycle(combinations(range(domains), 2))
    return trainer, ({"pair": torch.tensor([pair]), "A": A, "B": B} for pair in pairs)


def stepper(trainer: Trainer, batches: Iterator[dict[str, Tensor]]) -> Callable[[], None]:
    """One synchronised step."""

    def step() -> None:
        trainer.step([next(batches)])
        trainer.metrics.finite()

    return step


def size_of(tensors: Iterator[Tensor]) -> int:
    """Bytes."""
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


def kept(trainer: Trainer) -> int:
    """Bytes of the weights and of the optimisers' state."""
    states = (
        value
        for optimizer in trainer.optimizers.values()
        for state in optimizer.state.values()
        for value in state.values()
    )
    return size_of(trainer.system.parameters()) + size_of(states)


def gradients(trainer: Trainer) -> int:
    """Bytes of the gradients of the last step."""
    return size_of(weight.grad for weight in trainer.system.parameters() if weight.grad is not None)


def peak(domains: int, options: argparse.Namespace) -> int:
    """Peak resident memory (KiB) of a process that steps with every pair of domains; 0: without a system."""
    command = [sys.executable, "-m", __spec__.name, "--peak-of", str(domains), "--size", str(options.size)]
    command += ["--width", str(options.width), "--threads", str(options.threads)]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def print_peak(options: argparse.Namespace) -> None:
    """Take a step with every pair of domains and print the peak resident memory."""
    if options.peak_of:
        step = stepper(*trainer_of(options.peak_of, options.size, options.width))
        for _ in combinations(range(options.peak_of), 2):
            step()
    lines = Path("/proc/self/status").read_text().splitlines()  # getrusage includes the parent's
    print(next(line.split()[1] for line in lines if line.startswith("VmHWM")))


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argument_parser(__doc__, __spec__.name)
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--width", type=int, default=16)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--peak-of", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)
    if options.peak_of is not None:
        print_peak(options)
        return

    trainers = {domains: trainer_of(domains, options.size, options.width) for domains in DOMAINS}
    steps = {domains: stepper(*both) for domains, both in trainers.items()}
    for domains, step in steps.items():
        for _ in combinations(range(domains), 2):
            step()  # until Adam has moments for every domain
    times = time_in_turns({str(domains): step for domains, step in steps.items()}, options.rounds, warm_up=0)

    seconds = {int(domains): median(each) for domains, each in times.items()}
    state = {domains: kept(trainer) for domains, (trainer, _) in trainers.items()}
    left = {domains: gradients(trainer) for domains, (trainer, _) in trainers.items()}
    baseline = peak(0, options)
    peaks = {domains: peak(domains, options) - baseline for domains in DOMAINS}
    print(f"torch {torch.__version__}, {options.threads} thread(s), {options.size} px, width {options.width}")
    print("domains   step time   kept between steps   gradients   peak memory")
    for domains in DOMAINS:
        ratios = [each[domains] / each[DOMAINS[0]] for each in (seconds, state, left, peaks)]
        print("{:7}   {:9.2f}   {:18.2f}   {:9.2f}   {:11.2f}".format(domains, *ratios))
    per_domain = (peaks[8] - peaks[2]) / 6 / 1024
    print(
        f"2 domains: {seconds[2]:.2f} s, {state[2] / 2**20:.1f} MB kept; "
        f"{per_domain:.1f} MB more peak memory per additional domain"
    )


if __name__ == "__main__":
    main()
