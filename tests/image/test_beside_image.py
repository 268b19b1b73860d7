"""Metadata is no part of the image: large, odd or broken, it never keeps an image from being read."""

import random
import struct
import tracemalloc
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from tifffile import TiffFile, imwrite

from i2icli.errors import UserError
from i2icli.image import DecodedImage, probe, read_image, write_image
from i2icli.image.metadata import Metadata

HEIGHT, WIDTH = 6, 9


def pixels(dtype: Any = np.uint8, channels: int = 3) -> np.ndarray[Any, Any]:
    generator = np.random.default_rng(0)
    return generator.integers(0, np.iinfo(dtype).max, (HEIGHT, WIDTH, channels), dtype)


def encoded(format: str, dtype: Any = np.uint8, **arguments: Any) -> bytes:
    """A file as others write it."""
    file = BytesIO()
    if dtype != np.uint8:
        write_image(
            path := Path(arguments.pop("folder")) / "deep.png", DecodedImage(pixels(dtype), None, "png")
        )
        return path.read_bytes()
    lossless = {"lossless": True} if format == "WEBP" else {}
    Image.fromarray(pixels()).save(file, format, **lossless, **arguments)
    return file.getvalue()


def chunk(name: bytes, data: bytes, crc: int | None = None) -> bytes:
    return (
        struct.pack(">I", len(data))
        + name
        + data
        + struct.pack(">I", zlib.crc32(name + data) if crc is None else crc)
    )


def with_chunk(png: bytes, added: bytes, *, behind: bool = False) -> bytes:
    """A PNG with a chunk before its pixels, or behind them."""
    at = len(png) - 12 if behind else 33
    return png[:at] + added + png[at:]


def with_segments(jpeg: bytes, *segments: tuple[int, bytes]) -> bytes:
    added = b"".join(
        bytes([0xFF, marker]) + struct.pack(">H", len(data) + 2) + data for marker, data in segments
    )
    return jpeg[:2] + added + jpeg[2:]


def entry(tag: int, type: int, count: int, value: bytes) -> bytes:
    return struct.pack("<HHI", tag, type, count) + value.ljust(4, b"\0")[:4]


def exif(*entries: bytes, behind: bytes = b"") -> bytes:
    rows = struct.pack("<H", len(entries)) + b"".join(entries) + bytes(4)
    return b"II*\0" + struct.pack("<I", 8) + rows + behind


BOMB = zlib.compress(bytes(400_000_000), 9)
BROKEN_EXIF = {
    "no header": b"\0\x08\0\2\x01\x12",
    "empty": b"",
    "directory beyond the end": b"II*\0\xff\xff\xff\x7f",
    "value beyond the end": exif(entry(0x010E, 2, 100, struct.pack("<I", 2**31))),
    "unknown type": exif(entry(0x010E, 99, 1, b"x")),
    "huge count": exif(entry(0x010E, 5, 2**32 - 1, b"\x08")),
    "directory within itself": exif(entry(0x8769, 4, 1, struct.pack("<I", 8))),
    "position is rubbish": exif(entry(0x8825, 4, 1, struct.pack("<I", 9)), behind=b"\xff" * 40),
}


