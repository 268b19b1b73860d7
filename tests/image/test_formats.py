"""Netpbm, JPEG 2000, AVIF, GIF and HEIC files: what they hold comes back, what they cannot hold is said."""

import struct
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
from PIL import Image, ImageCms

from i2icli.errors import UserError
from i2icli.image import DecodedImage, probe, read_image, read_map, write_image

DEPTHS = (np.uint8, np.uint16)


def noise(channels: int, dtype: Any = np.uint8, height: int = 18, width: int = 26) -> np.ndarray:
    top = np.iinfo(dtype).max + 1
    return np.random.default_rng(channels).integers(0, top, (height, width, channels)).astype(dtype)


def smooth(dtype: Any = np.uint8) -> np.ndarray:
    rows, columns = np.mgrid[:40, :56]
    image = np.stack([rows * 6, columns * 4, 200 - rows * 3], -1).clip(0, 255)
    return (image * (np.iinfo(dtype).max // 255)).astype(dtype)


def checked(path: Path) -> DecodedImage:
    """The image, whose header says the same."""
    found, head = read_image(path), probe(path)
    assert head.format == found.format
    assert head.size == found.pixels.shape[:2]
    assert head.channels == found.pixels.shape[2]
    assert (head.dtype, head.alpha) == (found.pixels.dtype, found.alpha is not None)
    return found


def test_no_objects_of_python_stand_in_messages(tmp_path: Path) -> None:
    (tmp_path / "a.gif").write_bytes(b"GIF89a")
    with pytest.raises(UserError, match=r"damaged or truncated \(cannot identify image file\)$"):
        read_image(tmp_path / "a.gif")


@pytest.mark.parametrize("dtype", DEPTHS)
@pytest.mark.parametrize(
    ("name", "channels"),
    [("x.jp2", 1), ("x.jp2", 3), ("x.jp2", 6), ("x.j2k", 3), ("x.ppm", 3), ("x.pgm", 1), ("x.pnm", 1)],
)
def test_what_is_written_without_loss_comes_back(
    tmp_path: Path, name: str, channels: int, dtype: Any
) -> None:
    pixels = noise(channels, dtype)
    write_image(tmp_path / name, DecodedImage(pixels, None, "png"))
    found = checked(tmp_path / name)
    assert found.lossless
    assert found.pixels.dtype == dtype
    assert np.array_equal(found.pixels, pixels)


@pytest.mark.parametrize("dtype", DEPTHS)
@pytest.mark.parametrize("channels", [1, 3, 5])
def test_jpeg_2000_says_which_channel_is_transparency(tmp_path: Path, channels: int, dtype: Any) -> None:
    pixels, alpha = noise(channels, dtype), noise(2, dtype)[..., 0]
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes() if channels == 3 else None
    write_image(tmp_path / "x.jp2", DecodedImage(pixels, alpha, "png", profile))
    found = checked(tmp_path / "x.jp2")
    assert np.array_equal(found.pixels, pixels)
    assert found.alpha is not None
    assert np.array_equal(found.alpha, alpha)
    assert found.icc == profile
    if channels == 3 and dtype == np.uint8:
        assert np.array_equal(np.asarray(Image.open(tmp_path / "x.jp2"))[..., 3], alpha)


def test_jpeg_2000_of_others(tmp_path: Path) -> None:
    four = noise(4)
    (tmp_path / "bands.jp2").write_bytes(imagecodecs.jpeg2k_encode(four, level=0, reversible=True))
    assert np.array_equal(checked(tmp_path / "bands.jp2").pixels, four)  # nothing says that one is alpha
    Image.fromarray(four).save(tmp_path / "rgba.jp2")
    assert np.array_equal(checked(tmp_path / "rgba.jp2").alpha, four[..., 3])
    twelve = noise(1, np.uint16)[..., 0] >> 4
    data = imagecodecs.jpeg2k_encode(twelve, level=0, reversible=True, bitspersample=12)
    (tmp_path / "deep.jp2").write_bytes(data)
    expected = np.rint(twelve / 4095 * 65535)
    assert np.abs(checked(tmp_path / "deep.jp2").pixels[..., 0] - expected).max() <= 1


def test_lossy_jpeg_2000_is_no_label_map_and_comes_back_lossy(tmp_path: Path) -> None:
    ids = (noise(1) // 64)[..., 0]
    (tmp_path / "exact.jp2").write_bytes(imagecodecs.jpeg2k_encode(ids, level=0, reversible=True))
    assert np.array_equal(read_map(tmp_path / "exact.jp2").ids, ids)
    (tmp_path / "lossy.jp2").write_bytes(imagecodecs.jpeg2k_encode(ids, level=30, reversible=False))
    with pytest.raises(UserError, match="lossy"):
        read_map(tmp_path / "lossy.jp2")
    write_image(tmp_path / "x.jp2", DecodedImage(smooth(), None, "jp2", lossless=False))
    found = checked(tmp_path / "x.jp2")
    assert not found.lossless
    assert np.abs(found.pixels.astype(int) - smooth()).mean() < 2


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_avif_is_without_loss_unless_it_came_from_a_loss(tmp_path: Path, channels: int) -> None:
    pixels = noise(channels)
    alpha = pixels[..., 3].copy() if channels == 4 else None
    pixels = pixels[..., :3] if channels == 4 else pixels
    write_image(tmp_path / "x.avif", DecodedImage(pixels, alpha, "png"))
    found = checked(tmp_path / "x.avif")
    assert np.array_equal(found.pixels, pixels)
    assert alpha is None or np.array_equal(found.alpha, alpha)
    write_image(tmp_path / "y.avif", DecodedImage(smooth(), None, "avif", lossless=False))
    found = checked(tmp_path / "y.avif")
    assert not found.lossless
    assert np.abs(found.pixels.astype(int) - smooth()).mean() < 2


def test_avif_keeps_profile_and_depth(tmp_path: Path) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    write_image(tmp_path / "x.avif", DecodedImage(smooth(), None, "png", profile))
    assert read_image(tmp_path / "x.avif").icc == profile
    deep = smooth(np.uint16)
    write_image(tmp_path / "y.avif", DecodedImage(deep, None, "png"))
    found = checked(tmp_path / "y.avif")
    assert found.pixels.dtype == np.uint16
    assert np.abs(found.pixels.astype(int) - deep).max() <= 8  # of 12 bits
    (tmp_path / "z.avif").write_bytes(imagecodecs.avif_encode(deep >> 6, bitspersample=10))
    assert np.abs(checked(tmp_path / "z.avif").pixels.astype(int) - deep).max() <= 64


def test_avif_as_a_label_map(tmp_path: Path) -> None:
    colours = noise(3) // 128 * 255
    write_image(tmp_path / "exact.avif", DecodedImage(colours, None, "png"))
    assert read_map(tmp_path / "exact.avif").coloured
    Image.fromarray(colours).save(tmp_path / "lossy.avif")
    with pytest.raises(UserError, match="AVIF is lossy"):
        read_map(tmp_path / "lossy.avif")


def test_a_gif_is_its_palette_and_nothing_is_written_as_one(tmp_path: Path) -> None:
    image = Image.fromarray(smooth()).quantize(12)
    image.save(tmp_path / "x.gif")
    assert np.array_equal(checked(tmp_path / "x.gif").pixels, np.asarray(image.convert("RGB")))
    found = read_map(tmp_path / "x.gif")
    assert not found.coloured
    assert len(np.unique(found.ids)) == len(np.unique(np.asarray(image)))
    image.save(tmp_path / "t.gif", transparency=0)
    assert checked(tmp_path / "t.gif").alpha is not None
    with pytest.raises(UserError, match=r"unknown suffix '\.gif'"):
        write_image(tmp_path / "y.gif", DecodedImage(smooth(), None, "gif"))


def test_an_animation_names_the_way_out(tmp_path: Path) -> None:
    frames = [Image.fromarray(np.roll(smooth(), step, 0)).quantize(8) for step in (0, 9)]
    frames[0].save(tmp_path / "x.gif", save_all=True, append_images=frames[1:])
    for read in (read_image, probe):
        with pytest.raises(UserError, match=r"an animation of 2 frames; .* i2i video"):
            read(tmp_path / "x.gif")


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"P1\n# two by two\n3 2\n1 0 1\n010\n", [[0, 255, 0], [255, 0, 255]]),
        (b"P2 3 1 7\n0 7\n3", [[0, 255, 109]]),
        (b"P4\n3 2\n\xa0\x40", [[0, 255, 0], [255, 0, 255]]),
        (b"P5 2 1 255\n\x00\xff", [[0, 255]]),
        (b"P5\n2 1\n1000\n" + struct.pack(">2H", 0, 1000), [[0, 65535]]),
        (b"P7\nWIDTH 2\nHEIGHT 1\nDEPTH 1\nMAXVAL 255\nTUPLTYPE GRAYSCALE\nENDHDR\n\x07\x08", [[7, 8]]),
    ],
)
def test_netpbm_of_every_kind(tmp_path: Path, data: bytes, expected: list[list[int]]) -> None:
    (tmp_path / "x.pnm").write_bytes(data)
    assert checked(tmp_path / "x.pnm").pixels[..., 0].tolist() == expected


