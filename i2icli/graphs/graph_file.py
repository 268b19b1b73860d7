"""A graph's file, looked into before a runtime is given it: what it holds, and that it is safe to run."""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module
from math import prod
from pathlib import Path
from statistics import median

from i2icli.errors import UserError, readable
from i2icli.graphs.metadata import GraphMetadata, TensorType, parse_metadata

GRAPHS = {".onnx": "i2icli.graphs.onnx_file", ".xml": "i2icli.graphs.openvino_file"}
"""Suffixes of graphs that are run, and the module that looks into them."""
TRACED = ".pt2"
MOST_ELEMENTS = 2**28  # of what constants of a graph ask for: 1 GiB of float32
MOST_LAYERS = 20_000


class UnsafeError(Exception):
    """The file is damaged, or asks for what no graph of ours does; the text says what."""


@dataclass(frozen=True)
class Look:
    """What was found in a file that is safe to run."""

    text: str | None  # the JSON of its metadata
    inputs: Mapping[str, TensorType]
    outputs: Mapping[str, TensorType]
    weights: tuple[tuple[int, ...], ...]  # shapes of its constants
    files: tuple[Path, ...]  # all that belong to it, itself first


@dataclass(frozen=True)
class GraphFile:
    """A graph of ours, checked."""

    path: Path
    metadata: GraphMetadata
    files: tuple[Path, ...]
    products: float  # summed per value of the median convolution: how much low precision may gain
    parameters: int  # numbers in its constants

    @property
    def size(self) -> int:
        """Bytes of all its files."""
        return sum(file.stat().st_size for file in self.files)

    def sha256(self) -> str:
        """The hash of all its files, in their order."""
        digest = hashlib.sha256()
        for path in self.files:
            with path.open("rb") as file:
                while block := file.read(2**20):
                    digest.update(block)
        return digest.hexdigest()


def is_graph(path: Path) -> bool:
    """Whether a file is a graph by its name."""
    return path.suffix.lower() in GRAPHS


def refuse_traced(path: Path) -> None:
    """Raise UserError for a .pt2: whoever opens one runs what is in it."""
    if path.suffix.lower() == TRACED:
        raise UserError(
            f"{path}: a .pt2 is not taken as a model, as torch executes what such a file brings; "
            "export to .onnx or .xml to run it, or to .safetensors"
        )


def open_graph(path: Path) -> GraphFile:
    """A graph of ours, checked before any runtime reads it.

    Raises UserError for one of another tool, one that could do more than compute, damage, or what is not as
    its metadata say.
    """
    refuse_traced(path)
    if not is_graph(path):
        raise UserError(f"{path}: not a graph by its name; expected {' or '.join(GRAPHS)}")
    if not path.is_file():
        raise UserError(f"{path}: no such file")
    look: Callable[[Path], Look] = import_module(GRAPHS[path.suffix.lower()]).look
    try:
        found = look(path)
    except UnsafeError as error:
        raise UserError(f"{path}: not run, as {readable(str(error))[:300]}") from None
    metadata = parse_metadata(found.text, path, _described(found.inputs))
    _compare(path, "input", metadata.inputs, found.inputs, exact=True)
    _compare(path, "output", metadata.outputs, found.outputs, exact=False)
    parameters = sum(map(prod, found.weights))
    return GraphFile(path, metadata, found.files, products_per_value(found.weights), parameters)


def read_graph_metadata(path: Path) -> GraphMetadata:
    """The metadata of a .onnx or .xml. Raises UserError as `open_graph`."""
    return open_graph(path).metadata


def products_per_value(shapes: Iterable[tuple[int, ...]]) -> float:
    """Median over the convolutions of input channels x kernel area: products per value."""
    biases = (1, 1, 1)  # beside their channels
    kernels = [shape for shape in shapes if len(shape) == 4 and shape[:1] + shape[2:] != biases]
    found = [shape[1] * shape[2] * shape[3] for shape in kernels]
    return median(found or [0])


def _described(types: Mapping[str, TensorType]) -> list[str]:
    found = [f"{readable(name)[:40]} ({type_})" for name, type_ in types.items()]
    return [*found[:4], *(["..."] if len(found) > 4 else [])]


def _compare(
    path: Path, what: str, said: Mapping[str, TensorType], found: Mapping[str, TensorType], *, exact: bool
) -> None:
    """Raise UserError unless the file has what its metadata say. exact: the same sides are fixed."""
    if said.keys() != found.keys():
        has, want = (readable(", ".join(sorted(each)))[:100] or "none" for each in (found, said))
        raise UserError(
            f"{path}: its {what}s are {has}, but its description says {want}; damaged, export it again"
        )
    for name, type_ in said.items():
        if not _fits(type_, found[name], exact=exact):
            raise UserError(
                f"{path}: its {what} {readable(name)[:40]} is {found[name]}, but its description "
                f"says {type_}; damaged, export it again"
            )


def _fits(said: TensorType, found: TensorType, *, exact: bool) -> bool:
    if said.dtype != found.dtype or len(said.shape) != len(found.shape):
        return False
    pairs = list(zip(said.shape, found.shape, strict=True))
    if exact and any(isinstance(one, int) != isinstance(other, int) for one, other in pairs):
        return False
    return all(one == other for one, other in pairs if isinstance(one, int) and isinstance(other, int))
