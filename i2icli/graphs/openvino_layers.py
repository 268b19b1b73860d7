"""The layers of an OpenVINO graph: that they only compute, and that their constants are there."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from pathlib import Path

from i2icli.graphs.graph_file import UnsafeError

REFUSED = frozenset(
    {
        "TensorIterator",
        "Loop",
        "If",
        "RandomUniform",
        "Multinomial",
        "ReadValue",
        "Assign",
        "StringTensorPack",
    }
)
"""Layers that repeat others, draw, or hold a state."""
SHARED = 4  # how often constants may share their bytes, on average: equal ones are written once
_ROOM = 2**24  # bytes that they may share beside

_OPSET = re.compile(r"opset\d{1,2}|type_relaxed_opset")
_BITS = {"f32": 32, "f16": 16, "bf16": 16, "f64": 64, "i8": 8, "u8": 8, "i16": 16, "u16": 16, "i32": 32}
_BITS |= {"u32": 32, "i64": 64, "u64": 64, "boolean": 8, "i4": 4, "u4": 4, "f8e4m3": 8, "f8e5m2": 8, "u1": 1}
_NAMES = {"f32": "float32", "f16": "float16", "u8": "uint8", "i32": "int32", "i64": "int64"}
_NAMES |= {"fp32": "float32", "fp16": "float16", "boolean": "bool", "bool": "bool"}


def number_type(text: str) -> str:
    """ "f32", or "FP32" as at ports -> "float32"; whatever else there is as it is."""
    return _NAMES.get(text.lower(), text[:20])


@dataclass
class Layer:
    """A layer, as it is read."""

    attributes: Mapping[str, str]
    data: Mapping[str, str] = field(default_factory=dict)
    port: Mapping[str, str] = field(default_factory=dict)  # its first one
    sides: list[str] = field(default_factory=list)  # of that port
    ports: int = 0

    @property
    def type(self) -> str:
        """What it does."""
        return self.attributes.get("type", "")

    @property
    def name(self) -> str:
        """What it is called."""
        return self.attributes.get("name", "")

    @property
    def names(self) -> list[str]:
        """What the tensor of an input or output goes by."""
        text = (
            self.attributes.get("output_names", "") if self.type == "Result" else self.port.get("names", "")
        )
        return [name for name in text.split(",") if name]

    @property
    def precision(self) -> str:
        """The type of an input or output."""
        return self.data.get("element_type", "") or self.port.get("precision", "")

    @property
    def shape(self) -> list[str]:
        """The sides of an input or output."""
        if self.type == "Parameter":
            return [side.strip() for side in self.data.get("shape", "").split(",") if side.strip()]
        return self.sides

    @property
    def constant_shape(self) -> tuple[int, ...]:
        """The shape of a constant. Raises UnsafeError."""
        text = self.data.get("shape", "")
        if not re.fullmatch(r"(\d{1,12}(, ?\d{1,12}){0,7})?", text):
            raise UnsafeError(f"its constant {self.name[:60]!r} has an impossible shape")
        return tuple(int(side) for side in text.split(",")) if text else ()

    def take_data(self, attributes: Mapping[str, str]) -> None:
        """Its settings."""
        if self.data:
            raise UnsafeError(f"its layer {self.name[:60]!r} has two kinds of data")
        self.data = attributes

    def take_port(self, attributes: Mapping[str, str]) -> None:
        """A further port."""
        self.ports += 1
        if self.ports == 1:
            self.port = attributes

    def take_side(self, text: str) -> None:
        """A further side of the last port."""
        if self.ports == 1 and len(self.sides) < 9:
            self.sides.append(text)

    @property
    def place(self) -> tuple[int, int]:
        """Where the bytes of a constant are: offset and size. Raises UnsafeError."""
        bits = _BITS.get(self.data.get("element_type", ""))
        found = [self.data.get(key, "") for key in ("offset", "size")]
        if bits is None or not all(re.fullmatch(r"\d{1,15}", text) for text in found):
            raise UnsafeError(f"its constant {self.name[:60]!r} is no plain tensor of numbers")
        offset, size = map(int, found)
        if size != (prod(self.constant_shape) * bits + 7) // 8:
            raise UnsafeError(f"its constant {self.name[:60]!r} has not the bytes that its shape needs")
        return offset, size


def check_layers(layers: Sequence[Layer], weights: Path, size: int) -> None:
    """Raise UnsafeError for a layer that no graph of ours has, and for constants that are not in the .bin.

    size: bytes of the .bin.
    """
    together = 0
    for layer in layers:
        version = layer.attributes.get("version", "")
        if layer.type in REFUSED:
            raise UnsafeError(f"it holds the layer {layer.type}; a graph of ours neither repeats nor draws")
        if not _OPSET.fullmatch(version):
            raise UnsafeError(f"it needs layers of {version[:60]!r}; expected OpenVINO's own")
        if layer.type == "Const":
            offset, length = layer.place
            together += length
            if offset + length > size:
                raise UnsafeError(f"constants lie beyond the end of {weights.name}")
    if together > SHARED * size + _ROOM:
        raise UnsafeError(f"constants share bytes of {weights.name}")
