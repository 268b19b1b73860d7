"""Directories of TIFF files and of EXIF: their entries as they are stored, moved but never interpreted."""

import struct
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import IO, Literal

Order = Literal["<", ">"]
"""Byte order: little or big endian."""

LARGEST_PART = 16 * 2**20  # bytes of one kind of metadata; more is left out
SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 129: 1}
"""Bytes of a value by the type of an entry."""
SHORT, LONG, RATIONAL, DOUBLE = 3, 4, 5, 12
_WHOLE = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i"}  # types of whole numbers
_MOST_DIRECTORY_BYTES = 65535 * 20


@dataclass(frozen=True)
class Entry:
    """A tag and its values, in the byte order of the directory."""

    tag: int
    type: int
    count: int
    value: bytes


@dataclass(frozen=True)
class Directory:
    """The entries of a directory by their tags."""

    order: Order
    entries: tuple[Entry, ...] = ()
    whole: bool = True  # whether all entries could be read

    def get(self, tag: int) -> Entry | None:
        """The entry of a tag; None if there is none."""
        return next((entry for entry in self.entries if entry.tag == tag), None)

    def number(self, tag: int) -> int | None:
        """The first value of a tag if it is a whole number."""
        entry = self.get(tag)
        code = None if entry is None else _WHOLE.get(entry.type)
        if entry is None or code is None or not entry.count:
            return None
        return int(struct.unpack_from(self.order + code, entry.value)[0])

    def ratio(self, tag: int) -> float | None:
        """The first value of a tag if it is a ratio with a denominator."""
        entry = self.get(tag)
        if entry is None or entry.type != RATIONAL or not entry.count:
            return None
        above, below = struct.unpack_from(self.order + "2I", entry.value)
        return float(above) / below if below else None

    def doubles(self, tag: int) -> tuple[float, ...]:
        """The values of a tag if they are of double precision; else none."""
        entry = self.get(tag)
        if entry is None or entry.type != DOUBLE:
            return ()
        return struct.unpack(f"{self.order}{entry.count}d", entry.value)


def read_directory(
    file: IO[bytes], order: Order, offset: int, *, big: bool = False, only: Collection[int] | None = None
) -> Directory:
    """The directory at an offset of a file; big: in BigTIFF's form; only: of some tags.

    Entries that are broken or reach beyond the file are left out, as is what exceeds `LARGEST_PART` together.
    """
    head, size, inline = ("Q", 20, 8) if big else ("H", 12, 4)
    start = _read(file, offset, struct.calcsize(head))
    if len(start) < struct.calcsize(head):
        return Directory(order, whole=False)
    (number,) = struct.unpack(order + head, start)
    rows = file.read(min(number * size, _MOST_DIRECTORY_BYTES))
    found, whole, budget = dict[int, Entry](), len(rows) == number * size, LARGEST_PART
    for at in range(0, len(rows) - size + 1, size):
        tag, kind, count = struct.unpack_from(order + ("HHQ" if big else "HHI"), rows, at)
        if only is not None and tag not in only:
            continue
        length = SIZES.get(kind, 0) * count
        if not length or length > budget:
            whole = False
            continue
        value = rows[at + size - inline : at + size][:length]
        if length > inline:
            (place,) = struct.unpack(order + ("Q" if big else "I"), value)
            value = _read(file, place, length)
        if len(value) < length:
            whole = False
            continue
        budget -= length
        found.setdefault(tag, Entry(tag, kind, count, value))
    return Directory(order, tuple(found.values()), whole)


def _read(file: IO[bytes], offset: int, length: int) -> bytes:
    try:
        file.seek(offset)
    except (OverflowError, OSError, ValueError):  # an offset that no file has
        return b""
    return file.read(length)


def packed(entries: Iterable[Entry], order: Order, offset: int) -> bytes:
    """A directory in the form of classic TIFF, to be placed at an offset of a file; no other follows it."""
    rows, values = b"", b""
    known = sorted(entries, key=lambda entry: entry.tag)
    behind = offset + 2 + 12 * len(known) + 4
    for entry in known:
        value = entry.value
        if len(value) > 4:
            place = behind + len(values)
            values += value + b"\0" * (len(value) % 2)
            value = struct.pack(order + "I", place)
        rows += struct.pack(order + "HHI", entry.tag, entry.type, entry.count) + value.ljust(4, b"\0")
    return struct.pack(order + "H", len(known)) + rows + bytes(4) + values


def long_entry(order: Order, tag: int, value: int) -> Entry:
    """An entry of one whole number."""
    return Entry(tag, LONG, 1, struct.pack(order + "I", value))


def ratio_entry(order: Order, tag: int, value: float) -> Entry:
    """An entry of one ratio, exact to eight digits; value: 0 to 2**32."""
    below = 10_000 if value < 400_000 else 1
    return Entry(tag, RATIONAL, 1, struct.pack(order + "2I", round(value * below), below))


def text_entry(tag: int, text: str) -> Entry:
    """An entry of text, in UTF-8."""
    value = text.replace("\0", " ").encode("utf-8", "replace") + b"\0"
    return Entry(tag, 2, len(value), value)
