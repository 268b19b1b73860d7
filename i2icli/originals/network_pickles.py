"""Pickles of whole networks as the paper's program of Progressive GAN saves them, read without running code.

Such a file holds `tfutil.Network` objects, each a dict of settings, variables and the source text of its
builder. Every name the file asks for gets a stand-in of ours that merely keeps data; a file that
asks for any other name is refused. Opcodes are looked over first, so that none can ask for memory.
"""

import pickle
import pickletools
from collections.abc import Callable, Mapping
from io import BytesIO
from itertools import chain
from math import prod
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import torch
from torch import Tensor

from i2icli.errors import UserError

LARGEST = 4 * 2**30  # bytes of a file that is read into memory
LAYERS = 10_000  # variables of all networks together, far more than any have
_TOO_MUCH = "it asks for more memory than it holds"
_HEAD = 256  # bytes among which such a file names its class


class RefusedError(Exception):
    """The file is not what it should be; the text says why."""


def is_network_pickle(path: Path) -> bool:
    """Whether a file begins like such a pickle."""
    with path.open("rb") as file:
        head = file.read(_HEAD)
    return head[:1] == b"\x80" and b"tfutil" in head


def read_network_pickle(path: Path) -> dict[str, Tensor]:
    """The variables of all networks in the file, "<network>.<variable>", on the CPU.

    Networks are called G, D and Gs (the moving average of G) where there are three, as in published files,
    else by their own names. Their settings that are numbers follow as "<network>.static_kwargs/<name>".
    Raises UserError for anything else.
    """
    try:
        if path.stat().st_size > LARGEST:
            raise RefusedError(f"it is larger than {LARGEST >> 30} GB")
        data = path.read_bytes()
        _look_over(data)
        networks = _networks(_Reader(data).load())
        _check_memory(networks, len(data))
        found: dict[str, Tensor] = {}
        for name, network in networks.items():
            found |= {f"{name}.{key}": value for key, value in _tensors(network).items()}
        return found
    except Exception as error:  # hostile files find every way to fail
        reason = str(error) if isinstance(error, RefusedError) else "it is damaged"
        raise UserError(
            f"{path}: not a pickle of networks that can be read safely ({reason}); "
            "expected one as the paper's program of Progressive GAN writes it"
        ) from None


def _look_over(data: bytes) -> None:
    """Raise RefusedError for a place in the unpickler's memory that no file of its length needs."""
    for opcode, argument, _ in pickletools.genops(data):
        if "PUT" in opcode.name and isinstance(argument, int) and argument > len(data):
            raise RefusedError(_TOO_MUCH)
        if opcode.name.startswith(("EXT", "PERSID", "BINPERSID", "INST", "OBJ")):
            raise RefusedError("it holds more than networks")


# -- stand-ins -------------------------------------------------------------------------------------


class _Network:
    """What `tfutil.Network` keeps."""

    def __init__(self) -> None:
        self.state: Mapping[str, Any] = {}

    def __setstate__(self, state: object) -> None:
        self.state = state if isinstance(state, Mapping) else {}


class _Dtype:
    """A type of plain numbers."""

    def __init__(self, code: object = "", *_: object) -> None:
        self.code = code if isinstance(code, str) else ""
        self.order = "<"

    def __setstate__(self, state: object) -> None:
        if isinstance(state, tuple) and len(state) > 1 and state[1] in ("<", ">", "|", "="):
            self.order = state[1]

    def numpy(self) -> np.dtype[Any]:
        """The type, if it is one of numbers."""
        if self.code not in ("f2", "f4", "f8", "i4", "i8", "u4", "u8", "b1"):
            raise RefusedError(f"it holds arrays of {self.code or 'something'}, not of numbers")
        return np.dtype(self.order.replace("|", "=") + self.code)


class _Array:
    """An array whose bytes are in the file; several may share them."""

    def __init__(self) -> None:
        self.size = 0  # numbers in it
        self.state: tuple[Any, ...] = ()

    def __setstate__(self, state: object) -> None:
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


def _new_array(*_: object) -> _Array:
    return _Array()


