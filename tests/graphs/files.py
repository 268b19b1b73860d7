"""Tiny graphs, written by hand, as an export of tiny systems would write them."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper, numpy_helper

from i2icli.graphs.graph_file import open_graph
from i2icli.graphs.metadata import KEY, GraphMetadata, GraphTask, PartFile, TensorType
from tests.tiny import tiny_config

IMAGE = ("batch", 3, "height", "width")
_TYPES = {
    "float32": TensorProto.FLOAT,
    "uint8": TensorProto.UINT8,
    "int32": TensorProto.INT32,
    "int64": TensorProto.INT64,
}
Types = Mapping[str, tuple[Any, ...] | TensorType]


def types(found: Types) -> dict[str, TensorType]:
    """Shapes of float32, or whole types, by name."""
    return {
        name: each if isinstance(each, TensorType) else TensorType(dtype="float32", shape=each)
        for name, each in found.items()
    }


def described(
    system: str = "cyclegan", inputs: Types | None = None, outputs: Types | None = None, **changes: Any
) -> GraphMetadata:
    """The metadata of a graph of a tiny system; by default from CycleGAN's images to its second domain."""
    config = tiny_config(system, **changes.pop("config", {}))
    stage = config.stages()[-1]
    known: dict[str, Any] = {
        "format": 1,
        "version": "0.1.0",
        "system": system,
        "stage": stage.name,
        "stage_step": stage.steps,
        "step": 4,
        "config": config.model_dump(mode="json"),
        "tasks": (GraphTask(name=config.tasks(stage)[0].name),),
        "precision": "fp32",
        "inputs": types(inputs or {"image": IMAGE}),
        "outputs": types(outputs or {"output": IMAGE}),
        "fingerprint": "0" * 64,
    }
    return GraphMetadata(**known | changes)


def graph(
    metadata: GraphMetadata | None,
    nodes: Sequence[NodeProto],
    weights: Mapping[str, NDArray[Any]] | None = None,
    inputs: Types | None = None,
    outputs: Types | None = None,
    **model: Any,
) -> onnx.ModelProto:
    """A model of some nodes; inputs and outputs as the metadata say, unless given."""
    first, last = (
        types(inputs or (metadata.inputs if metadata else {})),
        types(outputs or (metadata.outputs if metadata else {})),
    )
    made = helper.make_graph(
        nodes,
        "graph",
        [_value(name, type_) for name, type_ in first.items()],
        [_value(name, type_) for name, type_ in last.items()],
        [numpy_helper.from_array(value, name) for name, value in (weights or {}).items()],
    )
    model.setdefault("opset_imports", [helper.make_opsetid("", 20)])
    found = helper.make_model(made, **model)
    if metadata is not None:
        helper.set_model_props(found, {KEY: metadata.to_text()})
    return found


def node(operator: str, inputs: str, outputs: str, **attributes: Any) -> NodeProto:
    """A node, its inputs and outputs separated by blanks."""
    return helper.make_node(operator, inputs.split(), outputs.split(), **attributes)


def write(path: Path, model: onnx.ModelProto) -> Path:
    """The model as .onnx, or through OpenVINO's converter as .xml."""
    if path.suffix == ".onnx":
        path.write_bytes(model.SerializeToString())
        return path
    import openvino

    beside = path.with_suffix(".tmp.onnx")
    beside.write_bytes(model.SerializeToString())
    converted = openvino.convert_model(beside)
    beside.unlink()
    text = {each.key: each.value for each in model.metadata_props}.get(KEY)
    if text is not None:
        converted.set_rt_info(text, [KEY])
    openvino.save_model(converted, path, compress_to_fp16=False)
    return path


def halving(path: Path, metadata: GraphMetadata | None = None) -> Path:
    """A graph whose output is half its image."""
    found = described() if metadata is None else metadata
    return write(path, graph(found, [node("Mul", "image half", "output")], {"half": np.float32([0.5])}))


def convolving(path: Path, metadata: GraphMetadata | None = None) -> Path:
    """A graph with a convolution and constants."""
    random = np.random.default_rng(0)
    weights = {
        "weight": random.standard_normal((3, 3, 3, 3)).astype(np.float32),
        "bias": np.zeros(3, np.float32),
    }
    nodes = [node("Conv", "image weight bias", "found", pads=[1, 1, 1, 1]), node("Tanh", "found", "output")]
    return write(path, graph(described() if metadata is None else metadata, nodes, weights))


def part(path: Path, main: Path) -> PartFile:
    """How a main file names a part beside it."""
    assert path.parent == main.parent
    return PartFile(file=path.name, sha256=open_graph(path).sha256())


def sha256(path: Path) -> str:
    """The hash of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _value(name: str, type_: TensorType) -> onnx.ValueInfoProto:
    shape = [None if side == "?" else side for side in type_.shape]
    return helper.make_tensor_value_info(name, _TYPES[type_.dtype], shape)
