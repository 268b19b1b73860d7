"""A look into an .onnx of unknown origin, without the package `onnx` and before a runtime reads it.

Field numbers are those of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto.
"""

import mmap
from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from i2icli.graphs.graph_file import MOST_LAYERS, Look, UnsafeError
from i2icli.graphs.metadata import KEY, MOST_CHARACTERS, TensorType
from i2icli.graphs.onnx_nodes import Nodes
from i2icli.graphs.onnx_tensors import Tensor, Tensors
from i2icli.graphs.wire import Fields, Kind, Span, Wire, WireError

DOMAINS = ("", "ai.onnx", "com.microsoft")
MOST_FIELDS = 50 * MOST_LAYERS
MOST_TEXT = 1000

_MODEL: dict[int, Kind] = {7: "message", 8: "messages", 14: "messages", 20: "messages", 25: "messages"}
_GRAPH: dict[int, Kind] = {1: "messages", 5: "messages", 11: "messages", 12: "messages", 15: "messages"}
_OPSET: dict[int, Kind] = {1: "bytes"}
_ENTRY: dict[int, Kind] = {1: "bytes", 2: "bytes"}
_VALUE: dict[int, Kind] = {1: "bytes", 2: "message"}
_TYPE: dict[int, Kind] = {1: "message", 4: "message", 5: "message", 7: "message", 8: "message", 9: "message"}
_TENSOR_TYPE: dict[int, Kind] = {1: "number", 2: "message"}
_SHAPE: dict[int, Kind] = {1: "messages"}
_DIM: dict[int, Kind] = {1: "number", 2: "bytes"}
_DTYPES = {1: "float32", 2: "uint8", 6: "int32", 7: "int64", 9: "bool", 10: "float16"}


def look(path: Path) -> Look:
    """What is in the file. Raises UnsafeError for damage and for what no graph of ours holds."""
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return _Model(Wire(data, MOST_FIELDS), path).look()
    except WireError as error:
        raise UnsafeError(f"it is no readable ONNX file ({error})") from None
    except (ValueError, OSError) as error:  # an empty file cannot be mapped
        raise UnsafeError(f"it cannot be read ({error})") from None


class _Model:
    """A model on its way through the checks."""

    def __init__(self, wire: Wire, path: Path) -> None:
        self.wire, self.path = wire, path

    def look(self) -> Look:
        """See `look`."""
        model = self.wire.read(self.wire.whole, _MODEL)
        if 7 not in model:
            raise UnsafeError("it holds no graph; expected an ONNX file")
        if model.get(20) or model.get(25):
            raise UnsafeError("it brings functions of its own; expected plain operators")
        for each in model.get(8, []):
            self._check_domain(self._text(self.wire.read(_span(each), _OPSET), 1))
        graph = self.wire.read(_span(model[7][0]), _GRAPH)
        if graph.get(15):
            raise UnsafeError("it holds sparse tensors")
        if len(graph.get(1, [])) > MOST_LAYERS:
            raise UnsafeError(f"it has more than {MOST_LAYERS:,} layers")
        tensors = Tensors(self.wire, self.path)
        held = [tensors.read(_span(each)) for each in graph.get(5, [])]
        constants, named = _named(held), self._types(graph, 11)
        nodes = Nodes(self.wire, tensors, constants, named, self._check_domain)
        nodes.check([*map(_span, graph.get(1, []))])
        tensors.check_external()
        inputs = {name: each for name, each in named.items() if name not in constants}
        weights = tuple(each.shape for each in tensors.found)
        files = (self.path, *tensors.files)
        return Look(self._metadata(model), inputs, self._types(graph, 12), weights, files)

    def _metadata(self, model: Fields) -> str | None:
        """The JSON under our key."""
        found = None
        for each in model.get(14, []):
            entry = self.wire.read(_span(each), _ENTRY)
            if self._text(entry, 1) == KEY:
                if found is not None:
                    raise UnsafeError("it describes itself twice")
                found = self._text(entry, 2, 4 * MOST_CHARACTERS)
        return found

    def _types(self, graph: Fields, number: int) -> dict[str, TensorType]:
        """The inputs or outputs of a graph."""
        found: dict[str, TensorType] = {}
        for each in graph.get(number, []):
            value = self.wire.read(_span(each), _VALUE)
            name = self._text(value, 1)
            if name in found or len(found) > MOST_TEXT:
                raise UnsafeError("it has inputs or outputs of the same name, or too many")
            found[name] = self._type(value, name)
        return found

    def _type(self, value: Fields, name: str) -> TensorType:
        type_ = self.wire.read(_span(value[2][0]), _TYPE) if 2 in value else {}
        if type_.keys() != {1}:
            raise UnsafeError(f"{name!r} is no tensor")
        tensor = self.wire.read(_span(type_[1][0]), _TENSOR_TYPE)
        dtype = _DTYPES.get(_number(tensor, 1))
        if dtype is None or 2 not in tensor:
            raise UnsafeError(f"{name!r} has a type or rank that no graph of ours has")
        dims = self.wire.read(_span(tensor[2][0]), _SHAPE).get(1, [])[:9]
        shape = [self._dim(_span(each)) for each in dims]
        try:
            return TensorType.model_validate({"dtype": dtype, "shape": shape})
        except ValidationError:
            raise UnsafeError(f"{name!r} has an impossible shape") from None

    def _dim(self, span: Span) -> int | str:
        dim = self.wire.read(span, _DIM)
        if 1 in dim:
            return _number(dim, 1)
        return (self._text(dim, 2) if 2 in dim else "") or "?"

    def _check_domain(self, domain: str) -> None:
        if domain not in DOMAINS:
            raise UnsafeError(f"it needs operators of {domain[:60]!r}; expected those of ONNX only")

    def _text(self, fields: Fields, number: int, most: int = MOST_TEXT) -> str:
        return self.wire.text(fields[number][0], most) if number in fields else ""


def _span(value: int | Span) -> Span:
    assert isinstance(value, Span)  # by the kind of the field
    return value


def _number(fields: Fields, number: int) -> int:
    value = fields.get(number, [0])[0]
    assert isinstance(value, int)  # as above
    return value


def _named(tensors: list[Tensor]) -> Mapping[str, Tensor]:
    found = {each.name: each for each in tensors}
    if len(found) < len(tensors):
        raise UnsafeError("it has two constants of the same name")
    return found
