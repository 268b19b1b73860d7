"""Graphs that read and give pixels 0 to 255: scaling, and where it can be padding, are part of the graph."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from i2icli.errors import UserError
from i2icli.export.axes import Sizes
from i2icli.export.content import Content
from i2icli.export.examples import Examples, Sides, sides_of
from i2icli.export.parts import Part
from i2icli.graphs.metadata import OUTPUT
from i2icli.image import kinds
from i2icli.system import Inputs, System
from i2icli.task import Port, Task

HALF = 127.5  # of 255: pixels / HALF - 1 are values in [-1, 1]


def pads_inside(task: Task) -> bool:
    """Whether a graph can pad its inputs: nothing else that it reads has sides that follow theirs."""
    sides = sides_of(task)
    follows = task.noise or task.memory or task.condition_per_input
    return sides.free and sides.multiple > 1 and float(task.output.scale).is_integer() and not follows


def with_pixels(part: Part, system: System[Any]) -> Part:
    """The same part with pixels going in and coming out; ids, codes, noise and memory stay what they are.

    Raises UserError for a model of images whose values are no pixels from 0 to 255.
    """
    task, multiple = part.examples.task, part.examples.sides.multiple
    for port in (*task.inputs.values(), task.output):
        if port.range is not None:
            raise UserError(
                f"--uint8 scales 0 to 255, but this model is of images with {port.range.low:g} to "
                f"{port.range.high:g}; leave it out"
            )
    ports = dict(task.inputs) | ({} if task.reference is None else {"reference": task.reference})
    seen = {name for name, port in ports.items() if not kinds.holds_ids(port.kind)} | {OUTPUT}
    padded = pads_inside(task)

    def compute(own: System[Any], given: Inputs) -> Inputs:
        kind = next(own.get_submodule(own.inference_modules[0]).parameters()).dtype
        values = {name: to_values(each, kind) if name in seen else each for name, each in given.items()}
        first = next((given[name] for name in task.inputs if name in given), None)
        if padded:
            values = {
                name: extended(each, multiple, ports[name]) if name in task.inputs else each
                for name, each in values.items()
            }
        found = part.compute(own, values)
        if padded and OUTPUT in found and first is not None:
            size = [int(task.output.scale) * side for side in first.shape[-2:]]
            found = found | {OUTPUT: cropped(found[OUTPUT], size)}
        return {name: to_pixels(each) if name == OUTPUT else each for name, each in found.items()}

    def draw(own: System[Any], sizes: Sizes, content: Content, seed: int) -> Inputs:
        given = part.draw(own, sizes, content, seed)
        return {name: to_pixels(each) if name in seen else each for name, each in given.items()}

    examples = part.examples
    if padded:
        smallest = max(port.minimum for port in task.inputs.values())
        examples = Examples(system, examples.tasks, Sides(1, smallest, free=True))
    return replace(part, examples=examples, compute=compute, draw=draw)


def to_values(pixels: Tensor, dtype: torch.dtype) -> Tensor:
    """0 to 255 -> [-1, 1]."""
    return pixels.to(dtype) / HALF - 1


def to_pixels(values: Tensor) -> Tensor:
    """[-1, 1] -> 0 to 255, rounded."""
    return ((values.clamp(-1, 1) + 1) * HALF + 0.5).to(torch.uint8)


def cropped(values: Tensor, size: Sequence[int]) -> Tensor:
    """(B, C, H', W') -> (B, C, H, W). A slice would have to know that it is shorter."""
    for axis, side in zip((2, 3), size, strict=True):
        values = values.index_select(axis, torch.arange(side, device=values.device))
    return values


def extended(values: Tensor, multiple: int, port: Port) -> Tensor:
    """(B, C, H, W) -> sides that are multiples, to the right and below, as `image.kinds.pad` does it.

    Its sides are at least 2 and may be symbols, so it decides nothing by them.
    """
    for axis in (2, 3):
        side = values.shape[axis]
        steps = torch.arange((side + multiple - 1) // multiple * multiple, device=values.device)
        last = torch.ones((), dtype=torch.int64, device=values.device) * (side - 1)  # exporters know tensors
        if kinds.holds_ids(port.kind):
            places = torch.minimum(steps, last)
        else:
            places = torch.minimum(steps % (2 * last), 2 * last - steps % (2 * last))
        values = values.index_select(axis, places)
    return values
