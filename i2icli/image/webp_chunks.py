"""The chunks of WebP files: those of the image for its decoder, those beside it read here."""

import struct
from io import BytesIO
from typing import IO

from i2icli.image.directories import LARGEST_PART
from i2icli.image.exif import to_bytes, with_resolution, with_texts
from i2icli.image.metadata import Metadata, Parts

_IMAGE = frozenset({b"VP8X", b"VP8 ", b"VP8L", b"ALPH", b"ANIM", b"ANMF"})
_READ = frozenset({b"ICCP", b"EXIF", b"XMP "})
_BESIDE = 0x20 | 0x08 | 0x04  # flags: a colour profile, EXIF, XMP
_NAMES = {b"ICCP": "colour profile", b"EXIF": "EXIF", b"XMP ": "XMP"}
_MOST_CHUNKS = 100_000


class WebpChunks:
    """The chunks of a file: (type, start, length, whether it is complete)."""

    def __init__(self, file: IO[bytes]) -> None:
        """Raises OSError."""
        self._file = file
        end, at = file.seek(0, 2), 12
        self._chunks: list[tuple[bytes, int, int, bool]] = []
        while len(self._chunks) < _MOST_CHUNKS:
            file.seek(at)
            head = file.read(8)
            if len(head) < 8:
                break
            length = int.from_bytes(head[4:], "little")
            self._chunks.append((head[:4], at, length, at + 8 + length <= end))
            at += 8 + length + length % 2
        file.seek(0)

    def clean(self) -> IO[bytes]:
        """The image alone, as a file."""
        body = bytearray(b"WEBP")
        for type, start, length, _ in self._chunks:
            if type not in _IMAGE:
                continue
            self._file.seek(start)
            data = bytearray(self._file.read(8 + length))
            if type == b"VP8X" and length:
                data[8] &= ~_BESIDE & 0xFF
            body += data + bytes(length % 2 if len(data) == 8 + length else 0)
        self._file.seek(0)
        return BytesIO(b"RIFF" + struct.pack("<I", len(body)) + body)

    def parts(self) -> Parts:
        """What there is beside the image."""
        parts = Parts()
        for type, start, length, whole in self._chunks:
            if type not in _READ:
                continue
            self._file.seek(start + 8)
            data = self._file.read(length) if whole and length <= LARGEST_PART else None
            if data is None:
                parts.unread.append(_NAMES[type])
            elif type == b"EXIF":
                parts.add_exif(data)
            elif type == b"XMP ":
                parts.xmp = data
            else:
                parts.add_profile(data)
        self._file.seek(0)
        return parts


def save_arguments(metadata: Metadata) -> dict[str, object]:
    """What Pillow writes into a file beside the image: EXIF, with texts and resolution, and XMP."""
    exif = with_texts(metadata.exif, metadata.texts)
    if metadata.resolution is not None:
        exif = with_resolution(exif, metadata.resolution)
    found: dict[str, object] = {"exif": to_bytes(exif)} if exif else {}
    return found if metadata.xmp is None else found | {"xmp": metadata.xmp}
