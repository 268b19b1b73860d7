"""What torch.save writes, as data: nested dictionaries and lists, in which tensors are `Stored`, unread.

Both of its formats, the archive and the older row of pickles with the values behind them. No name in a file
is imported or called (see `pickle_machine`); objects that lie beside the weights, such as the arguments of a
program, become `Thing`s. A file that names something which could run code is refused all the same: its user
should know.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from math import prod
from pathlib import Path
from typing import IO, Any

import torch
from torch import Tensor

from i2icli.errors import readable
from i2icli.originals.archives import Archive, is_archive
from i2icli.originals.array_pickles import OF_ARRAYS, Encoder
from i2icli.originals.pickle_machine import Known, Machine, RefusedError, StandIn, Unknown, put

_MAGIC = 0x1950A86A20F9469CFC6C  # the first pickle of the older format
_DTYPES = {
    name: getattr(torch, name)
    for name in (
        "float32", "float64", "float16", "bfloat16", "int8", "int16", "int32", "int64", "uint8", "bool",
        "uint16", "uint32", "uint64", "float8_e4m3fn", "float8_e5m2", "complex64", "complex128",
    )
}  # fmt: skip
_STORAGES = {
    "FloatStorage": torch.float32, "DoubleStorage": torch.float64, "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16, "LongStorage": torch.int64, "IntStorage": torch.int32,
    "ShortStorage": torch.int16, "CharStorage": torch.int8, "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool, "UntypedStorage": torch.uint8,
}  # fmt: skip
_HARMLESS_BUILTINS = frozenset({
    "set", "frozenset", "list", "dict", "tuple", "int", "float", "complex", "str", "bytes", "bytearray",
    "bool", "slice", "range", "object", "long", "unicode", "NoneType",
})  # fmt: skip
_RUNNING = frozenset({
    "os", "posix", "nt", "subprocess", "sys", "importlib", "runpy", "shutil", "socket", "ctypes", "pickle",
    "_pickle", "code", "pty", "webbrowser", "commands", "platform", "timeit", "pdb", "bdb", "marshal",
    "types", "operator", "multiprocessing", "signal", "threading", "urllib", "requests", "pip", "site",
})  # fmt: skip
"""Modules of which no checkpoint needs anything, and which attacks use."""

Plane = Callable[[], Tensor]
"""Reads the values of a storage: (N,) in its type."""


class Storage:
    """Values in the file, which tensors are views of."""

    def __init__(self, dtype: torch.dtype, number: int, read: Plane) -> None:
        self.dtype, self.number = dtype, number
        self._read = read
        self._values: Tensor | None = None

    @property
    def values(self) -> Tensor:
        """(N,), read with the first call."""
        if self._values is None:
            self._values = self._read()
        return self._values


class _Kind(Unknown):
    """The type of a storage, or of numbers."""

    def __init__(self, dtype: torch.dtype, name: str) -> None:
        super().__init__("torch", name)
        self.dtype = dtype


@dataclass(frozen=True, eq=False)
class Stored(StandIn):
    """A tensor whose values still lie in the file."""

    storage: Storage
    dtype: torch.dtype
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]

    @property
    def size(self) -> int:
        """Bytes once it is read."""
        return prod(self.shape) * self.dtype.itemsize

    def read(self) -> Tensor:
        """The tensor. Raises RefusedError, or whatever the file causes, for damage."""
        values = self.storage.values
        if values.dtype != self.dtype:
            values = values.view(self.dtype)
        return torch.as_strided(values, self.shape, self.stride, self.offset)


def read_saved(path: Path, *, strict: bool = False) -> Any:
    """What is in a file of torch.save. Raises RefusedError, or whatever damage causes.

    strict: no other objects than tensors may lie in it.
    """
    if is_archive(path):
        return _of_archive(Archive(path), strict)
    with path.open("rb") as file:
        return _of_row(file, path, strict)


# -- the archive -----------------------------------------------------------------------------------


def _of_archive(archive: Archive, strict: bool) -> Any:
    if archive.has("code") or archive.has("constants.pkl"):
        raise RefusedError("it is a TorchScript program")
    if archive.has("byteorder") and archive.read("byteorder") != b"little":
        raise RefusedError("its numbers are of a machine with another order of bytes")
    storages: dict[str, Storage] = {}

    def external(pid: Any) -> Storage:
        kind, key, number, _ = _parts(pid)
        if key not in storages:
            bytes_there = archive.size(f"data/{key}")
            if bytes_there < number * kind.dtype.itemsize:
                raise RefusedError("some of its values are missing")
            read = partial(_record, archive, key, kind.dtype)
            storages[key] = Storage(kind.dtype, bytes_there // kind.dtype.itemsize, read)
        return storages[key]

    data = archive.pickle()
    return Machine(BytesIO(data), _finder(len(data), strict), external).load()


def _record(archive: Archive, key: str, dtype: torch.dtype) -> Tensor:
    return _values(archive.read(f"data/{key}"), dtype)


def _values(data: bytes, dtype: torch.dtype) -> Tensor:
    number = len(data) // dtype.itemsize
    if not number:
        return torch.empty(0, dtype=dtype)
    return torch.frombuffer(bytearray(data), dtype=dtype, count=number)


# -- the older format ------------------------------------------------------------------------------


def _of_row(file: IO[bytes], path: Path, strict: bool) -> Any:
    """Pickles of a magic number, a version, the machine, the object and the storages; then all values."""
    length = path.stat().st_size
    find, storages = _finder(length, strict), {}

    def external(pid: Any) -> Any:
        if isinstance(pid, tuple) and len(pid) > 1 and pid[0] == "module":
            return pid[1]  # the class of a pickled network, which lies there with its source text
        kind, key, number, view = _parts(pid)
        if key not in storages:
            storages[key] = Storage(kind.dtype, number, partial(_refuse_unread, key))
        root = storages[key]
        if view is None:
            return root
        _, start, count = view
        if not 0 <= start <= start + count <= root.number:
            raise RefusedError("a tensor beyond its values")
        return Storage(kind.dtype, count, lambda: root.values[start : start + count])

    if Machine(file, find).load() != _MAGIC:
        raise RefusedError("it is not of torch.save")
    for _ in range(2):  # version, machine
        Machine(file, find).load()
    found = Machine(file, find, external).load()
    keys = Machine(file, find).load()
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
        raise RefusedError("it is damaged")
    for key in keys:
        place = file.tell() + 8
        (number,) = struct.unpack("<q", file.read(8))
        storage = storages.get(key)
        if storage is None or number < storage.number or place + number * storage.dtype.itemsize > length:
            raise RefusedError("some of its values are missing")
        storage._read = partial(_span, path, place, number, storage.dtype)
        file.seek(place + number * storage.dtype.itemsize)
    return found


def _refuse_unread(_: str) -> Tensor:
    raise RefusedError("some of its values are missing")


def _span(path: Path, place: int, number: int, dtype: torch.dtype) -> Tensor:
    with path.open("rb") as file:
        file.seek(place)
        return _values(file.read(number * dtype.itemsize), dtype)


# -- stand-ins -------------------------------------------------------------------------------------


def _parts(pid: Any) -> tuple[_Kind, str, int, Any]:
    """("storage", type, key, device, number of values[, what it is a view of]). Raises RefusedError."""
    if not isinstance(pid, tuple) or len(pid) < 5 or pid[0] != "storage" or not isinstance(pid[1], _Kind):
        raise RefusedError("it refers to things outside of it")
    _, kind, key, _, number, *view = pid
    if not isinstance(key, str) or not isinstance(number, int) or number < 0:
        raise RefusedError("it is damaged")
    return kind, key, number, view[0] if view else None


def _finder(room: int, strict: bool) -> Callable[[str, str], Known | Unknown]:
    """What stands for the names in a file of so many bytes."""
    calls: dict[tuple[str, str], Callable[..., Any]] = dict(OF_ARRAYS)
    calls |= {
        ("_codecs", "encode"): Encoder(room),
        ("collections", "OrderedDict"): _dictionary,
        ("collections", "defaultdict"): lambda *_: {},
        ("torch", "Size"): tuple,
        ("torch._utils", "_rebuild_tensor"): _rebuilt,
        ("torch._utils", "_rebuild_tensor_v2"): _rebuilt,
        ("torch._utils", "_rebuild_tensor_v3"): _rebuilt_as,
        ("torch._utils", "_rebuild_parameter"): lambda tensor, *_: tensor,
        ("torch._utils", "_rebuild_parameter_with_state"): lambda tensor, *_: tensor,
        ("torch._tensor", "_rebuild_from_type_v2"): _rebuilt_as_type,
    }

    def find(module: str, name: str) -> Known | Unknown:
        if (module, name) in calls:
            return Known(calls[module, name])
        if module in ("torch", "torch.cuda", "torch.storage") and name in _STORAGES:
            return _Kind(_STORAGES[name], name)
        if module == "torch" and name in _DTYPES:
            return _Kind(_DTYPES[name], name)
        running = module.partition(".")[0] in _RUNNING and name != "SimpleNamespace"
        builtin = module in ("builtins", "__builtin__") and name not in _HARMLESS_BUILTINS
        if running or builtin or strict:
            raise RefusedError(
                f"it asks for {readable(module[:40])}.{readable(name[:40])}, which could run code"
            )
        return Unknown(module, name)

    return find


def _dictionary(pairs: object = ()) -> dict[Any, Any]:
    """An OrderedDict; of old programs with its entries as arguments."""
    found: dict[Any, Any] = {}
    for pair in pairs if isinstance(pairs, list | tuple) else ():
        if not isinstance(pair, list | tuple) or len(pair) != 2:
            raise RefusedError("it is damaged")
        put(found, pair[0], pair[1])
    return found


def _rebuilt(storage: object, offset: object, shape: object, stride: object, *_: object) -> Stored:
    return _checked(storage, offset, shape, stride, storage.dtype if isinstance(storage, Storage) else None)


def _rebuilt_as(storage: object, offset: object, shape: object, stride: object, *more: object) -> Stored:
    """more: whether it needs a gradient, hooks, the type of its numbers."""
    kind = more[2] if len(more) > 2 else None
    return _checked(storage, offset, shape, stride, kind.dtype if isinstance(kind, _Kind) else None)


def _rebuilt_as_type(call: object, _type: object, arguments: object, *_: object) -> Any:
    if not isinstance(call, Known) or not isinstance(arguments, tuple):
        raise RefusedError("a tensor of an unknown kind")
    return call.call(*arguments)


def _checked(
    storage: object, offset: object, shape: object, stride: object, dtype: torch.dtype | None
) -> Stored:
    """A tensor all of whose values are in the file. Raises RefusedError for another one."""
    if not isinstance(storage, Storage) or dtype is None or not isinstance(offset, int):
        raise RefusedError("a tensor of an unknown kind")
    if not isinstance(shape, tuple) or not isinstance(stride, tuple) or len(shape) != len(stride):
        raise RefusedError("a tensor of an unknown kind")
    if len(shape) > 8 or not all(
        type(each) is int and 0 <= each < 2**48 for each in (*shape, *stride, offset)
    ):
        raise RefusedError("a tensor of an impossible shape")
    held = storage.number * storage.dtype.itemsize // dtype.itemsize
    last = offset + sum((side - 1) * step for side, step in zip(shape, stride, strict=True))
    if prod(shape) and last >= held:
        raise RefusedError("a tensor beyond its values")
    return Stored(storage, dtype, offset if prod(shape) else 0, shape, stride)


def check_saved(path: Path) -> None:
    """Raise RefusedError, or whatever damage causes, for a file that torch.load had better not be given.

    That is one whose records are compressed, or whose pickle would cost time or memory, or names anything
    else than tensors. Its values are read once, a part at a time, and compared with their check sums.
    """
    read_saved(path, strict=True)
    if is_archive(path):
        Archive(path).check_sums()
