"""Timing of alternatives in turns, so that all of them see the same load of the machine."""

import time
from collections.abc import Callable, Mapping
from statistics import median

Timer = Callable[[], float]


def time_in_turns(
    contenders: Mapping[str, Callable[[], object]],
    rounds: int,
    *,
    warm_up: int = 1,
    timer: Timer = time.perf_counter,
) -> dict[str, list[float]]:
    """Seconds of each contender in every round, after `warm_up` rounds that are not counted.

    timer: `time.process_time` for single-threaded work on a busy machine.
    """
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for number in range(warm_up + rounds):
        for name, work in contenders.items():
            start = timer()
            work()
            if number >= warm_up:
                times[name].append(timer() - start)
    return times


def speed_up(baseline: list[float], times: list[float]) -> str:
    """Median over the rounds of baseline / time, with its range: "1.80x (1.56-2.08)"."""
    ratios = [a / b for a, b in zip(baseline, times, strict=True)]
    return f"{median(ratios):5.2f}x ({min(ratios):.2f}-{max(ratios):.2f})"


def print_speed_ups(times: Mapping[str, list[float]], unit: str) -> None:
    """For each contender its median time and its speed-up over the first one."""
    baseline = next(iter(times.values()))
    for name, each in times.items():
        print(f"{name:17} {median(each):7.3f} {unit}   {speed_up(baseline, each)}")
