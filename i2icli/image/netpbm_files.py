"""PBM, PGM, PPM and PAM files: Pillow would keep only 8 bits of their colours."""

import re
import warnings
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from i2icli.image.decoded import DecodedImage, Header, ImageError, check_size
from i2icli.image.id_maps import IdMap, as_map

_LONGEST_HEADER = 4096  # bytes, comments included
_SPACE = rb"(?:\s|#[^\n\r]*[\n\r])+"
_ALPHA = (b"GRAYSCALE_ALPHA", b"RGB_ALPHA", b"BLACKANDWHITE_ALPHA")


class _Layout(NamedTuple):
    """What the header of a file says."""

    kind: int  # the digit of its magic number
    size: tuple[int, int]  # (height, width)
    samples: int  # per pixel
    top: int  # the value that means all light
    alpha: bool
    start: int  # of the pixels

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the values: 8 or 16 bits, which they span."""
        return np.dtype(np.uint8 if self.top < 256 else np.uint16)


def read_header(file: IO[bytes]) -> Header:
    """Size, channels and depth. Raises ImageError or OSError."""
    layout = _layout(file)
    return Header("ppm", layout.size, layout.samples - layout.alpha, layout.alpha, layout.dtype)


def read(file: IO[bytes]) -> DecodedImage:
    """Decode an image; values up to another maximum than 255 or 65535 are stretched to it.

    Raises ImageError or OSError.
    """
    layout = _layout(file)
    array, full = _values(file, layout), np.iinfo(layout.dtype).max
    if layout.top != full:
        array = (array.astype(np.float64) * (full / layout.top) + 0.5).clip(0, full)
    array = array.astype(layout.dtype)
    if not layout.alpha:
        return DecodedImage(array, None, "ppm")
    return DecodedImage(np.ascontiguousarray(array[..., :-1]), array[..., -1].copy(), "ppm")


def read_map(file: IO[bytes]) -> IdMap:
    """The values as they are stored. Raises ImageError or OSError."""
    layout = _layout(file)
    return as_map(_values(file, layout).astype(layout.dtype))


def write(path: Path, pixels: NDArray[Any]) -> None:
    """Write (H, W, 1) as PGM or (H, W, 3) as PPM, uint8 or uint16."""
    height, width, channels = pixels.shape
    head = f"P{5 if channels == 1 else 6}\n{width} {height}\n{np.iinfo(pixels.dtype).max}\n"
    path.write_bytes(head.encode() + pixels.astype(pixels.dtype.newbyteorder(">")).tobytes())


def _layout(file: IO[bytes]) -> _Layout:
    file.seek(0)
    head = file.read(_LONGEST_HEADER)
    layout = _of_pam(head) if head[1:2] == b"7" else _of_pnm(head)
    check_size(*layout.size, layout.samples)
    if not 1 <= layout.top <= 65535:
        raise ImageError(f"a largest value of {layout.top}; expected 1 to 65535")
    height, width = layout.size
    row = width * layout.samples * layout.dtype.itemsize
    if layout.kind in (1, 2, 3):  # digits; in one of bits nothing need be between them
        row = width * layout.samples * (1 if layout.kind == 1 else 2) - (layout.kind != 1)
    elif layout.kind == 4:
        row = -(-width // 8)
    if file.seek(0, 2) - layout.start < height * row:
        raise ImageError("truncated")
    return layout


def _of_pnm(head: bytes) -> _Layout:
    kind = int(head[1:2])
    numbers = 2 if kind in (1, 4) else 3  # bits have no maximum
    match = re.match(rb"P\d" + (_SPACE + rb"(\d{1,9})") * numbers + rb"\s", head)
    if match is None:
        raise ImageError("damaged or truncated (no width, height and maximum in its header)")
    width, height, *top = map(int, match.groups())
    return _Layout(
        kind, (height, width), 3 if kind in (3, 6) else 1, top[0] if top else 1, False, match.end()
    )


def _of_pam(head: bytes) -> _Layout:
    body, end, _ = head.partition(b"ENDHDR\n")
    pairs = (line.split(None, 1) for line in body.splitlines()[1:] if line.strip() and line[:1] != b"#")
    known = {pair[0]: pair[-1].strip() for pair in pairs}
    names = (b"HEIGHT", b"WIDTH", b"DEPTH", b"MAXVAL")
    if not end or not all(known.get(name, b"").isdigit() and len(known[name]) < 10 for name in names):
        raise ImageError("damaged or truncated (no HEIGHT, WIDTH, DEPTH and MAXVAL in its header)")
    height, width, samples, top = (int(known[name]) for name in names)
    alpha = known.get(b"TUPLTYPE") in _ALPHA and samples in (2, 4)
    return _Layout(7, (height, width), samples, top, alpha, len(body) + len(end))


def _values(file: IO[bytes], layout: _Layout) -> NDArray[Any]:
    """(H, W, C) as stored; bits are 1 for white, as in every other format."""
    file.seek(layout.start)
    (height, width), count = layout.size, layout.size[0] * layout.size[1] * layout.samples
    if layout.kind == 4:
        rows = np.frombuffer(file.read(height * -(-width // 8)), np.uint8).reshape(height, -1)
        array: NDArray[Any] = 1 - np.unpackbits(rows, axis=1)[:, :width]
    elif layout.kind in (1, 2, 3):
        array = _digits(file.read(), layout, count)
    else:
        stored = layout.dtype.newbyteorder(">")
        array = np.frombuffer(file.read(count * stored.itemsize), stored)
    return array.reshape(height, width, layout.samples)


def _digits(text: bytes, layout: _Layout, count: int) -> NDArray[Any]:
    """Numbers as text. Raises ImageError."""
    text = re.sub(rb"#[^\n\r]*", b"", text)
    if layout.kind == 1:  # nothing need be between bits
        found = np.frombuffer(text, np.uint8)
        values: NDArray[Any] = (found[(found == ord("0")) | (found == ord("1"))] == ord("0")).astype(np.uint8)
    else:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about text behind the numbers
            values = np.fromstring(text.decode("latin-1"), np.int64, sep=" ")
    values = values[:count]
    if len(values) < count:
        raise ImageError("truncated")
    if values.min() < 0 or values.max() > layout.top:
        raise ImageError(f"values from {values.min()} to {values.max()}, beyond its maximum of {layout.top}")
    return values
