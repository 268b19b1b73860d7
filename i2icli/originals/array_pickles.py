"""Pickles of NumPy arrays, read without running code.

Every name that such a file asks for gets a stand-in of ours that merely keeps data; a file that asks for any
other name is refused.
"""

from collections.abc import Callable, Mapping
from io import BytesIO
from math import prod
from types import MappingProxyType
from typing import Any

import numpy as np

from i2icli.errors import readable
from i2icli.originals.pickle_machine import TOO_MUCH, Known, Machine, RefusedError, StandIn

StandIns = Mapping[tuple[str, str], Callable[..., Any]]
"""(module, name) that a file may ask for -> what it gets."""


def load_pickle(data: bytes, more: StandIns = MappingProxyType({})) -> object:
    """What a pickle holds; arrays are `Array`s. `more`: stand-ins beside those of arrays.

    Raises RefusedError, or whatever else, for what is damaged or asks for other names.
    """
    known = OF_ARRAYS | dict(more) | {("_codecs", "encode"): Encoder(len(data))}

    def find(module: str, name: str) -> Known:
        if (module, name) not in known:
            raise RefusedError(
                f"it asks for {readable(module[:40])}.{readable(name[:40])}, which could run code"
            )
        return Known(known[module, name])

    return Machine(BytesIO(data), find).load()


class _Dtype(StandIn):
    """A type of plain numbers."""

    def __init__(self, code: object = "", *_: object) -> None:
        self.code = code if isinstance(code, str) else ""
        self.order = "<"

    def set_state(self, state: object) -> None:
        """Take the order of its bytes."""
        if isinstance(state, tuple) and len(state) > 1 and state[1] in ("<", ">", "|", "="):
            self.order = state[1]

    def numpy(self) -> np.dtype[Any]:
        """The type, if it is one of numbers."""
        if self.code not in ("f2", "f4", "f8", "i4", "i8", "u4", "u8", "b1"):
            raise RefusedError(f"it holds arrays of {self.code or 'something'}, not of numbers")
        return np.dtype(self.order.replace("|", "=") + self.code)


class Array(StandIn):
    """An array whose bytes are in the file; several may share them."""

    def __init__(self) -> None:
        self.size = 0  # numbers in it
        self.state: tuple[Any, ...] = ()

    def set_state(self, state: object) -> None:
        """Take shape, type and bytes. Raises RefusedError for what is none."""
        if not isinstance(state, tuple) or len(state) != 5 or not isinstance(state[1], tuple):
            raise RefusedError("an array of an unknown kind")
        shape = state[1]
        if not all(isinstance(side, int) and side >= 0 for side in shape) or len(shape) > 8:
            raise RefusedError("an array of an impossible shape")
        self.size, self.state = prod(shape), state[1:]

    def values(self) -> np.ndarray[Any, Any]:
        """The numbers. Raises RefusedError for what are none, or not as many as its shape holds."""
        shape, dtype, by_columns, raw = self.state or ((), None, False, b"")
        raw = raw.encode("latin1") if isinstance(raw, str) else raw  # as Python 2 writes them
        if not isinstance(dtype, _Dtype) or not isinstance(raw, bytes):
            raise RefusedError("an array of an unknown kind")
        kind = dtype.numpy()
        if prod(shape) * kind.itemsize != len(raw):
            raise RefusedError("an array whose bytes do not fill its shape")
        return np.frombuffer(raw, kind).reshape(shape, order="F" if by_columns else "C")

    def objects(self) -> list[Any]:
        """What an array of objects holds. Raises RefusedError for another one."""
        held = self.state[3] if self.state else None
        if not isinstance(held, list):
            raise RefusedError("an array that holds no objects")
        return held


def _new_array(*_: object) -> Array:
    return Array()


def _scalar(dtype: object, raw: object = b"") -> Array:
    array = Array()
    array.set_state((1, (), dtype, False, raw))
    return array


class _Kind:
    """Stands where a file names the class of arrays."""


OF_ARRAYS: dict[tuple[str, str], Callable[..., Any]] = {
    ("numpy", "dtype"): _Dtype,
    ("numpy", "ndarray"): _Kind,
}
for _core in ("numpy.core.multiarray", "numpy._core.multiarray"):
    OF_ARRAYS |= {(_core, "_reconstruct"): _new_array, (_core, "scalar"): _scalar}


class Encoder:
    """Bytes as protocol 2 spells them: as text, no more of it than the file has bytes."""

    def __init__(self, room: int) -> None:
        self.room = room

    def __call__(self, text: object, encoding: object = "latin1") -> bytes:
        """The bytes. Raises RefusedError for more than there is room for: the same text over and over."""
        if not isinstance(text, str) or encoding != "latin1":
            raise RefusedError("bytes in an unknown spelling")
        self.room -= len(text)
        if self.room < 0:
            raise RefusedError(TOO_MUCH)
        return text.encode("latin1")
