"""Speed, data wait and mean losses of a run between two lines of its log."""

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import TypeVar

import torch
from torch import Tensor

from i2icli.system import Update

T = TypeVar("T")


class Metrics:
    """Accumulates losses as tensors, so that a GPU is not synchronised at every step."""

    def __init__(self, clock: float | None = None) -> None:
        self.restart(clock)
        self.latest: dict[str, float] = {}  # means of the last finished interval

    def restart(self, clock: float | None = None) -> None:
        """Start a new interval."""
        self.sums: dict[str, Tensor] = {}
        self.counts: dict[str, int] = defaultdict(int)
        self.images = 0
        self.waited = 0.0
        self.started_at = time.perf_counter() if clock is None else clock

    def add(self, update: Update) -> None:
        """Add the losses and metrics of one update."""
        for name, value in (update.losses | update.metrics).items():
            key = f"{update.optimizer}/{name}"
            self.sums[key] = self.sums.get(key, torch.zeros_like(value)) + value
            self.counts[key] += 1

    def waiting(self, batches: Iterable[T]) -> Iterator[T]:
        """The same batches, measuring the time spent waiting for them."""
        iterator = iter(batches)
        while True:
            started_at = time.perf_counter()
            try:
                batch = next(iterator)
            except StopIteration:
                return
            self.waited += time.perf_counter() - started_at
            yield batch

    def finite(self) -> bool:
        """Whether all losses of this interval are finite numbers."""
        return all(bool(total.isfinite().all()) for total in self.sums.values())

    def losses(self) -> dict[str, float]:
        """Mean of each loss over the interval."""
        return {name: float(total) / self.counts[name] for name, total in self.sums.items()}

    @property
    def seconds(self) -> float:
        """Time since the start of the interval."""
        return max(time.perf_counter() - self.started_at, 1e-9)

    @property
    def images_per_s(self) -> float:
        """Training images per second."""
        return self.images / self.seconds

    @property
    def data_wait(self) -> float:
        """Fraction of the interval spent waiting for data, in [0, 1]."""
        return min(1.0, self.waited / self.seconds)
