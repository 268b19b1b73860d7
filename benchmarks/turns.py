"""Pieces of work timed in turns, in one process: for the benchmarks of training steps."""

import time
from collections.abc import Callable, Mapping
from statistics import median


def print_turns(contenders: Mapping[str, Callable[[], object]], rounds: int) -> None:
    """Seconds of each, and medians over the rounds of the first one's seconds over each one's."""
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, work in contenders.items():
            began = time.perf_counter()
            work()
            times[name].append(time.perf_counter() - began)
    first = next(iter(times.values()))
    for name, own in times.items():
        ratios = [a / b for a, b in zip(first, own, strict=True)]
        spread = f"({min(ratios):.2f}-{max(ratios):.2f})"
        print(f"{name:12} {median(own):7.3f} s/step {median(ratios):5.2f}x {spread}")
