"""Tracing a part: from a network to a graph whose sides are symbols."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np
import torch
from torch.export import Dim, ExportedProgram
from torch.export.graph_signature import InputKind

from i2icli.errors import UserError, readable
from i2icli.export.axes import BATCH, HEIGHT, WIDTH, Axis, Shape
from i2icli.export.content import Noise
from i2icli.export.parts import Part, PartNetwork
from i2icli.nn.norm import fused_norms
from i2icli.system import Inputs, System

_LAYERS = "nn_module_stack"  # of a traced node: the networks that it is part of
_METADATA = ("stack_trace", "source_fn_stack", "from_node", "torch_fn")
"""What a traced node remembers of the program that it came from: paths of this machine, too."""


@dataclass(frozen=True)
class Traced:
    """A part and its graph, whose inputs are those that it uses."""

    part: Part
    program: ExportedProgram


def trace(part: Part, system: System[Any], *, fused: bool = False) -> Traced:
    """The graph of a part, every side of the shapes a symbol that is not fixed.

    system: in evaluation mode, its weights without gradients; fused: see `fused_norms`. Raises UserError
    where torch cannot make a graph of it.
    """
    with fused_norms() if fused else nullcontext():
        return _trace(part, system)


def _trace(part: Part, system: System[Any]) -> Traced:
    sizes, _ = part.examples.traced_sizes()
    with torch.no_grad():
        given = part.draw(system, sizes, Noise(np.random.default_rng(0)), 0)
    program = _traced(part, system, given)
    used = _used(program, list(part.inputs))
    if len(used) < len(part.inputs):
        part = _without(part, given, used)
        program = _traced(part, system, {name: given[name] for name in used})
    _drop_unused_weights(program)
    for node in program.graph.nodes:
        for name in _METADATA:
            node.meta.pop(name, None)
    return Traced(part, program)


def _traced(part: Part, system: System[Any], given: Inputs) -> ExportedProgram:
    network = PartNetwork(system, part.compute, list(given)).eval()
    dims = _Dims(part)
    shapes = tuple(dims.of(part.inputs[name]) for name in given)
    try:
        # Gradients would take instance norm to a branch that fixes the batch.
        with torch.no_grad(), quiet():
            return torch.export.export(network, tuple(given.values()), dynamic_shapes=(shapes,))
    except Exception as error:  # torch's own kinds are many, and not all public
        raise UserError(
            f"the part {part.name!r} of {type(system).__name__} cannot be traced ({_gist(error)}); "
            "this is a fault of i2icli, please report it",
            exit_code=1,
        ) from error


class _Dims:
    """The symbols of a part as torch has them: roots count multiples, so that sides are whole numbers."""

    def __init__(self, part: Part) -> None:
        sides = part.examples.sides
        units = sides.smallest // sides.multiple
        self._roots: dict[str, tuple[Any, int]] = {BATCH: (Dim(BATCH), 1)}
        for symbol in (HEIGHT, WIDTH):
            self._roots[symbol] = (Dim(f"{symbol}_units", min=units), sides.multiple)

    def of(self, shape: Shape) -> dict[int, Any]:
        """The symbols of a tensor, by the number of their axis."""
        return {number: self._dim(side) for number, side in enumerate(shape) if isinstance(side, Axis)}

    def _dim(self, axis: Axis) -> Any:
        root, multiple = self._roots.setdefault(axis.symbol, (Dim(axis.symbol), 1))
        factor = axis.factor * multiple
        assert factor.denominator == 1, f"{axis} is no whole number of {multiple} pixels"
        return root if factor == Fraction(1) else factor.numerator * root


def _used(program: ExportedProgram, names: list[str]) -> list[str]:
    """Which inputs something is computed from."""
    used = {node.name for node in program.graph.nodes if node.op == "placeholder" and node.users}
    return [
        name
        for name, node in zip(names, program.graph_signature.user_inputs, strict=True)
        if str(node) in used
    ]


def _without(part: Part, given: Inputs, used: list[str]) -> Part:
    """The part without inputs that it does not use."""
    constant = {name: each for name, each in given.items() if name not in used}

    def compute(system: System[Any], values: Inputs) -> Inputs:
        return part.compute(system, constant | values)

    def draw(*arguments: Any) -> Inputs:
        return {name: each for name, each in part.draw(*arguments).items() if name in used}

    return replace(part, compute=compute, draw=draw, inputs={name: part.inputs[name] for name in used})


def _drop_unused_weights(program: ExportedProgram) -> None:
    """Leave out weights of networks that the part does not run."""
    nodes = {node.name: node for node in program.graph.nodes if node.op == "placeholder"}
    specs = program.graph_signature.input_specs
    for spec in list(specs):
        node = nodes[str(getattr(spec.arg, "name", ""))]
        if spec.kind in (InputKind.PARAMETER, InputKind.BUFFER) and not node.users:
            program.graph.erase_node(node)
            specs.remove(spec)
            program.state_dict.pop(spec.target, None)
            program.constants.pop(str(spec.target), None)
    program.graph_module.recompile()


def layer_of(program: ExportedProgram, operator: str) -> str | None:
    """The first layer that computes with an operator, such as "G.down.0"; None if there is none."""
    for node in program.graph.nodes:
        if node.op == "call_function" and str(node.target).startswith(operator):
            layers = [path for path, _ in node.meta.get(_LAYERS, {}).values()]
            return str(layers[-1]).removeprefix("networks.") if layers else None
    return None


def forget_layers(program: ExportedProgram) -> None:
    """Remove what the nodes know of the program's layers."""
    for node in program.graph.nodes:
        node.meta.pop(_LAYERS, None)


@contextmanager
def quiet() -> Iterator[None]:
    """Without the lines that torch, its exporter and others write about themselves."""
    loggers = [logging.getLogger(name) for name in ("", "torch", "onnxscript", "onnx_ir")]
    levels = [each.level for each in loggers]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for each in loggers:
            each.setLevel(logging.CRITICAL)
        try:
            yield
        finally:
            for each, level in zip(loggers, levels, strict=True):
                each.setLevel(level)


def _gist(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return readable(lines[0])[:300] if lines else type(error).__name__
