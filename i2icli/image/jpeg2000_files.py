"""JPEG 2000 files (.jp2, .j2k, .jpx), decoded by imagecodecs: any depth to 16 bits and number of channels."""

import struct
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from i2icli.image.decoded import DecodedImage, Header, ImageError, check_size
from i2icli.image.directories import LARGEST_PART
from i2icli.image.id_maps import IdMap, as_map
from i2icli.image.metadata import Parts
from i2icli.image.webp_chunks import save_arguments

CODESTREAM = b"\xff\x4f\xff\x51"
"""How the image itself begins, alone in a file or in a box of one."""
_LONGEST_BOX = 16 * 2**20  # of those that describe the image
_MOST_MARKERS = 1000
_OPACITY = (1, 2)  # plain, premultiplied
_MOST_BOXES = 10_000
_UUIDS = {  # of boxes of metadata
    "EXIF": bytes.fromhex("4a706754696666457869662d3e4a5032"),
    "XMP": bytes.fromhex("be7acfcb97a942e89c71999491e3afac"),
}
_LOSSY_LEVEL = 45  # dB of the quality that lossy ones are written in


class _Layout(NamedTuple):
    """What a file says before its pixels."""

    size: tuple[int, int]  # (height, width)
    samples: int  # per pixel, alpha among them
    bits: int
    signed: bool
    alpha: bool  # of the last sample
    palette: bool
    reversible: bool
    icc: bytes | None
    start: int = 0  # of the codestream

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the values, which they span."""
        return np.dtype(np.uint8 if self.bits <= 8 else np.uint16)


def read_header(file: IO[bytes]) -> Header:
    """Size, channels and depth. Raises ImageError or OSError."""
    found = _layout(file)
    return Header("jp2", found.size, found.samples - found.alpha, found.alpha, found.dtype)


def read(file: IO[bytes]) -> DecodedImage:
    """Decode an image; values of other than 8 or 16 bits are stretched to it. Raises whatever decoders do."""
    found = _layout(file)
    array = _decoded(file, found)
    if found.signed:
        array = array.astype(np.int32) + 2 ** (found.bits - 1)
    full = np.iinfo(found.dtype).max
    if found.bits not in (8, 16):
        array = (array.astype(np.float64) * (full / (2**found.bits - 1)) + 0.5).clip(0, full)
    array = array.astype(found.dtype)
    lossless, metadata = found.reversible, _parts(file).metadata(found.size)
    if not found.alpha:
        return DecodedImage(array, None, "jp2", found.icc, lossless, metadata=metadata)
    colours, alpha = np.ascontiguousarray(array[..., :-1]), array[..., -1].copy()
    return DecodedImage(colours, alpha, "jp2", found.icc, lossless, metadata=metadata)


def read_map(file: IO[bytes]) -> IdMap:
    """The values as they are stored. Raises ImageError if they may not be exact."""
    found = _layout(file)
    if not found.reversible or found.palette:
        raise ImageError("this JPEG 2000 is lossy, so its ids or colours are not exact; use a PNG")
    return as_map(_decoded(file, found))


def write(path: Path, image: DecodedImage) -> None:
    """Write uint8 or uint16 with any channels and alpha, without loss unless they came from a lossy file."""
    import imagecodecs

    array = image.pixels
    if image.alpha is not None:
        array = np.concatenate([array, image.alpha[..., None]], axis=-1)
    lossless: dict[str, Any] = {"level": 0, "reversible": True}
    how = lossless if image.lossless else {"level": _LOSSY_LEVEL, "reversible": False}
    flat = np.ascontiguousarray(array if array.shape[2] > 1 else array[..., 0])
    bare = path.suffix.lower() in (".j2k", ".j2c") and image.alpha is None and not image.icc
    data = bytes(imagecodecs.jpeg2k_encode(flat, codecformat="j2k" if bare else "jp2", numthreads=1, **how))
    path.write_bytes(data if bare else _described(data, image))


def _described(data: bytes, image: DecodedImage) -> bytes:
    """A file with what imagecodecs leaves out: colour profile, which sample is alpha, EXIF and XMP."""
    samples = image.pixels.shape[2]
    added = b""
    if image.alpha is not None:
        colours = [(number, 0, number + 1) for number in range(samples)]
        rows = [*colours, (samples, 1, 0)]  # (sample, whether it is opacity, of which colour: 0 for all)
        body = struct.pack(">H", len(rows)) + b"".join(struct.pack(">HHH", *row) for row in rows)
        added += struct.pack(">I4s", 8 + len(body), b"cdef") + body
    start = data.index(b"jp2h") - 4
    (length,) = struct.unpack_from(">I", data, start)
    inside = data[start + 8 : start + length]
    if image.icc:
        at = inside.index(b"colr") - 4
        (size,) = struct.unpack_from(">I", inside, at)
        profile = struct.pack(">I4sBBB", 11 + len(image.icc), b"colr", 2, 0, 0) + image.icc
        inside = inside[:at] + profile + inside[at + size :]
    inside += added
    header = struct.pack(">I4s", 8 + len(inside), b"jp2h") + inside
    beside: dict[str, Any] = {} if image.metadata is None else save_arguments(image.metadata)
    for name, uuid in _UUIDS.items():
        if content := beside.get(name.lower()):
            header += struct.pack(">I4s", 24 + len(content), b"uuid") + uuid + content
    return data[:start] + header + data[start + length :]


def _parts(file: IO[bytes]) -> Parts:
    """EXIF and XMP; the image is as it is meant to be shown, whatever orientation they name."""
    parts = Parts()
    file.seek(0)
    if file.read(4) == CODESTREAM:
        return parts
    for kind, start, length in islice(_boxes(file, 0, file.seek(0, 2)), _MOST_BOXES):
        if kind != b"uuid":
            continue
        file.seek(start)
        uuid = file.read(16)
        name = next((name for name, known in _UUIDS.items() if known == uuid), None)
        data = file.read(length - 16) if name and length <= LARGEST_PART else b""
        if name == "EXIF" and data:
            parts.add_exif(data)
        elif name == "XMP" and data:
            parts.xmp = data
        elif name:
            parts.unread.append(name)
    parts.exif = replace(parts.exif, orientation=1)
    return parts


def _decoded(file: IO[bytes], found: _Layout) -> NDArray[Any]:
    """(H, W, C) as stored. Raises whatever the decoder does."""
    import imagecodecs

    # With its profile at hand the decoder would convert the colours: it is kept beside them instead.
    file.seek(found.start if found.icc and not found.palette else 0)
    array = imagecodecs.jpeg2k_decode(file.read(), numthreads=1)
    array = array if array.ndim == 3 else array[..., None]
    if array.shape != (*found.size, found.samples):
        raise ImageError(f"damaged or truncated (decoded to {array.shape})")
    return array


def _layout(file: IO[bytes]) -> _Layout:
    """Of a file or a bare codestream. Raises ImageError."""
    file.seek(0)
    if file.read(4) == CODESTREAM:
        return _of_codestream(file, 0)
    alpha, palette, icc, samples = False, 0, None, 0
    for kind, start, length in _boxes(file, 0, file.seek(0, 2)):
        if kind == b"jp2c":
            found = _of_codestream(file, start)
            samples = palette or found.samples
            icc = None if palette else icc
            return found._replace(samples=samples, alpha=alpha, palette=palette > 0, icc=icc, start=start)
        if kind == b"jp2h":
            for inner, at, size in _boxes(file, start, start + length):
                file.seek(at)
                body = file.read(min(size, _LONGEST_BOX))
                if inner == b"cdef":
                    alpha = _has_alpha(body)
                elif inner == b"pclr" and len(body) > 2:
                    palette = body[2]
                elif inner == b"colr" and body[:1] == b"\2":
                    icc = body[3:]
    raise ImageError("damaged or truncated (no image in it)")


def _boxes(file: IO[bytes], start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """(kind, start, length) of the contents of every box between two positions."""
    while start + 8 <= end:
        file.seek(start)
        length, kind = struct.unpack(">I4s", file.read(8))
        head = 8
        if length == 1:
            length, head = int.from_bytes(file.read(8)), 16
        length = end - start if length == 0 else min(length, end - start)
        if length < head:
            return
        yield kind, start + head, length - head
        start += length


def _has_alpha(definitions: bytes) -> bool:
    """Whether a channel definition box says that the last sample is opacity."""
    rows = [
        struct.unpack_from(">HHH", definitions, 2 + 6 * row) for row in range((len(definitions) - 2) // 6)
    ]
    return bool(rows) and max(rows)[1] in _OPACITY


def _of_codestream(file: IO[bytes], start: int) -> _Layout:
    """Size and samples from its SIZ marker, whether it can be lossless from COD. Raises ImageError."""
    file.seek(start)
    head = file.read(42)
    if len(head) < 42 or not head.startswith(CODESTREAM):
        raise ImageError("damaged or truncated (no size in it)")
    right, bottom, left, top = struct.unpack_from(">4I", head, 8)
    (samples,) = struct.unpack_from(">H", head, 40)
    depths = file.read(3 * samples)[::3]
    check_size(bottom - top, right - left, samples)
    if len(depths) < samples or len(set(depths)) != 1:
        raise ImageError("samples of different depths; expected the same for all")
    bits = (depths[0] & 127) + 1
    if bits > 16:
        raise ImageError(f"{bits} bits per sample; expected at most 16")
    size = (bottom - top, right - left)
    reversible = _is_reversible(file, start + 4 + int.from_bytes(head[4:6]))
    return _Layout(size, samples, bits, depths[0] > 127, False, False, reversible, None)


def _is_reversible(file: IO[bytes], start: int) -> bool:
    """Whether the wavelets are those of whole numbers, from the first COD marker behind a position."""
    for _ in range(_MOST_MARKERS):
        file.seek(start)
        head = file.read(14)
        if len(head) < 14 or head[:2] == b"\xff\x90":  # a tile begins
            return False
        if head[:2] == b"\xff\x52":
            return head[13] == 1
        start += 2 + int.from_bytes(head[2:4])
    return False
