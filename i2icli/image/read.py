"""DecodedImage files become pictures, whatever their kind; broken ones become one-line errors."""

from pathlib import Path

from i2icli.errors import UserError
from i2icli.image import npy_files, pillow_files, tiff_files
from i2icli.image.picture import DecodedImage, Format, Header, ImageError

_KNOWN = "PNG, JPEG, WebP, TIFF, BMP or .npy"


def read_image(path: Path | str) -> DecodedImage:
    """Decode an image file: 8 or 16 bit or float, any number of channels, EXIF rotation applied.

    The kind is told by the content, not by the name. Raises UserError (exit code 1), one
    line naming the file and the trouble: missing, not an image, truncated, empty, too large.
    """
    path = Path(path)
    try:
        kind = _kind(path)
        if kind == "npy":
            return npy_files.read(path)
        return tiff_files.read(path) if kind == "tiff" else pillow_files.read(path, kind)
    except Exception as error:  # decoders answer hostile bytes with any exception there is
        raise _as_user_error(path, error) from error


def probe(path: Path | str) -> Header:
    """Read only what the head of an image file says. Raises UserError as `read_image` does."""
    path = Path(path)
    try:
        kind = _kind(path)
        if kind == "npy":
            return npy_files.read_header(path)
        return tiff_files.read_header(path) if kind == "tiff" else pillow_files.read_header(path, kind)
    except Exception as error:  # as above
        raise _as_user_error(path, error) from error


def _kind(path: Path) -> Format:
    """Tell the kind of file by its first bytes. Raises ImageError, OSError."""
    if path.is_fifo() or path.is_char_device():  # reading could wait, or go on, for ever
        raise ImageError("a pipe or a device, not a file")
    with path.open("rb") as file:
        head = file.read(16)
    starts: dict[bytes, Format] = {
        b"\x89PNG\r\n\x1a\n": "png",
        b"\xff\xd8\xff": "jpeg",
        b"BM": "bmp",
        b"II*\0": "tiff",
        b"MM\0*": "tiff",
        b"II+\0": "tiff",
        b"MM\0+": "tiff",
        b"\x93NUMPY": "npy",
    }
    for start, kind in starts.items():
        if head.startswith(start):
            return kind
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    if not head:
        raise ImageError("an empty file")
    others = {
        b"GIF8": "a GIF",
        b"%PDF": "a PDF",
        b"PK\x03\x04": "a zip archive",
        b"\x00\x00\x01\x00": "an icon",
    }
    found = next((name for start, name in others.items() if head.startswith(start)), None)
    if head[4:8] == b"ftyp":
        found = "a HEIC, AVIF or video file"
    raise ImageError(f"{found or 'not an image'}; expected {_KNOWN}")


def _as_user_error(path: Path, error: Exception) -> UserError:
    if isinstance(error, ImageError):
        reason = str(error)
    elif isinstance(error, OSError) and error.strerror:  # missing, a folder, not permitted ...
        reason = error.strerror.lower()
    elif isinstance(error, MemoryError):
        reason = "not enough memory to decode it"
    else:
        reason = f"damaged or truncated ({' '.join(str(error).split())[:120] or type(error).__name__})"
    return UserError(f"cannot read {path}: {reason}", exit_code=1)
