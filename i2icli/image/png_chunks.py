"""The chunks of PNG files: those of the image for its decoder, those beside it read here, within bounds."""

import struct
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import IO

from i2icli.image.decoded import ImageError
from i2icli.image.directories import LARGEST_PART
from i2icli.image.exif import to_bytes
from i2icli.image.metadata import Metadata, Parts

_SIGNATURE = 8  # bytes
_IMAGE = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"acTL", b"fcTL", b"fdAT"})
_READ = frozenset({b"iCCP", b"eXIf", b"pHYs", b"tEXt", b"zTXt", b"iTXt"})
_TEXTS = frozenset({b"tEXt", b"zTXt", b"iTXt"})
_MOST_CHUNKS = 1_000_000
_XMP = "XML:com.adobe.xmp"
_RAW = "Raw profile type "  # of ImageMagick: metadata in hexadecimal digits
_INCH = 0.0254  # metres


@dataclass(frozen=True)
class _Chunk:
    type: bytes
    start: int  # of the chunk: its length comes first
    length: int  # of what it holds
    whole: bool


class PngChunks:
    """The chunks of a file."""

    def __init__(self, file: IO[bytes]) -> None:
        """Raises ImageError for chunks without number, OSError."""
        self._file = file
        end = file.seek(0, 2)
        self._chunks = list(_chunks(file, end))
        file.seek(0)

    def clean(self, *, head: bool = False) -> IO[bytes]:
        """The image alone, as a file; head: without its pixels."""
        clean = BytesIO()
        clean.write(self._file.read(_SIGNATURE))
        for chunk in self._chunks:
            if chunk.type in _IMAGE:
                self._file.seek(chunk.start)
                pixels = head and chunk.type == b"IDAT"
                clean.write(self._file.read(8 if pixels else chunk.length + 12))
                if pixels:
                    break
        images = [chunk for chunk in self._chunks if chunk.type in _IMAGE]
        if images and images[-1].whole and images[-1].type in (b"IDAT", b"fdAT"):
            clean.write(_chunk(b"IEND", b""))  # it stood behind something that is cut off
        self._file.seek(0)
        clean.seek(0)
        return clean

    def parts(self, *, head: bool = False) -> Parts:
        """What there is beside the image; head: only what its orientation can be in."""
        parts, budget = Parts(), LARGEST_PART
        for chunk in self._chunks:
            if chunk.type not in _READ or (head and chunk.type not in (b"eXIf", b"tEXt", b"zTXt")):
                continue
            data = self._data(chunk)
            try:
                if data is None:
                    raise ValueError(chunk.type)
                if chunk.type in _TEXTS:
                    budget -= _add_text(parts, chunk.type, data, budget, head)
                else:
                    _ADDED[chunk.type](parts, data)
            except (ValueError, zlib.error, IndexError):
                parts.unread.append(_NAMES.get(chunk.type, "text"))
                budget //= 2  # however many of them there are, the effort is bounded
        self._file.seek(0)
        return parts

    def _data(self, chunk: _Chunk) -> bytes | None:
        """What a chunk holds; None if it is cut off, damaged or too large."""
        if not chunk.whole or chunk.length > LARGEST_PART:
            return None
        self._file.seek(chunk.start + 4)
        data = self._file.read(chunk.length + 8)
        return data[4:-4] if zlib.crc32(data[:-4]) == int.from_bytes(data[-4:]) else None


def with_chunks(png: bytes, chunks: Iterable[bytes]) -> bytes:
    """A PNG file with chunks inserted after its header, the first 33 bytes."""
    return b"".join([png[:33], *chunks, png[33:]])


def profile_chunk(icc: bytes) -> bytes:
    """A chunk that holds a colour profile."""
    return _chunk(b"iCCP", b"ICC profile\0\0" + zlib.compress(icc))


def metadata_chunks(metadata: Metadata) -> Iterator[bytes]:
    """The chunks that hold the metadata of a result."""
    if metadata.resolution is not None:
        across, down = (round(each / _INCH) for each in metadata.resolution)
        yield _chunk(b"pHYs", struct.pack(">IIB", across, down, 1))
    if metadata.exif:
        yield _chunk(b"eXIf", to_bytes(metadata.exif))
    for name, text in metadata.texts:
        yield _text_chunk(name, text)
    if metadata.xmp is not None:
        yield _chunk(b"iTXt", _XMP.encode() + bytes(5) + metadata.xmp)


def _chunk(type: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + type + data + struct.pack(">I", zlib.crc32(type + data))


def _text_chunk(name: str, text: str) -> bytes:
    keyword = name.encode("latin-1", "replace")[:79]
    try:
        return _chunk(b"tEXt", keyword + b"\0" + text.replace("\0", " ").encode("latin-1"))
    except UnicodeEncodeError:
        return _chunk(b"iTXt", keyword + bytes(5) + text.encode("utf-8", "replace"))


def _chunks(file: IO[bytes], end: int) -> Iterator[_Chunk]:
    at = _SIGNATURE
    for _ in range(_MOST_CHUNKS):
        file.seek(at)
        head = file.read(8)
        if len(head) < 8:
            return
        length = int.from_bytes(head[:4])
        yield _Chunk(head[4:], at, length, at + length + 12 <= end)
        if head[4:] == b"IEND":
            return
        at += length + 12
    raise ImageError(f"more than {_MOST_CHUNKS:,} chunks")


def _inflated(data: bytes, limit: int = LARGEST_PART) -> bytes:
    """Raises ValueError for more than a limit, zlib.error for damage."""
    stream = zlib.decompressobj()
    found = stream.decompress(data, limit)
    if stream.unconsumed_tail or not stream.eof:
        raise ValueError("too large or cut off")
    return found


def _add_profile(parts: Parts, data: bytes) -> None:
    _, packed = data.split(b"\0", 1)
    parts.add_profile(_inflated(packed[1:]))


def _add_resolution(parts: Parts, data: bytes) -> None:
    if len(data) != 9:
        raise ValueError("resolution")
    across, down, unit = struct.unpack(">IIB", data)
    if unit == 1:  # else the shape of pixels
        parts.resolution = (across * _INCH, down * _INCH)


_ADDED = {b"iCCP": _add_profile, b"eXIf": Parts.add_exif, b"pHYs": _add_resolution}
_NAMES = {b"iCCP": "colour profile", b"eXIf": "EXIF", b"pHYs": "resolution"}


def _add_text(parts: Parts, type: bytes, data: bytes, budget: int, head: bool) -> int:
    """Take a text in; its length in bytes. Raises ValueError, zlib.error, IndexError for broken ones."""
    keyword, rest = data.split(b"\0", 1)
    name = keyword.decode("latin-1")
    if head and not name.startswith(_RAW):
        return 0
    packed = type == b"zTXt"
    if type == b"iTXt":
        packed = rest[0] != 0
        _, _, rest = rest[2:].split(b"\0", 2)
    elif packed:
        rest = rest[1:]
    text = _inflated(rest, budget) if packed and budget > 0 else rest
    if len(text) > budget or not name:
        raise ValueError("too large")
    if name == _XMP:
        parts.xmp = text
    elif name.startswith(_RAW):
        if name.removeprefix(_RAW) in ("exif", "APP1"):
            parts.add_exif(bytes.fromhex(text.decode("ascii").split("\n", 3)[3]))
    else:
        parts.texts.append((name, text.decode("utf-8" if type == b"iTXt" else "latin-1")))
    return len(text)
