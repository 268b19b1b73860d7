"""Image files of any kind are decoded; unreadable ones become one-line errors."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import IO, Any, Protocol, cast

from numpy.typing import NDArray

from i2icli.errors import UserError
from i2icli.image import (
    heif_files,
    jpeg2000_files,
    netpbm_files,
    npy_files,
    pillow_files,
    tiff_files,
)
from i2icli.image.decoded import DecodedImage, Format, Header, ImageError
from i2icli.image.id_maps import IdMap
from i2icli.image.transparency import as_read, with_claimed
from i2icli.reading import AS_FOUND, Reading
from i2icli.value_range import ValueRange

KNOWN = "PNG, JPEG, WebP, TIFF, BMP, GIF, AVIF, JPEG 2000, PPM, HEIC or .npy"


class _Decoder(Protocol):
    """A module that reads files of one format, as `pillow_files` those of others."""

    def read_header(self, file: IO[bytes]) -> Header: ...

    def read(self, file: IO[bytes]) -> DecodedImage: ...

    def read_map(self, file: IO[bytes]) -> IdMap: ...


HEAD = 256  # bytes by which a format is recognised

_OWN: Mapping[Format, _Decoder] = {"heic": heif_files, "jp2": jpeg2000_files, "ppm": netpbm_files}
"""Formats that Pillow does not read, or with fewer bits."""


def read_image(
    source: Path | str | bytes,
    name: str | None = None,
    range: ValueRange | None = None,
    reading: Reading = AS_FOUND,
) -> DecodedImage:
    """Decode an image: 8 or 16 bit or float, any number of channels, EXIF rotation applied.

    `source` is a path or the bytes of a file, `name` what messages call it (default: the path), `range` that
    of its values, see `values.spanning`, `reading` what the file leaves open. The content decides on the
    format, not the suffix. Raises UserError (exit code 1), one line with the name and the reason: missing,
    not an image, truncated, empty, too large, values that are no numbers or none of the range.
    """
    with _opened(source, name) as (file, format):
        return as_read(_decode(file, format, reading), range, reading)


def read_values(
    source: Path | str | bytes, name: str | None = None, reading: Reading = AS_FOUND
) -> NDArray[Any]:
    """The values of an image as they are stored, (H, W, C) without alpha, NaN among them.

    Arguments and errors as for `read_image`.
    """
    with _opened(source, name) as (file, format):
        return with_claimed(_decode(file, format, reading), reading).pixels


def probe(source: Path | str | bytes, name: str | None = None, reading: Reading = AS_FOUND) -> Header:
    """Read the header of an image only. Arguments and errors as for `read_image`."""
    with _opened(source, name) as (file, format):
        if format == "npy":
            return npy_files.read_header(file, reading)
        if format == "tiff":
            return tiff_files.read_header(file, reading)
        return _OWN[format].read_header(file) if format in _OWN else pillow_files.read_header(file, format)


def count_images(source: Path | str | bytes, name: str | None = None) -> int:
    """How many images a file holds where its pages are images; 1 for other files than TIFF.

    Arguments and errors as for `read_image`.
    """
    with _opened(source, name) as (file, format):
        return tiff_files.count_images(file) if format == "tiff" else 1


def read_map(source: Path | str | bytes, name: str | None = None, reading: Reading = AS_FOUND) -> IdMap:
    """Decode a map of class or instance ids exactly as stored: palette indices, colours, 16 bit and all.

    Arguments and errors as for `read_image`; lossy formats are errors, too.
    """
    with _opened(source, name) as (file, format):
        if format == "npy":
            return npy_files.read_map(file, reading)
        if format == "tiff":
            return tiff_files.read_map(file, reading)
        return _OWN[format].read_map(file) if format in _OWN else pillow_files.read_map(file, format)


@contextmanager
def _opened(source: Path | str | bytes, name: str | None) -> Iterator[tuple[IO[bytes], Format]]:
    """An open file and its format; every exception inside becomes a UserError."""
    try:
        with _open(source) as file:
            yield file, _format(file)
    except Exception as error:  # decoders react to hostile bytes with any exception there is
        called = name or ("the image" if isinstance(source, bytes) else str(source))
        raise _as_user_error(called, error) from error


def _decode(file: IO[bytes], format: Format, reading: Reading) -> DecodedImage:
    """An image with its values as they are stored."""
    if format == "npy":
        return npy_files.read(file, reading)
    if format == "tiff":
        return tiff_files.read(file, reading)
    return _OWN[format].read(file) if format in _OWN else pillow_files.read(file, format)


def _open(source: Path | str | bytes) -> IO[bytes]:
    """Raises ImageError, OSError."""
    if isinstance(source, bytes):
        return BytesIO(source)
    path = Path(source)
    if path.is_fifo() or path.is_char_device():  # reading could wait, or continue, for ever
        raise ImageError("a pipe or a device, not a file")
    return path.open("rb")


def _format(file: IO[bytes]) -> Format:
    """Recognise the format by the first bytes, then rewind. Raises ImageError, OSError."""
    head = file.read(HEAD)
    file.seek(0)
    return format_of(head)


def format_of(head: bytes) -> Format:
    """The format of a file that begins with some bytes, HEAD of them or all. Raises ImageError."""
    starts: dict[bytes, Format] = {
        b"\x89PNG\r\n\x1a\n": "png",
        b"\xff\xd8\xff": "jpeg",
        b"BM": "bmp",
        b"II*\0": "tiff",
        b"MM\0*": "tiff",
        b"II+\0": "tiff",
        b"MM\0+": "tiff",
        b"\x93NUMPY": "npy",
        b"GIF8": "gif",
        b"\0\0\0\x0cjP  \r\n\x87\n": "jp2",
        jpeg2000_files.CODESTREAM: "jp2",
    }
    for start, format in starts.items():
        if head.startswith(start):
            return format
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    if re.match(rb"P([1-6][\s#]|7\n)", head):
        return "ppm"
    if head[4:8] == b"ftyp" and (found := heif_files.format_of(head)):
        return cast(Format, found)
    if not head:
        raise ImageError("an empty file")
    others = {
        b"%PDF": "a PDF",
        b"PK\x03\x04": "a zip archive (such as .npz)",
        b"\x00\x00\x01\x00": "an icon",
    }
    kind = next((name for start, name in others.items() if head.startswith(start)), None)
    if head[4:8] == b"ftyp":
        kind = "a video"
    raise ImageError(f"{kind or 'not an image'}; expected {KNOWN}")


def _as_user_error(name: str, error: Exception) -> UserError:
    if isinstance(error, ImageError):
        reason = str(error)
    elif isinstance(error, OSError) and error.strerror:  # missing, a folder, not permitted ...
        reason = error.strerror.lower()
    elif isinstance(error, MemoryError):
        reason = "not enough memory to decode it"
    else:
        said = " ".join(re.sub(r"<_io\.[^>]*>", "", str(error)).split())  # it says nothing to a user
        reason = f"damaged or truncated ({said[:120] or type(error).__name__})"
    return UserError(f"cannot read {name}: {reason}", exit_code=1)
