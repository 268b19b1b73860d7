"""The boxes of AVIF files: metadata are read here, and hidden from the decoder, which refuses broken ones."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import IO

from i2icli.image.directories import LARGEST_PART
from i2icli.image.metadata import Parts

_HEAD = 2**20  # bytes in which a file describes itself
_MOST_ITEMS = 1000
_HIDDEN = b"skip"  # a type of item that decoders pass over
_NAMES = {b"Exif": "EXIF", b"mime": "XMP"}  # types of items, and what they hold
_XMP = b"application/rdf+xml\0"


@dataclass(frozen=True)
class _Item:
    number: int
    type: bytes
    at: int  # where its type stands in the file


class HeifBoxes:
    """What a file says about its metadata."""

    def __init__(self, file: IO[bytes]) -> None:
        """Raises OSError."""
        self._file = file
        file.seek(0)
        self._head = file.read(_HEAD)
        file.seek(0)
        try:
            meta = next((box for box in self._boxes(0, len(self._head)) if box[0] == b"meta"), None)
            inner = {} if meta is None else {name: span for name, *span in self._boxes(meta[1] + 4, meta[2])}
            self._items = list(self._listed(*inner[b"iinf"])) if b"iinf" in inner else []
            self._places = dict(self._located(*inner[b"iloc"])) if b"iloc" in inner else {}
        except (struct.error, ValueError, IndexError):
            self._items, self._places = [], {}

    def clean(self) -> IO[bytes]:
        """The image alone, as a file."""
        self._file.seek(0)
        data = bytearray(self._file.read())
        self._file.seek(0)
        for item in self._items:
            data[item.at : item.at + 4] = _HIDDEN
        return BytesIO(data)

    def parts(self) -> Parts:
        """EXIF and XMP; the profile and the orientation belong to the image, and are read with it."""
        parts = Parts()
        for item in self._items:
            data = self._read(item)
            if data is None or (item.type == b"Exif" and len(data) < 4):
                parts.unread.append(_NAMES[item.type])
            elif item.type == b"Exif":
                parts.add_exif(data[4 + int.from_bytes(data[:4]) :])
            else:
                parts.xmp = data
        self._file.seek(0)
        return parts

    def _boxes(self, at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
        """Type, start and end of what the boxes between two offsets hold."""
        while at + 8 <= end:
            size, name = struct.unpack_from(">I4s", self._head, at)
            start = at + 8
            if size == 1:
                (size,) = struct.unpack_from(">Q", self._head, start)
                start += 8
            if size < start - at:
                return
            yield name, start, min(at + size, end)
            at += size

    def _listed(self, start: int, end: int) -> Iterator[_Item]:
        """The items of metadata."""
        at = start + 4 + (2 if self._head[start] == 0 else 4)
        for number, (name, inside, behind) in enumerate(self._boxes(at, end)):
            wide = self._head[inside] > 2  # version 3 has longer numbers
            place = inside + 4 + (4 if wide else 2) + 2
            type = self._head[place : place + 4]
            if number > _MOST_ITEMS or name != b"infe" or type not in _NAMES:
                continue
            if type == b"mime" and _XMP not in self._head[place:behind]:
                continue
            (item,) = struct.unpack_from(">I" if wide else ">H", self._head, inside + 4)
            yield _Item(item, type, place)

    def _located(self, start: int, end: int) -> Iterator[tuple[int, list[tuple[int, int]]]]:
        """Offset and length of the pieces of items, by their numbers."""
        data = BytesIO(self._head[start:end])

        def number(size: int) -> int:
            return int.from_bytes(data.read(size))

        version, _ = number(1), number(3)
        sizes, more = number(1), number(1)
        for _ in range(min(number(2 if version < 2 else 4), _MOST_ITEMS)):
            item = number(2 if version < 2 else 4)
            elsewhere = version and number(2) & 15  # not at an offset of the file
            number(2)
            base, pieces = number(more >> 4), list[tuple[int, int]]()
            for _ in range(min(number(2), _MOST_ITEMS)):
                number(more & 15 if version else 0)
                offset, length = number(sizes >> 4), number(sizes & 15)
                pieces.append((base + offset, length))
            yield item, [] if elsewhere else pieces

    def _read(self, item: _Item) -> bytes | None:
        """What an item holds; None if it is not there, or too large."""
        pieces = self._places.get(item.number, [])
        if not pieces or sum(length for _, length in pieces) > LARGEST_PART:
            return None
        found = []
        for offset, length in pieces:
            self._file.seek(offset)
            found.append(self._file.read(length))
            if len(found[-1]) < length:
                return None
        return b"".join(found)
