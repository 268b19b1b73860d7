"""The graphs that an exported model is made of, as networks with tensors only going in and out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from i2icli.errors import UserError
from i2icli.export.axes import BATCH, Shape, Sizes, shape_of
from i2icli.export.content import Content, Noise
from i2icli.export.examples import Examples, Variant, tensors, with_rows
from i2icli.graphs.metadata import BEGIN, FIRST, MAIN, MEMORY, NEXT, OUTPUT, encode_part
from i2icli.system import Inputs, System
from i2icli.task import Task

Compute = Callable[[System[Any], Inputs], Inputs]
"""A system and what a part reads -> what it gives, by name."""
FRAMES = 2  # of a video before the one that a memory is drawn for


@dataclass(frozen=True)
class Part:
    """One graph: what it computes, and what goes in and comes out."""

    name: str
    examples: Examples
    compute: Compute
    draw: Callable[[System[Any], Sizes, Content, int], Inputs]
    """(system, sizes, content, seed) -> what it reads."""
    inputs: dict[str, Shape] = field(default_factory=dict)
    outputs: dict[str, Shape] = field(default_factory=dict)
    dtypes: dict[str, torch.dtype] = field(default_factory=dict)  # of both, by name

    @property
    def is_main(self) -> bool:
        """Whether it is what the others belong to."""
        return self.name == MAIN


class PartNetwork(nn.Module):
    """A part as a network: tensors by position in, tensors by position out."""

    def __init__(self, system: System[Any], compute: Compute, names: Sequence[str]) -> None:
        super().__init__()
        # The networks that translate alone; those of training need not have weights.
        self.networks = nn.ModuleDict({name: system.get_submodule(name) for name in system.inference_modules})
        self._system = (system,)  # in a tuple, so that it is no module of this one
        self._compute, self._names = compute, tuple(names)

    def forward(self, *values: Tensor) -> tuple[Tensor, ...]:
        """In the order of the names; outputs in the order that the part gives them."""
        found = self._compute(self._system[0], dict(zip(self._names, values, strict=True)))
        return tuple(found.values())


def parts_of(system: System[Any], tasks: Sequence[Task]) -> list[Part]:
    """The graphs that some tasks of one `graph_key` need, the main one last.

    system: in evaluation mode, its weights without gradients. Raises UserError where the task cannot be one.
    """
    task = tasks[0]
    if task.untraceable:
        name = f" (--target {task.name})" if task.name is not None else ""
        raise UserError(f"{type(system).__name__} cannot be exported{name}: {task.untraceable}")
    examples = Examples(system, tasks)
    found = [_encode(examples, variant) for variant in examples.variants if _is_encoded(examples, variant)]
    if task.memory:
        found += [_first(examples), _begin(examples)]
    return [described(part, system) for part in (*found, _main(examples))]


def described(part: Part, system: System[Any]) -> Part:
    """A part whose shapes are known, from two examples of different sizes."""
    sizes = part.examples.traced_sizes()
    pairs: list[tuple[Inputs, Inputs]] = []
    with torch.no_grad():
        for each in sizes:
            given = part.draw(system, each, Noise(np.random.default_rng(0)), 0)
            pairs.append((given, part.compute(system, given)))
    (inputs, outputs), (other_inputs, other_outputs) = pairs

    def shapes(first: Inputs, second: Inputs) -> dict[str, Shape]:
        return {name: shape_of(each.shape, second[name].shape, sizes) for name, each in first.items()}

    return Part(
        part.name,
        part.examples,
        part.compute,
        part.draw,
        shapes(inputs, other_inputs),
        shapes(outputs, other_outputs),
        {name: each.dtype for name, each in (inputs | outputs).items()},
    )


def _main(examples: Examples) -> Part:
    task = examples.task

    def compute(system: System[Any], given: Inputs) -> Inputs:
        memory = {name.removeprefix(MEMORY): each for name, each in given.items() if name.startswith(MEMORY)}
        inputs = {name: each for name, each in given.items() if not name.startswith(MEMORY)}
        output, kept = system(task, inputs, memory or None)
        return {OUTPUT: output, **_named(NEXT, kept)}

    def draw(system: System[Any], sizes: Sizes, content: Content, seed: int) -> Inputs:
        given = _read(examples, system, sizes, content, seed)
        if not task.memory:
            return given
        memory = None
        for frame in range(FRAMES):
            _, memory = system(task, _read(examples, system, sizes, content, seed + frame + 1), memory)
        return given | _named(MEMORY, {name: each.clone() for name, each in (memory or {}).items()})

    return Part(MAIN, examples, compute, draw)


def _first(examples: Examples) -> Part:
    def compute(system: System[Any], given: Inputs) -> Inputs:
        output, kept = system(examples.task, given, None)
        return {OUTPUT: output, **_named(NEXT, kept)}

    def draw(system: System[Any], sizes: Sizes, content: Content, seed: int) -> Inputs:
        return _read(examples, system, sizes, content, seed)

    return Part(FIRST, examples, compute, draw)


def _begin(examples: Examples) -> Part:
    task = examples.task

    def compute(system: System[Any], given: Inputs) -> Inputs:
        inputs = {name: each for name, each in given.items() if name != OUTPUT}
        return _named(NEXT, system.begin(task, inputs, given[OUTPUT]))

    def draw(system: System[Any], sizes: Sizes, content: Content, seed: int) -> Inputs:
        given = _read(examples, system, sizes, content, seed)
        output, _ = system(task, given, None)
        return {name: given[name] for name in task.inputs} | {OUTPUT: output.clone()}

    return Part(BEGIN, examples, compute, draw)


def _is_encoded(examples: Examples, variant: Variant) -> bool:
    """Whether networks make something of the conditions of such a request."""
    given, inputs = _conditions(examples, _small(examples), Noise(np.random.default_rng(0)), variant, 0)
    with torch.no_grad():
        found = examples.system.encode(examples.task, given, inputs)
    return found.keys() != given.keys() or any(found[name] is not given[name] for name in found)


def _encode(examples: Examples, variant: Variant) -> Part:
    task = examples.task
    conditions, _ = _conditions(examples, _small(examples), Noise(np.random.default_rng(0)), variant, 0)

    def compute(system: System[Any], given: Inputs) -> Inputs:
        own = {name: each for name, each in given.items() if name in conditions}
        inputs = {name: each for name, each in given.items() if name not in conditions}
        found = system.encode(task, own, inputs)
        return {name: each for name, each in found.items() if each is not own.get(name)}

    def draw(system: System[Any], sizes: Sizes, content: Content, seed: int) -> Inputs:  # noqa: ARG001
        given, inputs = _conditions(examples, sizes, content, variant, seed)
        return inputs | given

    return Part(encode_part(conditions), examples, compute, draw)


def _small(examples: Examples) -> Sizes:
    first, _ = examples.traced_sizes()
    return {**first, BATCH: 1}


def _conditions(
    examples: Examples, sizes: Sizes, content: Content, variant: Variant, seed: int
) -> tuple[Inputs, Inputs]:
    """What `System.encode` reads: conditions, and inputs if it reads those."""
    generator = np.random.default_rng(seed)
    reads = examples.task.condition_per_input
    inputs = examples.inputs(sizes, content) if reads else {}
    conditions = examples.conditions(variant, sizes, inputs, content, generator)
    return tensors(conditions), tensors(inputs)


def _read(examples: Examples, system: System[Any], sizes: Sizes, content: Content, seed: int) -> Inputs:
    """What `System.forward` reads, a row for each image."""
    generator = np.random.default_rng(seed)
    inputs = examples.inputs(sizes, content)
    noise = examples.noise(sizes, generator)
    variant = examples.variants[seed % len(examples.variants)]
    conditions = examples.conditions(variant, sizes, inputs, content, generator)
    reads = tensors(inputs) if examples.task.condition_per_input else {}
    with torch.no_grad():
        encoded = system.encode(examples.task, tensors(conditions), reads)
    return {
        name: each.contiguous().clone()
        for name, each in with_rows(tensors(inputs | noise) | encoded, sizes[BATCH]).items()
    }


def _named(prefix: str, memory: Inputs) -> Inputs:
    return {prefix + name: each for name, each in memory.items()}