def _scalar(dtype: object, raw: object = b"") -> _Array:
    array = _Array()
    array.__setstate__((1, (), dtype, False, raw))
    return array


class _Kind:
    """Stands where a file names the class of arrays."""


_STAND_INS: dict[tuple[str, str], Callable[..., Any]] = {
    ("tfutil", "Network"): _Network,
    ("numpy", "dtype"): _Dtype,
    ("numpy", "ndarray"): _Kind,
}
for _core in ("numpy.core.multiarray", "numpy._core.multiarray"):
    _STAND_INS |= {(_core, "_reconstruct"): _new_array, (_core, "scalar"): _scalar}


class _Reader(pickle.Unpickler):
    """Knows nothing but the stand-ins."""

    def __init__(self, data: bytes) -> None:
        super().__init__(BytesIO(data), encoding="latin1")
        self.room = len(data)  # bytes that may still be spelled out

    def find_class(self, module: str, name: str) -> Any:
        """The stand-in for a name. Raises RefusedError if there is none."""
        if (module, name) == ("_codecs", "encode"):
            return self._encoded
        if (module, name) not in _STAND_INS:
            raise RefusedError(f"it asks for {module[:40]}.{name[:40]}, which could run code")
        return _STAND_INS[module, name]

    def _encoded(self, text: object, encoding: object = "latin1") -> bytes:
        """Bytes as protocol 2 spells them."""
        if not isinstance(text, str) or encoding != "latin1":
            raise RefusedError("bytes in an unknown spelling")
        self.room -= len(text)
        if self.room < 0:  # the same text over and over
            raise RefusedError(_TOO_MUCH)
        return text.encode("latin1")

    def persistent_load(self, pid: Any) -> NoReturn:  # noqa: ARG002 - there are none
        """Nothing lies outside of the file."""
        raise RefusedError("it refers to things outside of it")


# -- what came out ---------------------------------------------------------------------------------


def _networks(found: object) -> dict[str, _Network]:
    """The networks by name."""
    several = found if isinstance(found, tuple | list) else (found,)
    networks = [each for each in several if isinstance(each, _Network)]
    if not networks or len(networks) != len(several):
        raise RefusedError("it holds no networks")
    if len(networks) == 3:
        return dict(zip(("G", "D", "Gs"), networks, strict=True))
    return {str(network.state.get("name", number)): network for number, network in enumerate(networks)}


def _check_memory(networks: Mapping[str, _Network], length: int) -> None:
    """Raise RefusedError for more layers or numbers than a file of so many bytes can hold."""
    states = [network.state for network in networks.values()]
    lists = [each for state in states if isinstance(each := state.get("variables"), list)]
    settings = [each for state in states if isinstance(each := state.get("static_kwargs"), Mapping)]
    if max(len(states), sum(map(len, lists)), sum(map(len, settings))) > LAYERS:
        raise RefusedError(_TOO_MUCH)
    entries = chain.from_iterable(lists)
    arrays = (entry[1] for entry in entries if isinstance(entry, tuple) and len(entry) == 2)
    if sum(array.size for array in arrays if isinstance(array, _Array)) > length:
        raise RefusedError(_TOO_MUCH)


def _tensors(network: _Network) -> dict[str, Tensor]:
    variables, settings = network.state.get("variables"), network.state.get("static_kwargs")
    if not isinstance(variables, list):
        raise RefusedError("a network without variables")
    found: dict[str, Tensor] = {}
    for entry in variables:
        if not isinstance(entry, tuple) or len(entry) != 2 or not isinstance(entry[0], str):
            raise RefusedError("a network whose variables have no names")
        name, value = entry
        if isinstance(value, float):
            found[name] = torch.tensor(value)
            continue
        if not isinstance(value, _Array):
            raise RefusedError(f"its variable {name[:60]!r} is no array")
        found[name] = torch.from_numpy(value.values().astype(np.float32))
    if isinstance(settings, Mapping):
        for key, value in settings.items():
            if isinstance(key, str) and isinstance(value, bool | int | float) and abs(value) < 2**31:
                found[f"static_kwargs/{key}"] = torch.tensor(float(value))
    return found