def files(folder: Path) -> dict[str, bytes]:
    """Good images beside which there is something large, odd or broken."""
    png, deep = encoded("PNG"), encoded("PNG", np.uint16, folder=folder)
    jpeg, webp = encoded("JPEG", quality=95), encoded("WEBP")
    found = {}
    for name, data in BROKEN_EXIF.items():
        found[f"PNG, EXIF: {name}"] = with_chunk(png, chunk(b"eXIf", data))
        found[f"PNG of 16 bit, EXIF: {name}"] = with_chunk(deep, chunk(b"eXIf", data), behind=True)
        found[f"JPEG, EXIF: {name}"] = with_segments(jpeg, (0xE1, b"Exif\0\0" + data))
        found[f"WebP, EXIF: {name}"] = encoded("WEBP", exif=data or b"Exif")
    text = b"Comment\0\0" + BOMB
    for kind, of in (("PNG", png), ("PNG of 16 bit", deep)):
        found |= {
            f"{kind}, bomb of text": with_chunk(of, chunk(b"zTXt", text)),
            f"{kind}, bomb of XMP": with_chunk(of, chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + BOMB)),
            f"{kind}, bomb of a profile": with_chunk(of, chunk(b"iCCP", b"icc\0\0" + BOMB)),
            f"{kind}, bombs": with_chunk(of, chunk(b"zTXt", text) * 9, behind=True),
            f"{kind}, text of 17 MB": with_chunk(of, chunk(b"tEXt", b"Comment\0" + b"x" * 17_000_000)),
            f"{kind}, profile is rubbish": with_chunk(of, chunk(b"iCCP", b"icc\0\0rubbish")),
            f"{kind}, profile without a name": with_chunk(of, chunk(b"iCCP", b"")),
            f"{kind}, wrong sum": with_chunk(of, chunk(b"tEXt", b"Comment\0hello", crc=1)),
            f"{kind}, odd resolution": with_chunk(of, chunk(b"pHYs", b"\0")),
            f"{kind}, no such chunk": with_chunk(of, chunk(b"abCd", b"x" * 100)),
            f"{kind}, broken gamma": with_chunk(
                of, chunk(b"gAMA", b"") + chunk(b"cHRM", b"x") + chunk(b"sRGB", b"")
            ),
            f"{kind}, text cut off at the end": of[:-12] + chunk(b"tEXt", b"Comment\0" + b"x" * 99)[:50],
            f"{kind}, XMP with entities": with_chunk(
                of, chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0<!DOCTYPE x><x/>")
            ),
            f"{kind}, raw profile": with_chunk(of, chunk(b"tEXt", b"Raw profile type exif\0\nexif\n 9\nzz")),
        }
    found |= {
        "JPEG, many segments": with_segments(
            jpeg, *[(0xE0 + n % 16, random.Random(n).randbytes(3000)) for n in range(600)]
        ),
        "JPEG, a part of a profile is missing": with_segments(
            jpeg, (0xE2, b"ICC_PROFILE\0\2\3" + b"x" * 300)
        ),
        "JPEG, views are rubbish": with_segments(jpeg, (0xE2, b"MPF\0II*\0\x08\0\0\0\xff\xff" + b"x" * 50)),
        "JPEG, XMP is no XML": with_segments(jpeg, (0xE1, b"http://ns.adobe.com/xap/1.0/\0<x")),
        "JPEG, short segments": with_segments(
            jpeg, (0xE0, b"JFIF\0"), (0xEE, b"Adobe"), (0xE1, b""), (0xED, b"Photoshop")
        ),
        "JPEG, odd comment": with_segments(jpeg, (0xFE, b"\xff\xfe\0")),
        "WebP, EXIF cut off": webp_with(webp, b"EXIF", b"x" * 100)[:-60],
        "WebP, broken chunks": webp_with(webp, b"ICCP", b"x") + b"XMP \xff\xff\xff\xff",
    }
    return found


def webp_with(webp: bytes, name: bytes, data: bytes) -> bytes:
    flags = b"VP8X" + struct.pack("<I", 10) + bytes([0x2C, 0, 0, 0])
    sides = (WIDTH - 1).to_bytes(3, "little") + (HEIGHT - 1).to_bytes(3, "little")
    body = b"WEBP" + flags + sides + webp[12:] + name + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(body)) + body


def test_images_are_read_whatever_is_beside_them(tmp_path: Path, recwarn: Any, capfd: Any) -> None:
    for name, data in files(tmp_path).items():
        deep = "16 bit" in name
        tracemalloc.start()
        image = read_image(data, name)
        header = probe(data, name)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 3 * len(data) + 100 * 2**20, name
        assert image.pixels.shape == (*header.size, 3) == (HEIGHT, WIDTH, 3), name
        if not name.startswith("JPEG"):
            expected = pixels(np.uint16 if deep else np.uint8)
            np.testing.assert_array_equal(image.pixels, expected, err_msg=name)
        write_image(tmp_path / "again.png", image)
        with Image.open(tmp_path / "again.png") as again:
            again.getexif()  # what is written is sound
    assert [str(each.message) for each in recwarn.list] == []
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("PNG, EXIF: no header", ("EXIF",)),
        ("PNG, bomb of text", ("text",)),
        ("PNG, bomb of a profile", ("colour profile",)),
        ("PNG, wrong sum", ("text",)),
        ("PNG, text cut off at the end", ("text",)),
        ("PNG, XMP with entities", ("XMP",)),
        ("PNG, no such chunk", ()),
        ("JPEG, a part of a profile is missing", ("colour profile",)),
        ("JPEG, XMP is no XML", ("XMP",)),
        ("WebP, EXIF cut off", ("EXIF",)),
    ],
)
def test_what_cannot_be_read_is_named(name: str, expected: tuple[str, ...], tmp_path: Path) -> None:
    metadata = read_image(files(tmp_path)[name]).metadata
    assert metadata is not None
    assert metadata.unread == expected


ORIENTATIONS: dict[str, tuple[bytes, bool]] = {
    "short": (entry(0x0112, 3, 1, b"\x06\0"), True),
    "byte": (entry(0x0112, 1, 1, b"\x06"), True),
    "long": (entry(0x0112, 4, 1, b"\x06\0\0\0"), True),
    "several": (entry(0x0112, 3, 2, b"\x06\0\x01\0"), True),
    "text": (entry(0x0112, 2, 2, b"6\0"), False),
    "zero": (entry(0x0112, 3, 1, b"\0\0"), False),
    "nine": (entry(0x0112, 3, 1, b"\x09\0"), False),
    "65535": (entry(0x0112, 3, 1, b"\xff\xff"), False),
    "ratio without denominator": (entry(0x0112, 5, 1, struct.pack("<I", 26)), False),
    "none": (entry(0x0112, 3, 0, b""), False),
}