def test_netpbm_colours_and_transparency(tmp_path: Path) -> None:
    (tmp_path / "x.ppm").write_bytes(b"P3 1 1 255 1 2 3")
    assert checked(tmp_path / "x.ppm").pixels.tolist() == [[[1, 2, 3]]]
    head = b"P7\nWIDTH 1\nHEIGHT 1\nDEPTH 4\nMAXVAL 255\nTUPLTYPE RGB_ALPHA\nENDHDR\n"
    (tmp_path / "x.pam").write_bytes(head + bytes([1, 2, 3, 4]))
    found = checked(tmp_path / "x.pam")
    assert found.pixels.tolist() == [[[1, 2, 3]]]
    assert found.alpha is not None
    assert found.alpha.tolist() == [[4]]
    (tmp_path / "ids.pgm").write_bytes(b"P5 2 1 7\n\x01\x05")
    assert read_map(tmp_path / "ids.pgm").ids.tolist() == [[1, 5]]  # not stretched


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"P6\n99999 99999\n255\n", "too large"),
        (b"P5\n4 4\n255\n\0\0", "truncated"),
        (b"P5\n4\n", "damaged or truncated"),
        (b"P2 2 1 255\n1", "truncated"),
        (b"P2 2 1 7\n1 9", "beyond its maximum of 7"),
        (b"P5 1 1 70000\n\0\0", "largest value"),
        (b"P7\nWIDTH 2\nENDHDR\n", "damaged or truncated"),
        (b"\0\0\0\x0cjP  \r\n\x87\n\0\0\0\x14ftypjp2 ", "damaged or truncated"),
        (b"\xff\x4f\xff\x51" + bytes(20), "damaged or truncated"),
        (b"\0\0\0\x18ftypisom\0\0\0\0isommp41", "a video"),
    ],
)
def test_damaged_and_absurd_files_are_refused(tmp_path: Path, data: bytes, why: str) -> None:
    (tmp_path / "x.png").write_bytes(data)
    with pytest.raises(UserError, match=why) as caught:
        read_image(tmp_path / "x.png")
    assert "\n" not in str(caught.value)


