"""What the networks of a task read, for any sizes: to trace them with, and to prove what was written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from typing import Any, Literal

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor

from i2icli.config import next_multiple
from i2icli.export.axes import BATCH, HEIGHT, REFERENCE_HEIGHT, REFERENCE_WIDTH, WIDTH, Sizes
from i2icli.export.content import Content
from i2icli.request import Arrays, Request
from i2icli.system import Inputs, System
from i2icli.task import Task

Variant = Literal["", "latent", "reference", "truncated"]
"""What a request gives beside the task: nothing, a code, a reference, or a code that is truncated."""
TRUNCATE = 0.7
REFERENCES: tuple[Sizes, Sizes] = (
    {REFERENCE_HEIGHT: 40, REFERENCE_WIDTH: 48},
    {REFERENCE_HEIGHT: 47, REFERENCE_WIDTH: 61},
)


@dataclass(frozen=True)
class Sides:
    """What a task's networks ask of the sides of its first input."""

    multiple: int  # that they and all that is scaled from them are whole numbers of
    smallest: int  # pixels, a multiple of that; below it images are padded
    free: bool  # whether there is more than one size

    def pixels(self, units: int) -> int:
        """A side so many multiples above the smallest."""
        return self.smallest + units * self.multiple

    def nearest(self, pixels: int) -> int:
        """The largest side there is that is no longer, or the smallest."""
        return max(self.smallest, pixels // self.multiple * self.multiple)


def sides_of(task: Task) -> Sides:
    """Those of a task; of one without inputs all is fixed."""
    ports = list(task.inputs.values())
    if not ports or ports[0].fixed is not None:
        return Sides(1, 1, free=False)
    scales = [port.scale for port in (task.output, *task.memory.values())]
    scales += [noise.scale for noise in task.noise.values()]
    parts = [Fraction(scale).limit_denominator(1 << 12).denominator for scale in scales]
    multiple = lcm(*(port.multiple for port in ports), *parts)
    smallest = next_multiple(max(port.minimum for port in ports), multiple)
    return Sides(multiple, smallest, free=True)


class Examples:
    """Draws what `System.forward` and `System.encode` read for some tasks of the same networks."""

    def __init__(self, system: System[Any], tasks: Sequence[Task], sides: Sides | None = None) -> None:
        """tasks: of one `graph_key`; the rows of a batch take turns with them. sides: those of the task."""
        self.system, self.tasks = system, tuple(tasks)
        self.task = self.tasks[0]
        self.sides = sides or sides_of(self.task)

    @property
    def variants(self) -> tuple[Variant, ...]:
        """The kinds of requests that the task takes, the plainest first."""
        found: list[Variant] = []
        if self.task.latent_size and "reference" not in self.task.requires:
            found += ["latent", *(["truncated"] if "truncate" in self.task.reads else [])]  # type: ignore[list-item]
        if self.task.reference is not None:
            found.append("reference")
        return tuple(found) or ("",)

    def traced_sizes(self) -> tuple[Sizes, Sizes]:
        """Sizes of two examples, all growing by different factors; the first is the one that is traced."""
        first, second = ({BATCH: batch, **REFERENCES[turn]} for turn, batch in enumerate((2, 5)))
        if self.sides.free:
            for sizes, (down, across) in ((first, (1, 2)), (second, (2, 4))):
                sizes |= {HEIGHT: self.sides.pixels(down), WIDTH: self.sides.pixels(across)}
        return first, second

    def inputs(self, sizes: Sizes, content: Content) -> Arrays:
        """The inputs of the task, (B, C, H, W) each."""
        found: Arrays = {}
        for name, port in self.task.inputs.items():
            size = port.fixed or (sizes[HEIGHT], sizes[WIDTH])
            if port.instead is not None and not content.has(port):
                found[name] = found[port.instead]
                continue
            rows = [content.array(port, size, row) for row in range(sizes[BATCH])]
            found[name] = np.concatenate(rows)
        return found

    def noise(self, sizes: Sizes, generator: Generator) -> Arrays:
        """Its planes of noise, (B, C, H', W') each."""
        found: Arrays = {}
        for name, noise in self.task.noise.items():
            height, width = (round(sizes[side] * noise.scale) for side in (HEIGHT, WIDTH))
            plane = generator.random((1, noise.channels, height, width), np.float32)
            found[name] = np.repeat(plane, sizes[BATCH], 0)
        return found

    def conditions(
        self, variant: Variant, sizes: Sizes, inputs: Arrays, content: Content, generator: Generator
    ) -> Arrays:
        """What `Config.conditions` makes of requests, a row for each image."""
        rows = []
        for row in range(sizes[BATCH]):
            own = {name: each[row : row + 1] for name, each in inputs.items()}
            task = self.tasks[row % len(self.tasks)]
            request = Request(
                own if task.condition_per_input else {},
                self._reference(sizes, content, row) if variant == "reference" else None,
                self._latent(generator) if variant in ("latent", "truncated") else None,
                TRUNCATE if variant == "truncated" else None,
                {},
                self.system.facts,
            )
            rows.append(self.system.config.conditions(task, request))
        return _stacked(rows)

    def _latent(self, generator: Generator) -> Any:
        return generator.standard_normal((1, self.task.latent_size), np.float32)

    def _reference(self, sizes: Sizes, content: Content, row: int) -> Any:
        assert self.task.reference is not None
        size = sizes[REFERENCE_HEIGHT], sizes[REFERENCE_WIDTH]
        if self.task.condition_per_input and self.task.inputs:  # a photo of the input itself
            first = next(iter(self.task.inputs.values()))
            size = first.fixed or (sizes[HEIGHT], sizes[WIDTH])
        return content.array(self.task.reference, size, row + 1)


def _stacked(rows: Sequence[Arrays]) -> Arrays:
    """A row for each image; what has no rows, or many at once, is the same for all."""
    return {
        name: np.concatenate([row[name] for row in rows]) if first.ndim and len(first) == 1 else first
        for name, first in rows[0].items()
    }


def with_rows(tensors: Mapping[str, Tensor], count: int) -> Inputs:
    """Every tensor with a row for each of so many images, but those without rows."""
    return {
        name: each if each.ndim == 0 or each.shape[0] == count else each.expand(count, *each.shape[1:])
        for name, each in tensors.items()
    }


def tensors(arrays: Arrays) -> Inputs:
    """The same as tensors of their own."""
    return {name: torch.from_numpy(np.array(each)) for name, each in arrays.items()}
