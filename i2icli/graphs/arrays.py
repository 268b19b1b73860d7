"""Arrays of the engine as a graph reads them, and back."""

from collections.abc import Mapping

import numpy as np

from i2icli.errors import UserError, readable
from i2icli.graphs.metadata import TensorType
from i2icli.request import Array, Arrays


def chosen(types: Mapping[str, TensorType], arrays: Arrays, file: str) -> Arrays:
    """The arrays that a graph reads, of the number types it reads them in, with equal rows.

    Values in [-1, 1] become pixels where it reads those. Raises UserError for one that is missing, and for
    ids that its type cannot hold.
    """
    missing = types.keys() - arrays.keys()
    if missing:
        names = readable(", ".join(sorted(missing)))[:200]
        raise UserError(f"{file}: it reads {names}, which this request does not give; export the model again")
    return with_equal_rows(types, {name: _cast(name, arrays[name], type_) for name, type_ in types.items()})


def with_equal_rows(types: Mapping[str, TensorType], arrays: Arrays) -> Arrays:
    """The same with single rows repeated, where the graph calls the first side of several by one name."""
    counts: dict[str, int] = {}
    for name, array in arrays.items():
        side = _batch(types[name])
        if side is not None and array.ndim:
            counts[side] = max(counts.get(side, 1), len(array))
    return {name: _repeated(array, _rows(types[name], counts)) for name, array in arrays.items()}


def to_values(array: Array) -> Array:
    """What a graph gave as the engine takes it: pixels as values in [-1, 1], float32; ids as they are."""
    if array.dtype == np.uint8:
        return array.astype(np.float32) / np.float32(127.5) - np.float32(1)
    return array.astype(np.float32, copy=False) if array.dtype.kind == "f" else array


def _batch(type_: TensorType) -> str | None:
    first = type_.shape[0] if type_.shape else None
    return first if isinstance(first, str) and first != "?" else None


def _rows(type_: TensorType, counts: Mapping[str, int]) -> int:
    """Rows of an array: as many as others have, or a fixed number."""
    first = type_.shape[0] if type_.shape else 1
    return first if isinstance(first, int) else counts.get(first, 1)


def _repeated(array: Array, count: int) -> Array:
    if array.ndim == 0 or len(array) != 1 or count == 1:
        return array
    return np.repeat(array, count, axis=0)


def _cast(name: str, array: Array, type_: TensorType) -> Array:
    dtype = np.dtype(type_.dtype)
    if array.dtype == dtype:
        return array
    if array.dtype.kind == "f" and dtype == np.uint8:
        return np.rint((array + 1) * 127.5).clip(0, 255).astype(np.uint8)
    if array.dtype.kind in "iu" and dtype.kind in "iu" and array.size:
        most, least, limits = array.max(), array.min(), np.iinfo(dtype)
        if most > limits.max or least < limits.min:
            raise UserError(f"{readable(name)} holds ids up to {most}; this graph reads {dtype.name}")
    return array.astype(dtype)
