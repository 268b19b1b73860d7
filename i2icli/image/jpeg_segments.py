"""The segments of JPEG files: those of the image for its decoder, those beside it read here."""

from dataclasses import dataclass
from io import BytesIO
from typing import IO

from i2icli.image.exif import to_bytes
from i2icli.image.metadata import Metadata, Parts

LARGEST_SEGMENT = 65533  # bytes that a segment can hold
_MOST_BESIDE, _MOST_FILLING = 64 * 2**20, 1000  # bytes
_APP0, _APP1, _APP2, _APP14, _COMMENT, _SCAN = 0xE0, 0xE1, 0xE2, 0xEE, 0xFE, 0xDA
_BESIDE = frozenset({*range(0xE0, 0xF0), _COMMENT})  # segments that are not the image itself
_ALONE = frozenset({0x01, *range(0xD0, 0xD8)})  # markers without a segment
_PIXELS = frozenset({_SCAN, 0xD8, 0xD9})
_JFIF, _ADOBE, _EXIF, _ICC = b"JFIF\0", b"Adobe", b"Exif\0\0", b"ICC_PROFILE\0"
_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_PER_INCH = {1: 1.0, 2: 2.54}  # units of density


@dataclass(frozen=True)
class _Segment:
    marker: int
    data: bytes


class JpegSegments:
    """What comes before the pixels of a file."""

    def __init__(self, file: IO[bytes]) -> None:
        """Raises OSError."""
        self._file = file
        file.seek(2)
        self._segments: list[_Segment] = []
        self._rest = 2  # where the segments that are understood end
        room = _MOST_BESIDE
        while (found := _next(file)) is not None:
            room -= len(found.data) if found.marker in _BESIDE else 0
            if room >= 0 or found.marker not in _BESIDE:
                self._segments.append(found)
            self._rest = file.tell()
        file.seek(0)

    def clean(self, *, head: bool = False) -> IO[bytes]:
        """The image alone, as a file; head: without its pixels."""
        clean = BytesIO()
        clean.write(b"\xff\xd8")
        for segment in self._segments:
            if segment.marker not in _BESIDE or _tells_of_colours(segment):
                clean.write(bytes([0xFF, segment.marker]) + (len(segment.data) + 2).to_bytes(2))
                clean.write(segment.data)
        self._file.seek(self._rest)
        clean.write(self._file.read(LARGEST_SEGMENT if head else -1))
        self._file.seek(0)
        clean.seek(0)
        return clean

    def parts(self) -> Parts:
        """What there is beside the image."""
        parts, profile = Parts(), list[bytes]()
        for marker, data in ((segment.marker, segment.data) for segment in self._segments):
            if marker == _APP1 and data.startswith(_EXIF):
                parts.add_exif(data)
            elif marker == _APP1 and data.startswith(_XMP):
                parts.xmp = data[len(_XMP) :]
            elif marker == _APP2 and data.startswith(_ICC):
                profile.append(data[len(_ICC) :])
            elif marker == _APP0 and data.startswith(_JFIF) and len(data) >= 12:
                unit = _PER_INCH.get(data[7])
                if unit is not None:
                    parts.resolution = (
                        int.from_bytes(data[8:10]) * unit,
                        int.from_bytes(data[10:12]) * unit,
                    )
            elif marker == _COMMENT:
                parts.texts.append(("Comment", _decoded(data)))
        if profile:
            parts.add_profile(_joined(profile))
        return parts


def save_arguments(metadata: Metadata) -> dict[str, object]:
    """What Pillow writes into a file beside the image; what has no room in a segment is left out."""
    found: dict[str, object] = {}
    exif = _EXIF + to_bytes(metadata.exif) if metadata.exif else b""
    if exif and len(exif) <= LARGEST_SEGMENT:
        found["exif"] = exif
    if metadata.xmp is not None and len(_XMP) + len(metadata.xmp) <= LARGEST_SEGMENT:
        found["xmp"] = metadata.xmp
    if metadata.resolution is not None and max(metadata.resolution) < 65535:
        found["dpi"] = tuple(max(1, round(each)) for each in metadata.resolution)
    comment = "\n".join(text for name, text in metadata.texts if name == "Comment").encode("utf-8", "replace")
    if comment and len(comment) <= LARGEST_SEGMENT:
        found["comment"] = comment
    return found


def _next(file: IO[bytes]) -> _Segment | None:
    """The segment at the position of a file; None where pixels begin, or what is no segment."""
    head = file.read(2)
    for _ in range(_MOST_FILLING):
        if head != b"\xff\xff":
            break
        head = b"\xff" + file.read(1)
    if len(head) < 2 or head[0] != 0xFF or head[1] in _PIXELS | _ALONE or head[1] == 0:
        return None
    length = int.from_bytes(file.read(2)) - 2
    data = file.read(max(length, 0))
    return _Segment(head[1], data) if length >= 0 and len(data) == length else None


def _tells_of_colours(segment: _Segment) -> bool:
    """Whether a decoder needs it to know what the channels are."""
    if segment.marker == _APP0:
        return segment.data.startswith(_JFIF) and len(segment.data) >= 14
    return segment.marker == _APP14 and segment.data.startswith(_ADOBE) and len(segment.data) >= 12


def _joined(pieces: list[bytes]) -> bytes | None:
    """A colour profile from its pieces, which are numbered and say how many; None if one is missing."""
    numbered = {piece[0]: piece[2:] for piece in pieces if len(piece) > 2}
    if any(len(piece) < 2 or piece[1] != len(numbered) for piece in pieces):
        return None
    return b"".join(numbered[number] for number in sorted(numbered))


def _decoded(comment: bytes) -> str:
    text = comment.rstrip(b"\0")
    try:
        return text.decode()
    except UnicodeDecodeError:
        return text.decode("latin-1")
