"""What an OpenVINO graph makes of constants alone, which the runtime computes while it loads."""

from collections import deque
from collections.abc import Mapping, Sequence
from math import prod
from pathlib import Path

import numpy as np

from i2icli.graphs.graph_file import MOST_ELEMENTS, UnsafeError
from i2icli.graphs.openvino_layers import Layer

SHAPED = {"Broadcast": 1, "Tile": 1, "Interpolate": 1, "OneHot": 1, "Pad": 2, "Reshape": 1, "Eye": 0}
"""Layers that make something as large as one of their inputs says, and which."""
KEEPING = frozenset({"Convert", "Multiply", "Subtract", "Add", "Divide", "FakeQuantize"})
"""Layers that constants may be made into: weights in few bits become numbers. An export has done the rest."""
SMALL = 16  # numbers of a constant that are read

Shape = tuple[int, ...]


def check_constants(layers: Sequence[Layer], edges: Sequence[Mapping[str, str]], weights: Path) -> None:
    """Raise UnsafeError if a layer that reads constants asks for more numbers than the file could mean."""
    by_id = {layer.attributes.get("id", ""): layer for layer in layers}
    if len(by_id) < len(layers):
        raise UnsafeError("it has two layers of the same number")
    sources: dict[str, dict[str, str]] = {key: {} for key in by_id}
    for edge in edges:
        source, target, port = (edge.get(key, "") for key in ("from-layer", "to-layer", "to-port"))
        if source not in by_id or target not in by_id or port in sources[target]:
            raise UnsafeError("it has connections between layers that there are not")
        sources[target][port] = source
    shapes = {key: layer.constant_shape for key, layer in by_id.items() if layer.type == "Const"}
    for key in _in_order(sources):
        layer, own = by_id[key], list(sources[key].values())
        _check_size(layer, by_id.get(sources[key].get(str(SHAPED.get(layer.type)), "")), weights)
        if own and all(each in shapes for each in own):
            size = by_id.get(sources[key].get("1", ""))
            numbers = _numbers(size, weights) if layer.type == "Reshape" and size is not None else []
            shapes[key] = _made(layer, [shapes[each] for each in own], numbers)
        elif not own and layer.type not in ("Const", "Parameter"):
            raise UnsafeError(f"its layer {layer.type[:40]} reads nothing")


def _in_order(sources: Mapping[str, Mapping[str, str]]) -> list[str]:
    """The layers, each after those it reads. Raises UnsafeError where they go in circles."""
    readers: dict[str, list[str]] = {key: [] for key in sources}
    left = {key: len(own) for key, own in sources.items()}
    for key, own in sources.items():
        for source in own.values():
            readers[source].append(key)
    waiting, found = deque(key for key, count in left.items() if not count), list[str]()
    while waiting:
        found.append(key := waiting.popleft())
        for reader in readers[key]:
            left[reader] -= 1
            if not left[reader]:
                waiting.append(reader)
    if len(found) < len(sources):
        raise UnsafeError("its layers go in circles")
    return found


def _made(layer: Layer, shapes: Sequence[Shape], asked: Sequence[int]) -> Shape:
    """The shape of what a layer makes of constants. Raises UnsafeError if there should be none.

    asked: what a Reshape is to make of its first.
    """
    if asked:
        rest = prod(shapes[0]) // max(1, prod(side for side in asked if side != -1))
        made = tuple(rest if side == -1 else side for side in asked)
        if prod(made) == prod(shapes[0]) and min(made) > 0:  # as many numbers, in another order
            return made
    if layer.type in KEEPING:
        try:
            made = np.broadcast_shapes(*shapes)
        except ValueError:
            raise UnsafeError(f"its layer {layer.type} reads constants that do not fit") from None
        if prod(made) <= MOST_ELEMENTS:
            return made
    raise UnsafeError(f"its layer {layer.type[:40]} only reads constants; an export computes that")


def _check_size(layer: Layer, sizes: Layer | None, weights: Path) -> None:
    """Raise UnsafeError if the constant that says how large a layer's output is asks for absurdly much."""
    numbers = _numbers(sizes, weights) if sizes is not None and sizes.type == "Const" else []
    if prod(max(1, abs(number)) for number in numbers) > MOST_ELEMENTS:
        raise UnsafeError(f"its {layer.type} asks for more than {MOST_ELEMENTS:,} numbers")


def _numbers(constant: Layer, weights: Path) -> list[int]:
    """The values of a small constant of whole numbers."""
    width = {"i64": 8, "u64": 8, "i32": 4, "u32": 4}.get(constant.data.get("element_type", ""))
    offset, size = constant.place
    if width is None or size > SMALL * width:
        return []
    with weights.open("rb") as file:
        file.seek(offset)
        raw = file.read(size)
    return [int.from_bytes(raw[at : at + width], "little", signed=True) for at in range(0, len(raw), width)]
