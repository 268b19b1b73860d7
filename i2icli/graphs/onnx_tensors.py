"""The constants in an .onnx: that their bytes are there, and where those outside the file are."""

import struct
from dataclasses import dataclass
from math import prod
from pathlib import Path, PurePosixPath, PureWindowsPath

from i2icli.graphs.graph_file import UnsafeError
from i2icli.graphs.wire import Fields, Kind, Span, Wire

NAME = 8
SMALL = 16  # numbers of a constant that are read: shapes, repeats, sizes
_TENSOR: dict[int, Kind] = {
    1: "numbers",
    2: "number",
    3: "message",
    4: "floats",
    5: "numbers",
    6: "texts",
    7: "numbers",
    NAME: "bytes",
    9: "bytes",
    10: "doubles",
    11: "numbers",
    13: "messages",
    14: "number",
}
_ENTRY: dict[int, Kind] = {1: "bytes", 2: "bytes"}
_TYPED = (4, 5, 7, 10, 11)  # fields of numbers that are not raw
_FLOAT, _INT64, _STRING = 1, 7, 8
_BITS = {_FLOAT: 32, 2: 8, 3: 8, 4: 16, 5: 16, 6: 32, _INT64: 64, 9: 8, 10: 16, 11: 64, 12: 32, 13: 64}
_BITS |= {14: 64, 15: 128, 16: 16, 17: 8, 18: 8, 19: 8, 20: 8, 21: 4, 22: 4, 23: 4, 24: 8, 25: 2, 26: 2}


@dataclass(frozen=True)
class Tensor:
    """A constant."""

    name: str
    shape: tuple[int, ...]
    values: tuple[int, ...] | None = None  # of a small one of whole numbers


@dataclass(frozen=True)
class _Outside:
    """Where the bytes of a constant are, in a file beside."""

    file: Path
    offset: int
    length: int


class Tensors:
    """The constants of a file, as they are read."""

    def __init__(self, wire: Wire, path: Path) -> None:
        self.wire, self.folder = wire, path.parent
        self.found: list[Tensor] = []
        self.outside: list[_Outside] = []

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that bytes of constants are in."""
        return tuple(dict.fromkeys(each.file for each in self.outside))

    def read(self, span: Span) -> Tensor:
        """A constant whose bytes are where they should be. Raises UnsafeError, WireError."""
        tensor = self.wire.read(span, _TENSOR)
        name = self.wire.text(tensor[NAME][0], 1000) if NAME in tensor else ""
        shape, bits = tuple(self.wire.integers(tensor.get(1, []), 8)), _BITS.get(_number(tensor, 2))
        if bits is None or _number(tensor, 2) == _STRING or 3 in tensor or 6 in tensor:
            raise UnsafeError(f"its constant {name[:60]!r} is no plain tensor of numbers")
        if any(side < 0 for side in shape):
            raise UnsafeError(f"its constant {name[:60]!r} has an impossible shape")
        needed = (prod(shape) * bits + 7) // 8
        if _number(tensor, 14):
            self.outside.append(self._outside(tensor, name, needed))
        elif not self._is_there(tensor, prod(shape), needed):
            raise UnsafeError(f"its constant {name[:60]!r} has not the bytes that its shape needs")
        found = Tensor(name, shape, self._values(tensor, prod(shape)))
        self.found.append(found)
        return found

    def check_external(self) -> None:
        """Raise UnsafeError if constants outside the file need more bytes than are there."""
        for path in self.files:
            size = path.stat().st_size
            own = [each for each in self.outside if each.file == path]
            if any(each.offset + each.length > size for each in own):
                raise UnsafeError(f"constants lie beyond the end of {path.name}")
            if sum(each.length for each in own) > size:
                raise UnsafeError(f"constants share bytes of {path.name}")

    def _is_there(self, tensor: Fields, count: int, needed: int) -> bool:
        typed = [number for number in _TYPED if number in tensor]
        if 13 in tensor or len(typed) + (9 in tensor) > 1:
            return False
        if 9 in tensor:
            return len(_span(tensor, 9)) == needed
        if not typed:
            return count == 0
        # Numbers of any width have at least a byte each; complex ones are two numbers.
        there = sum(len(each) if isinstance(each, Span) else 1 for each in tensor[typed[0]])
        return count <= there

    def _values(self, tensor: Fields, count: int) -> tuple[int, ...] | None:
        if _number(tensor, 2) != _INT64 or count > SMALL or _number(tensor, 14):
            return None
        if 9 in tensor:
            span = _span(tensor, 9)
            return struct.unpack(f"<{count}q", self.wire.data[span.start : span.end])
        return tuple(self.wire.integers(tensor.get(7, []), SMALL))

    def _outside(self, tensor: Fields, name: str, needed: int) -> _Outside:
        """Where the bytes of a constant lie: in the same folder, or nowhere. Raises UnsafeError."""
        if _number(tensor, 14) != 1 or 9 in tensor or any(number in tensor for number in _TYPED):
            raise UnsafeError(f"its constant {name[:60]!r} lies in an unknown place")
        known: dict[str, str] = {}
        for each in tensor.get(13, []):
            assert isinstance(each, Span)  # by the kind of the field
            entry = self.wire.read(each, _ENTRY)
            key, value = (self.wire.text(entry[at][0], 1000) if at in entry else "" for at in (1, 2))
            if key in known:
                raise UnsafeError(f"its constant {name[:60]!r} lies in two places")
            known[key] = value
        file = _beside(self.folder, known.get("location", ""))
        offset, length = _whole(known.get("offset", "0")), _whole(known.get("length", str(needed)))
        if offset is None or length != needed:
            raise UnsafeError(f"its constant {name[:60]!r} has not the bytes that its shape needs")
        return _Outside(file, offset, length)


def _beside(folder: Path, location: str) -> Path:
    """A file in the folder itself. Raises UnsafeError for any other place, and for links."""
    plain = PureWindowsPath(location).name == location == PurePosixPath(location).name
    if not plain or not location or location.startswith(".") or "\0" in location:
        raise UnsafeError(f"it asks for {location[:80]!r}; expected a file in its own folder")
    path = folder / location
    if path.is_symlink() or not path.is_file():
        raise UnsafeError(f"it asks for {location[:80]!r}, which is no file in its folder")
    return path


def _whole(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else None


def _number(fields: Fields, number: int) -> int:
    value = fields.get(number, [0])[0]
    assert isinstance(value, int)  # by the kind of the field
    return value


def _span(fields: Fields, number: int) -> Span:
    value = fields[number][0]
    assert isinstance(value, Span)  # as above
    return value