def test_the_size_of_a_jpeg_2000_is_checked_before_it_is_decoded(tmp_path: Path) -> None:
    data = bytearray(imagecodecs.jpeg2k_encode(noise(3), level=0, reversible=True))
    at = data.index(b"\xff\x4f\xff\x51") + 8
    data[at : at + 8] = struct.pack(">II", 2**20, 2**20)
    (tmp_path / "x.jp2").write_bytes(bytes(data))
    with pytest.raises(UserError, match="too large: 1048576x1048576"):
        probe(tmp_path / "x.jp2")


def test_formats_without_transparency_get_the_image_over_white(tmp_path: Path) -> None:
    pixels, alpha = np.full((2, 2, 3), 1000, np.uint16), np.array([[0, 65535], [0, 65535]], np.uint16)
    write_image(tmp_path / "x.ppm", DecodedImage(pixels, alpha, "png"))
    assert read_image(tmp_path / "x.ppm").pixels[..., 0].tolist() == [[65535, 1000]] * 2
    with pytest.raises(UserError, match="a PGM is grey"):
        write_image(tmp_path / "x.pgm", DecodedImage(pixels, None, "png"))


def test_a_heic_without_its_library_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pillow_heif", None)
    (tmp_path / "x.jpg").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(64))
    with pytest.raises(UserError, match=r"pip install 'i2icli\[heic\]'"):
        read_image(tmp_path / "x.jpg")


@pytest.mark.parametrize("dtype", DEPTHS)
def test_heic_there_and_back(tmp_path: Path, dtype: Any) -> None:
    pytest.importorskip("pillow_heif")
    alpha = smooth(dtype)[..., 1].copy()
    write_image(tmp_path / "x.heic", DecodedImage(smooth(dtype), alpha, "heic", lossless=False))
    found = checked(tmp_path / "x.heic")
    assert not found.lossless
    unit = np.iinfo(dtype).max // 255
    assert np.abs(found.pixels.astype(int) - smooth(dtype)).mean() < 3 * unit
    assert np.abs(np.asarray(found.alpha).astype(int) - alpha).mean() < 3 * unit
    with pytest.raises(UserError, match="HEIC is lossy"):
        read_map(tmp_path / "x.heic")
