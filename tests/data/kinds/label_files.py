"""One scene in every encoding of label data; its classes are 0 to 4, of which 4 is one pixel wide."""

from collections.abc import Callable
from pathlib import Path

import imagecodecs
import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image

HEIGHT, WIDTH = 24, 40
COLOURS = [(70, 130, 180), (128, 64, 128), (0, 0, 142), (107, 142, 35), (220, 20, 60)]


def labels_of(number: int = 0) -> NDArray[np.uint8]:
    """(H, W): sky, road, a car, trees and a line; where they are depends on the number of the scene."""
    labels = np.zeros((HEIGHT, WIDTH), np.uint8)
    labels[14:] = 1
    labels[4 + number : 11 + number, 5:14] = 2
    labels[2:20, 20:26] = 3
    labels[:, 30 + number] = 4
    return labels


def instances_of(number: int = 0) -> NDArray[np.uint16]:
    """(H, W): class * 1000, and 2001 and 2002 for two halves of the car."""
    labels = labels_of(number)
    found = labels.astype(np.uint16) * 1000
    found[:, :9][labels[:, :9] == 2] = 2001
    found[:, 9:][labels[:, 9:] == 2] = 2002
    return found


def photo_of(number: int = 0) -> NDArray[np.uint8]:
    """(H, W, 3) noise that tells the number of its scene in its first value."""
    pixels = np.random.default_rng(number).integers(0, 256, (HEIGHT, WIDTH, 3)).astype(np.uint8)
    pixels[0, 0] = number
    return pixels


# -- encodings -------------------------------------------------------------------------------


def save(path: Path, pixels: NDArray[np.generic], **more: object) -> Path:
    """Write pixels through Pillow; missing folders are made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **more)
    return path


def palette_png(path: Path, labels: NDArray[np.uint8], bits: int = 8) -> Path:
    """Indices, with the colours of the classes as palette."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.frombytes("P", (labels.shape[1], labels.shape[0]), labels.tobytes())
    image.putpalette([value for colour in COLOURS for value in colour])
    image.save(path, bits=bits)
    return path


def grey_png(path: Path, labels: NDArray[np.uint8]) -> Path:
    """Four bits per pixel, which Pillow cannot write."""
    import struct
    import zlib

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    rows = b"".join(b"\0" + (row[::2] << 4 | row[1::2]).tobytes() for row in labels)
    size = struct.pack(">IIBBBBB", labels.shape[1], labels.shape[0], 4, 0, 0, 0, 0)
    parts = (chunk(b"IHDR", size), chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b""))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts))
    return path


def coloured(labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(H, W, 3)."""
    return np.array(COLOURS, np.uint8)[labels]


def with_alpha(labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(H, W, 4), opaque."""
    return np.concatenate([coloured(labels), np.full((*labels.shape, 1), 255, np.uint8)], axis=-1)


def _npy(path: Path, labels: NDArray[np.uint8]) -> None:
    np.save(path, labels.astype(np.int64))


ENCODINGS: dict[str, tuple[str, Callable[[Path, NDArray[np.uint8]], object]]] = {
    "grey 8 bit": ("png", save),
    "grey 4 bit": ("png", grey_png),
    "grey 16 bit": (
        "png",
        lambda path, labels: path.write_bytes(imagecodecs.png_encode(labels.astype("u2"))),
    ),
    "grey in three channels": ("png", lambda path, labels: save(path, np.stack([labels] * 3, -1))),
    "palette": ("png", palette_png),
    "palette 4 bit": ("png", lambda path, labels: palette_png(path, labels, bits=4)),
    "palette TIFF": ("tif", palette_png),
    "TIFF of integers": ("tif", lambda path, labels: tifffile.imwrite(path, labels.astype(np.int32))),
    "npy": ("npy", _npy),
    "BMP": ("bmp", save),
    "colours": ("png", lambda path, labels: save(path, coloured(labels))),
    "colours and alpha": ("png", lambda path, labels: save(path, with_alpha(labels))),
    "colours in a TIFF": ("tif", lambda path, labels: tifffile.imwrite(path, coloured(labels))),
    "colours in an npy": ("npy", lambda path, labels: np.save(path, coloured(labels))),
    "lossless WebP": ("webp", lambda path, labels: save(path, coloured(labels), lossless=True, exact=True)),
}
"""Suffix, and what writes a label map: all of the same classes."""
