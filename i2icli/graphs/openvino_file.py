"""A look into an OpenVINO graph of unknown origin, .xml and .bin, before the runtime reads it.

The format: https://docs.openvino.ai/2024/documentation/openvino-ir-format.html
"""

import re
from dataclasses import dataclass, field
from pathlib import Path
from xml.parsers import expat

from pydantic import ValidationError

from i2icli.graphs.graph_file import MOST_LAYERS, Look, UnsafeError
from i2icli.graphs.metadata import KEY, TensorType
from i2icli.graphs.openvino_constants import check_constants
from i2icli.graphs.openvino_layers import Layer, check_layers, number_type

MOST_BYTES = 64 * 2**20  # of the .xml
DEPTH = 12  # of nested elements; ours have seven
MOST_ELEMENTS = 40 * MOST_LAYERS
_HELD = {"net", "layers", "layer", "data", "input", "output", "port", "dim", "edges", "edge", "rt_info"}
"""Elements that a graph is made of; below rt_info there may be any."""


def look(path: Path) -> Look:
    """What is in the files. Raises UnsafeError for damage and for what no graph of ours holds."""
    weights = path.with_suffix(".bin")
    try:
        if path.stat().st_size > MOST_BYTES:
            raise UnsafeError(f"it has more than {MOST_BYTES:,} bytes; the weights belong into the .bin")
        text = path.read_bytes()
        size = weights.stat().st_size if weights.is_file() else None
    except OSError as error:
        raise UnsafeError(f"it cannot be read ({error.strerror})") from None
    if size is None:
        raise UnsafeError(f"its weights are missing; expected {weights.name} beside it")
    reading = _Reading()
    reading.parse(text)
    check_layers(reading.layers, weights, size)
    check_constants(reading.layers, reading.edges, weights)
    shapes = tuple(layer.constant_shape for layer in reading.layers if layer.type == "Const")
    inputs, outputs = (_types(reading.layers, type_) for type_ in ("Parameter", "Result"))
    return Look(reading.metadata, inputs, outputs, shapes, (path, weights))


@dataclass
class _Reading:
    """An .xml on its way through the parser; nothing but what is asked for is kept."""

    layers: list[Layer] = field(default_factory=list)
    edges: list[dict[str, str]] = field(default_factory=list)
    metadata: str | None = None
    open: list[str] = field(default_factory=list)  # elements around
    count: int = 0
    text: str = ""  # of a <dim>

    def parse(self, text: bytes) -> None:
        """Read it all. Raises UnsafeError."""
        # Other encodings, and bytes that no text has, could read differently elsewhere.
        if not text.lstrip(b"\xef\xbb\xbf").lstrip().startswith(b"<") or b"\0" in text:
            raise UnsafeError("it is no XML in UTF-8")
        parser = expat.ParserCreate("utf-8")
        parser.buffer_text = True
        parser.XmlDeclHandler = self._check_encoding
        parser.StartDoctypeDeclHandler = self._refuse
        parser.EntityDeclHandler = self._refuse
        parser.ProcessingInstructionHandler = self._refuse
        parser.StartCdataSectionHandler = self._refuse
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        try:
            parser.Parse(text, True)
        except expat.ExpatError as error:
            raise UnsafeError(f"it is no readable XML ({error})") from None
        if not self.layers:
            raise UnsafeError("it holds no layers; expected an OpenVINO graph")

    def _check_encoding(self, _version: str, encoding: str | None, _standalone: int) -> None:
        if encoding is not None and encoding.lower() != "utf-8":
            raise UnsafeError("it is no XML in UTF-8")

    def _refuse(self, *_: object) -> None:
        raise UnsafeError("it declares entities or instructions, which no graph of ours does")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self.open.append(name)
        self.count += 1
        if len(self.open) > DEPTH or self.count > MOST_ELEMENTS:
            raise UnsafeError("it is nested deeper, or longer, than any graph of ours")
        if self.open[0] != "net":
            raise UnsafeError("it is no OpenVINO graph")
        if "rt_info" in self.open[:-1]:
            self._note(attributes)
            return
        if name not in _HELD:
            raise UnsafeError(f"it holds {name[:40]!r}: graphs within graphs, or what no graph of ours has")
        place = self.open[1:]
        if place == ["layers", "layer"]:
            self.layers.append(Layer(attributes))
        elif place == ["layers", "layer", "data"]:
            self.layers[-1].take_data(attributes)
        elif place[:2] == ["layers", "layer"] and name == "port":
            self.layers[-1].take_port(attributes)
        elif place == ["edges", "edge"]:
            self.edges.append(attributes)
        self.text = ""

    def _note(self, attributes: dict[str, str]) -> None:
        """Of what is noted about the graph as a whole, our metadata; the converter copies them elsewhere."""
        if self.open[1:] == ["rt_info", KEY]:
            if self.metadata is not None:
                raise UnsafeError("it describes itself twice")
            self.metadata = attributes.get("value", "")

    def _end(self, name: str) -> None:
        if name == "dim" and self.layers and "rt_info" not in self.open:
            self.layers[-1].take_side(self.text)
        self.open.pop()

    def _characters(self, text: str) -> None:
        if self.open and self.open[-1] == "dim":
            self.text = (self.text + text)[:40]


def _types(layers: list[Layer], type_: str) -> dict[str, TensorType]:
    """The inputs or outputs of a graph, by name."""
    found: dict[str, TensorType] = {}
    for layer in (each for each in layers if each.type == type_):
        if len(layer.names) != 1 or layer.names[0] in found:
            raise UnsafeError(f"{layer.name[:40]!r} has no name of its own, or several")
        shape = [int(side) if re.fullmatch(r"\d{1,12}", side) else "?" for side in layer.shape]
        try:
            found[layer.names[0]] = TensorType.model_validate(
                {"dtype": number_type(layer.precision), "shape": shape}
            )
        except ValidationError:
            raise UnsafeError(f"{layer.name[:40]!r} has a type or shape that no graph of ours has") from None
    return found