@pytest.mark.parametrize(("tag", "turned"), ORIENTATIONS.values(), ids=ORIENTATIONS.keys())
def test_an_orientation_counts_if_it_makes_sense(tag: bytes, turned: bool) -> None:
    data = exif(tag, behind=struct.pack("<2I", 6, 0))
    png = encoded("PNG")
    for file in (
        with_chunk(png, chunk(b"eXIf", data)),
        with_chunk(png, chunk(b"eXIf", data), behind=True),
        with_segments(encoded("JPEG"), (0xE1, b"Exif\0\0" + data)),
        encoded("WEBP", exif=data),
        tiff_with(tag),
    ):
        size = (WIDTH, HEIGHT) if turned else (HEIGHT, WIDTH)
        assert read_image(file).pixels.shape[:2] == size
        assert probe(file).size == size


def tiff_with(tag: bytes) -> bytes:
    """A TIFF with an entry as it stands."""
    number, type, count = struct.unpack("<HHI", tag[:8])
    file = BytesIO()
    imwrite(file, pixels(), photometric="rgb", metadata=None, extratags=[(number, 3, 1, 1, True)])
    data = bytearray(file.getvalue())
    with TiffFile(BytesIO(data)) as tiff:
        at = tiff.pages.first.tags[number].offset
    value = struct.pack("<I", len(data)) if type == 5 else tag[8:]
    data[at : at + 12] = struct.pack("<HHI", number, type, count) + value
    return bytes(data) + struct.pack("<2I", 6, 0)


@pytest.mark.parametrize(
    "code", [315, 270, 33432, 305, 700, 34675, 34665, 34853, 282, 296, 65000, 33922, 50000]
)
@pytest.mark.parametrize("type", [0, 2, 5, 12, 77])
def test_broken_tags_of_a_tiff_are_left_out(code: int, type: int, capfd: Any) -> None:
    file = BytesIO()
    imwrite(file, pixels(), photometric="rgb", metadata=None, extratags=[(64999, 3, 1, 1, True)])
    data = bytearray(file.getvalue())
    with TiffFile(BytesIO(data)) as tiff:
        at = tiff.pages.first.tags[64999].offset
    data[at : at + 12] = struct.pack("<HHII", code, type, 1000, 2**31)
    image = read_image(bytes(data))
    np.testing.assert_array_equal(image.pixels, pixels())
    assert probe(bytes(data)).size == (HEIGHT, WIDTH)
    assert capfd.readouterr() == ("", "")


def test_damage_to_the_image_itself_is_an_error(tmp_path: Path, capfd: Any) -> None:
    for name, data in files(tmp_path).items():
        if "cut off" in name or "JPEG" in name:
            continue
        at = data.find(b"IDAT") if name.startswith("PNG") else data.find(b"VP8L")
        with pytest.raises(UserError, match="damaged or truncated"):
            read_image(data[: at + 12], name)
    assert capfd.readouterr() == ("", "")


def test_random_bytes_beside_an_image_do_no_harm(tmp_path: Path, capfd: Any, recwarn: Any) -> None:
    """Everything before and behind the pixels, but the header, is changed; images or user errors come out."""
    source = files(tmp_path)
    info = PngInfo()
    info.add_text("Comment", "hello" * 20)
    info.add_itxt("Title", "zebra", zip=True)
    start = [
        encoded("PNG", pnginfo=info, exif=exif(ORIENTATIONS["short"][0]), dpi=(72, 72)),
        with_segments(encoded("JPEG"), (0xE1, b"Exif\0\0" + exif(ORIENTATIONS["byte"][0])), (0xFE, b"hello")),
        source["WebP, broken chunks"],
        tiff_with(ORIENTATIONS["long"][0]),
    ]
    generator, read = random.Random(0), 0
    for data in start:
        for _ in range(150):
            changed = bytearray(data)
            for _ in range(generator.choice([1, 3, 20])):
                changed[generator.randrange(len(data))] = generator.choice(
                    [0, 1, 255, generator.randrange(256)]
                )
            for look in (read_image, probe):
                read += _reads(look, bytes(changed))
    assert read > 300
    assert [str(each.message) for each in recwarn.list] == []
    assert capfd.readouterr() == ("", "")


def _reads(look: Callable[[bytes], object], data: bytes) -> bool:
    try:
        look(data)
    except UserError:
        return False
    return True


def test_metadata_is_nothing_without_a_file() -> None:
    assert Metadata((1, 1)).unread == ()
