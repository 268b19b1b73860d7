"""TIFF files of which a part is missing are errors, never images of zeros."""

import struct
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from tifffile import TiffFile, imwrite

from i2icli.errors import UserError
from i2icli.image import read_image, read_map

PIXELS = np.repeat(np.random.default_rng(0).integers(1, 255, (8, 48, 3), np.uint8), 8, 0)  # (64, 48, 3)
PIECES: dict[str, dict[str, Any]] = {
    "strips": {"rowsperstrip": 16},
    "tiles": {"tile": (16, 16)},
    "planes": {"rowsperstrip": 16, "planarconfig": "separate"},
}
COMPRESSIONS = [None, "zlib", "lzw", "packbits", "jpeg", "zstd", "webp"]
SIZES = {3: "H", 4: "I"}


def written(compression: str | None = "zlib", pieces: str = "strips", **more: Any) -> bytearray:
    file, planes = BytesIO(), PIXELS.transpose(2, 0, 1) if pieces == "planes" else PIXELS
    arguments: Any = {"metadata": None, **PIECES[pieces], **more}
    imwrite(file, planes, photometric="rgb", compression=compression, **arguments)
    return bytearray(file.getvalue())


class Piece:
    """Where the offset and the length of a strip or tile stand in a file."""

    def __init__(self, data: bytearray, number: int) -> None:
        self.data, self.places = data, []
        with TiffFile(BytesIO(data)) as tiff:
            tags = tiff.pages.first.tags
            for names in (("StripOffsets", "TileOffsets"), ("StripByteCounts", "TileByteCounts")):
                tag = next(tags[name] for name in names if name in tags)
                form = "<" + SIZES[int(tag.dtype)]
                self.places.append((form, tag.valueoffset + number * struct.calcsize(form), tag.offset))

    def set(self, offset: int | None = None, length: int | None = None) -> bytes:
        for (form, at, _), value in zip(self.places, (offset, length), strict=True):
            if value is not None:
                struct.pack_into(form, self.data, at, value)
        return bytes(self.data)

    def get(self) -> tuple[int, ...]:
        return tuple(struct.unpack_from(form, self.data, at)[0] for form, at, _ in self.places)

    def fewer(self, count: int) -> bytes:
        for _, _, at in self.places:
            struct.pack_into("<I", self.data, at + 4, count)
        return bytes(self.data)


@pytest.mark.parametrize("pieces", PIECES)
@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_missing_strips_and_tiles_are_errors(compression: str | None, pieces: str, capfd: Any) -> None:
    if pieces == "planes" and compression in ("jpeg", "webp"):
        return  # these hold colours in each pixel
    data = written(compression, pieces)
    read_image(bytes(data))
    beyond = {"H": 65535, "I": 2**31}
    form = Piece(bytearray(data), 2).places[0][0][1]
    broken = {
        "no length": Piece(bytearray(data), 2).set(length=0),
        "neither offset nor length": Piece(bytearray(data), 2).set(0, 0),
        "beyond the end": Piece(bytearray(data), 2).set(offset=beyond[form]),
        "half": Piece(bytearray(data), 2).set(length=Piece(bytearray(data), 2).get()[1] // 2),
        "last one cut": bytes(data[: sum(Piece(bytearray(data), 3).get()) - 2]),
        "fewer": Piece(bytearray(data), 2).fewer(3),
    }
    for name, file in broken.items():
        with pytest.raises(UserError, match=r"truncated|missing") as caught:
            read_image(file, name)
        assert str(caught.value).startswith(f"cannot read {name}: ")
        if compression != "jpeg":
            with pytest.raises(UserError, match=r"truncated|missing"):
                read_map(file, name)
    assert capfd.readouterr() == ("", "")


def test_a_sparse_geotiff_is_whole() -> None:
    """There a tile without data stands for places that nobody has measured."""
    tags: list[Any] = [(33550, "d", 3, (1.0, 1.0, 0.0), True)]
    data = written("zlib", "tiles", extratags=tags)
    image = read_image(Piece(data, 2).set(0, 0))
    assert (image.pixels[:16, 32:48] == 0).all()
    np.testing.assert_array_equal(image.pixels[16:], PIXELS[16:])


@pytest.mark.parametrize("order", ["<", ">"])
def test_missing_pages_are_errors(order: Any) -> None:
    file, stack = BytesIO(), np.zeros((3, 16, 16), np.uint8) + 7
    imwrite(file, stack, metadata={"axes": "CYX"}, imagej=True, byteorder=order)
    data = file.getvalue()
    assert read_image(data).pixels.shape == (16, 16, 3)
    with TiffFile(BytesIO(data)) as tiff:
        last = tiff.pages[2].offset
    with pytest.raises(UserError, match="truncated"):
        read_image(data[: last + 10])


@pytest.mark.parametrize("big", [False, True])
def test_a_next_page_beyond_the_end_is_an_error(big: bool) -> None:
    data = written(bigtiff=big)
    with TiffFile(BytesIO(data)) as tiff:
        page = tiff.pages.first
        at = page.offset + (8 + 20 * len(page.tags) if big else 2 + 12 * len(page.tags))
    struct.pack_into("<Q" if big else "<I", data, at, len(data) + 100)
    with pytest.raises(UserError, match="page 2 lies beyond the end of the file"):
        read_image(bytes(data))
