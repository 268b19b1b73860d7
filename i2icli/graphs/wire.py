"""Reading protobuf messages of unknown origin without building them: fields and where their bytes are.

Stricter than the format, which skips what it does not understand and merges what occurs twice: whatever two
readers could understand differently is refused, as a runtime reads the file again.
https://protobuf.dev/programming-guides/encoding/
"""

import mmap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
_LENGTHS = {FIXED64: 8, FIXED32: 4}
_SIGN = 1 << 63

Kind = Literal["number", "bytes", "message", "messages", "numbers", "floats", "doubles", "texts"]
"""What a field holds. number, bytes, message: at most one of them; the others may occur often.
numbers: varints, packed or not; floats, doubles: of four and eight bytes, packed or not."""
_WIRES: dict[str, frozenset[int]] = {
    "number": frozenset({VARINT}),
    "bytes": frozenset({BYTES}),
    "message": frozenset({BYTES}),
    "messages": frozenset({BYTES}),
    "texts": frozenset({BYTES}),
    "numbers": frozenset({VARINT, BYTES}),
    "floats": frozenset({FIXED32, BYTES}),
    "doubles": frozenset({FIXED64, BYTES}),
}
_ONCE = frozenset({"number", "bytes", "message"})


class WireError(Exception):
    """The bytes are no such message; the text says why."""


@dataclass(frozen=True, slots=True)
class Span:
    """Where the bytes of a field are."""

    start: int
    end: int

    def __len__(self) -> int:
        return self.end - self.start


Value: TypeAlias = int | Span
Fields: TypeAlias = dict[int, list[Value]]
"""The values of a message's fields, by their numbers."""


class Wire:
    """The bytes of a file, and how many fields may still be read of it."""

    def __init__(self, data: bytes | mmap.mmap, most_fields: int) -> None:
        self.data, self.left = data, most_fields

    @property
    def whole(self) -> Span:
        """All of it."""
        return Span(0, len(self.data))

    def read(self, span: Span, known: Mapping[int, Kind]) -> Fields:
        """The values of the known fields of a message. Raises WireError."""
        found: Fields = {}
        for number, wire, value in self._fields(span):
            kind = known.get(number)
            if kind is None:
                continue
            if wire not in _WIRES[kind]:
                raise WireError(f"field {number} of an unexpected type")
            values = found.setdefault(number, [])
            if values and kind in _ONCE:
                raise WireError(f"field {number} twice")
            values.append(value)
        return found

    def text(self, span: Value, most: int) -> str:
        """A text of at most so many bytes. Raises WireError."""
        assert isinstance(span, Span)
        if len(span) > most:
            raise WireError(f"a text of {len(span):,} bytes, expected at most {most:,}")
        try:
            return self.data[span.start : span.end].decode()
        except UnicodeDecodeError:
            raise WireError("a text that is not in UTF-8") from None

    def integers(self, values: list[Value], most: int) -> list[int]:
        """The signed integers of a field, packed or not. Raises WireError if there are more than so many."""
        found: list[int] = []
        for value in values:
            for number in (value,) if isinstance(value, int) else self._packed(value):
                found.append(number - (1 << 64) if number & _SIGN else number)
                if len(found) > most:
                    raise WireError(f"more than {most} numbers")
        return found

    def _packed(self, span: Span) -> Iterator[int]:
        at = span.start
        while at < span.end:
            number, at = self._varint(at, span.end)
            yield number

    def _fields(self, span: Span) -> Iterator[tuple[int, int, Value]]:
        """Number, wire type and value of every field. A value of fixed length is its span, too."""
        at, end = span.start, span.end
        while at < end:
            self.left -= 1
            if self.left < 0:
                raise WireError("more parts than any graph of ours has")
            tag, at = self._varint(at, end)
            number, wire = tag >> 3, tag & 7
            if not 0 < number < 1 << 29:
                raise WireError("an impossible field")
            if wire == VARINT:
                value, at = self._varint(at, end)
                yield number, wire, value
                continue
            if wire == BYTES:
                length, at = self._varint(at, end)
            elif wire in _LENGTHS:
                length = _LENGTHS[wire]
            else:
                raise WireError("a field of an unknown type")
            if length > end - at:
                raise WireError("it ends too early")
            yield number, wire, Span(at, at + length)
            at += length

    def _varint(self, at: int, end: int) -> tuple[int, int]:
        """An unsigned integer, and where it ends."""
        number = shift = 0
        while at < end:
            byte = self.data[at]
            at += 1
            number |= (byte & 0x7F) << shift
            if byte < 0x80:
                if number >> 64:
                    raise WireError("an impossible number")
                return number, at
            shift += 7
            if shift > 63:
                raise WireError("an impossible number")
        raise WireError("it ends too early")
