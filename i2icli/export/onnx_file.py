"""Traced graphs as .onnx: small, the same for the same weights, without a word about this machine."""

import re
from pathlib import Path
from typing import Any, TypeAlias

import torch

from i2icli.errors import UserError, readable
from i2icli.export.axes import Axis, Shape
from i2icli.export.options import OPSET
from i2icli.export.trace import Traced, layer_of, quiet
from i2icli.files import atomic_write
from i2icli.graphs.metadata import KEY, GraphMetadata

Model: TypeAlias = Any
"""An onnx.ModelProto; the package need not be installed to import this module."""

_OWN = "i2icli."  # before names of inputs and outputs, until nothing else is called so
_OPERATOR = re.compile(r"No ONNX function found for .*?op='([\w.]+)'")
MOST_BYTES = 2**31 - 2**20  # that one file holds


def to_onnx(traced: Traced, opset: int = OPSET) -> Model:
    """The graph in memory. Raises UserError for an operator that ONNX has not, and for more than 2 GB."""
    part, program = traced.part, traced.program
    weights = sum(each.numel() * each.element_size() for each in program.state_dict.values())
    if weights > MOST_BYTES:
        raise UserError(f"{weights / 2**30:.1f} GB of weights do not fit into an .onnx: it has 2 GB at most")
    try:
        with torch.no_grad(), quiet():
            written = torch.onnx.export(
                program,
                dynamo=True,
                input_names=[f"{_OWN}{name}" for name in part.inputs],
                output_names=[f"{_OWN}{name}" for name in part.outputs],
                opset_version=opset,
                external_data=False,
                verbose=False,
            )
    except Exception as error:  # the exporter raises many kinds
        raise _failure(error, traced) from error
    assert written is not None
    fold(written.model)
    model = written.model_proto
    _strip(model)
    _rename(model)
    for values, shapes in ((model.graph.input, part.inputs), (model.graph.output, part.outputs)):
        for value in values:
            _name_sides(value, shapes[value.name])
    return model


def fold(model: Any) -> None:
    """Compute what depends on weights alone, however large, such as weights with the scale of their layer.

    The exporter does so for small ones only, and constants are not computed when a file is read.
    """
    from onnxscript import optimizer

    with quiet():
        optimizer.fold_constants(model, input_size_limit=MOST_BYTES, output_size_limit=MOST_BYTES)
        optimizer.remove_unused_nodes(model)


def _failure(error: Exception, traced: Traced) -> UserError:
    """What the exporter could not do: the operator, and the layer where it stands."""
    cause: BaseException = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    lines = [line.strip() for line in str(cause).splitlines() if line.strip()] or [type(cause).__name__]
    what = readable(lines[0])[:300]
    if found := _OPERATOR.search(lines[0]):
        layer = layer_of(traced.program, found[1])
        what = f"it has no operator for {found[1]}" + (f" (in layer {readable(layer)})" if layer else "")
    return UserError(
        f"the part {traced.part.name!r} cannot be written as ONNX: {what}; choose another --opset, or "
        "--to pt2",
        exit_code=1,
    )


def _strip(model: Model) -> None:
    """Remove what the exporter remembers: stack traces with paths of this machine, shapes in between."""
    del model.metadata_props[:]
    model.producer_version = ""
    model.doc_string = ""
    graph = model.graph
    graph.name = "i2icli"
    graph.doc_string = ""
    del graph.value_info[:]
    for each in (*graph.node, *graph.input, *graph.output, *graph.initializer, graph):
        del each.metadata_props[:]
        each.doc_string = ""


def _rename(model: Model) -> None:
    """Give inputs and outputs their names; values in between that are called so get others."""
    graph = model.graph
    own = {value.name: value.name.removeprefix(_OWN) for value in (*graph.input, *graph.output)}
    taken = {name: f"{name}.inner" for name in own.values()}

    def renamed(name: str) -> str:
        return own.get(name) or taken.get(name, name)

    for node in graph.node:
        for names in (node.input, node.output):
            names[:] = [renamed(name) for name in names]
    for each in (*graph.input, *graph.output, *graph.initializer):
        each.name = renamed(each.name)


def _name_sides(value: Any, shape: Shape) -> None:
    """Call the sides what they are. Raises UserError for one that was to be free and is fixed."""
    dims = value.type.tensor_type.shape.dim
    if len(dims) != len(shape):
        raise UserError(f"{value.name} was written with {len(dims)} axes, expected {len(shape)}", exit_code=1)
    for number, (dim, side) in enumerate(zip(dims, shape, strict=True)):
        if isinstance(side, Axis):
            if dim.HasField("dim_value"):
                raise UserError(
                    f"axis {number} of {value.name} ({side}) was written as {dim.dim_value}; "
                    "this is a fault of i2icli, please report it",
                    exit_code=1,
                )
            dim.dim_param = str(side)


def write_onnx(path: Path, model: Model, metadata: GraphMetadata) -> None:
    """Write a graph with its metadata, whatever it had before."""
    del model.metadata_props[:]
    model.metadata_props.add(key=KEY, value=metadata.to_text())
    with atomic_write(path) as beside:
        beside.write_bytes(model.SerializeToString(deterministic=True))
