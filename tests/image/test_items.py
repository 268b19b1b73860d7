"""Items: files, bytes and arrays are read alike; ids exactly as they are stored."""

import struct
import zlib
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image

from i2icli.errors import UserError
from i2icli.image import ArrayItem, BytesItem, FileItem, Item
from i2icli.image import decoded as limits

PALETTE = [200, 0, 0, 0, 200, 0, 0, 0, 200]
IDS = np.array([[0, 1, 2], [2, 1, 0]], np.uint8)


def saved(path: Path, image: Image.Image, **more: Any) -> Path:
    image.save(path, **more)
    return path


def palette_image() -> Image.Image:
    image = Image.fromarray(IDS, "P")
    image.putpalette(PALETTE)
    return image


def test_files_bytes_and_arrays_are_read_alike(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 3)).astype(np.uint8)
    path = saved(tmp_path / "a.png", Image.fromarray(pixels))
    items: list[Item] = [FileItem(path), BytesItem(path.read_bytes(), "upload"), ArrayItem(pixels)]
    for item in items:
        header = item.header()
        assert (header.size, header.channels, header.dtype) == ((5, 7), 3, np.uint8)
        np.testing.assert_array_equal(item.read().pixels, pixels)


def test_an_array_may_be_flat_and_of_other_types() -> None:
    assert ArrayItem(np.zeros((4, 5), np.uint16)).read().pixels.shape == (4, 5, 1)
    assert ArrayItem(np.zeros((4, 5, 3))).header().dtype == np.float32
    for wrong, words in (
        (np.zeros(3), "shape"),
        (np.full((2, 2), np.nan), "NaN"),
        (np.zeros((2, 2), str), "type"),
    ):
        with pytest.raises(UserError, match=rf"cannot read this: .*{words}"):
            ArrayItem(wrong, "this").read()


def test_the_content_of_bytes_decides_and_errors_name_them(monkeypatch: pytest.MonkeyPatch) -> None:
    for data, words in (
        (b"", "an empty file"),
        (b"PK\x03\x04more", "a zip archive"),
        (b"BMnonsense", "damaged"),
    ):
        with pytest.raises(UserError, match=rf"^cannot read upload 3: {words}"):
            BytesItem(data, "upload 3").read()
    monkeypatch.setattr(limits, "MAX_PIXELS", 10)
    with pytest.raises(UserError, match="upload 4: too large"):
        BytesItem(bytes(imagecodecs.png_encode(np.zeros((8, 8), np.uint8))), "upload 4").header()


# -- ids -------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["png", "bmp", "tif"])
def test_the_index_of_a_palette_is_the_id(suffix: str, tmp_path: Path) -> None:
    item = FileItem(saved(tmp_path / f"labels.{suffix}", palette_image()))
    ids = item.read_map().ids
    assert ids.dtype == np.int32
    np.testing.assert_array_equal(ids, IDS)
    assert item.read().pixels.shape == (2, 3, 3)  # as an image it shows the colours


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_a_palette_of_few_bits_is_read_by_index(bits: int, tmp_path: Path) -> None:
    ids = IDS % 2**bits
    image = Image.fromarray(ids, "P")
    image.putpalette(PALETTE)
    np.testing.assert_array_equal(FileItem(saved(tmp_path / "a.png", image, bits=bits)).read_map().ids, ids)


def test_grey_of_few_bits_is_not_scaled(tmp_path: Path) -> None:
    """A PNG of two bits per pixel, written by hand: Pillow has no such mode."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    rows = b"\0" + bytes([0b00011011]) + b"\0" + bytes([0b11100100])
    header = struct.pack(">IIBBBBB", 4, 2, 2, 0, 0, 0, 0)
    data = (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )
    (tmp_path / "a.png").write_bytes(data)
    expected = np.array([[0, 1, 2, 3], [3, 2, 1, 0]])
    np.testing.assert_array_equal(FileItem(tmp_path / "a.png").read_map().ids, expected)
    one_bit = saved(tmp_path / "b.png", Image.fromarray(IDS > 0))
    np.testing.assert_array_equal(FileItem(one_bit).read_map().ids, IDS > 0)


@pytest.mark.parametrize("kind", ["png", "tif", "npy", "array"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32])
def test_ids_of_every_depth_stay_as_they_are(kind: str, dtype: Any, tmp_path: Path) -> None:
    if kind == "png" and dtype == np.int32:
        pytest.skip("PNG holds 16 bits at most")
    ids = np.array([[0, 7, 255], [9, 1, 2]], dtype)
    if dtype != np.uint8:
        ids[0, 2] = 26003
    path = tmp_path / f"ids.{kind}"
    if kind == "png":
        path.write_bytes(bytes(imagecodecs.png_encode(ids)))
    elif kind == "tif":
        tifffile.imwrite(path, ids)
    elif kind == "npy":
        np.save(path, ids)
    item: Item = ArrayItem(ids) if kind == "array" else FileItem(path)
    np.testing.assert_array_equal(item.read_map().ids, ids)


def test_ids_are_turned_as_their_image_is(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    path = saved(tmp_path / "a.png", palette_image(), exif=exif)
    np.testing.assert_array_equal(FileItem(path).read_map().ids, np.rot90(IDS, -1))


@pytest.mark.parametrize(
    ("name", "image", "words"),
    [
        ("a.jpg", Image.new("L", (3, 2)), "JPEG is lossy"),
        ("a.webp", Image.new("RGB", (3, 2)), "WEBP is lossy"),
        ("a.tif", Image.new("CMYK", (3, 2)), "colours of kind 5; expected one id per pixel"),
        ("a.tif", Image.new("LA", (3, 2)), "shape (2, 3, 2) of type uint8; expected one id per pixel"),
        ("a.tif", Image.new("F", (3, 2)), "float32; class and instance ids are whole numbers"),
    ],
)
def test_what_holds_no_exact_ids_is_refused(
    name: str, image: Image.Image, words: str, tmp_path: Path
) -> None:
    path = saved(tmp_path / name, image)
    with pytest.raises(UserError) as refused:
        FileItem(path).read_map()
    line = str(refused.value)
    assert line.startswith(f"cannot read {path}: ")
    assert words in line
    assert "\n" not in line


def test_ids_beyond_32_bits_are_refused() -> None:
    assert ArrayItem(np.full((1, 1), 2**31 - 1, np.uint32)).read_map().ids[0, 0] == 2**31 - 1
    for large in (np.full((1, 1), 2**31, np.uint32), np.full((1, 1), -(2**31) - 1, np.int64)):
        with pytest.raises(UserError, match="ids beyond 2147483647"):
            ArrayItem(large).read_map()
