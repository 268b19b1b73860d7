"""Image files of every kind: read, written, refused; pixels to tensors and back."""

import os
import struct
import subprocess
import sys
import threading
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
import tifffile
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageOps
from torch.nn import functional

from i2icli.errors import UserError
from i2icli.image import (
    DecodedImage,
    change_type,
    convert_channels,
    crop_back,
    from_pillow,
    pad_to_multiple,
    probe,
    read_image,
    resize,
    resize_ids,
    to_pixels,
    to_tensor,
    write_image,
)

DEPTHS = {"png": (np.uint8, np.uint16), "tif": (np.uint8, np.uint16, np.float32), "bmp": (np.uint8,)}
DEPTHS |= {"webp": (np.uint8,), "npy": DEPTHS["tif"]}


def noise(height: int, width: int, channels: int, dtype: Any = np.uint8) -> np.ndarray:
    unit = np.random.default_rng(height * width * channels).random((height, width, channels))
    if np.dtype(dtype).kind == "f":
        return (unit * 2 - 1).astype(dtype)
    return (unit * np.iinfo(dtype).max).astype(dtype)


def smooth(height: int = 24, width: int = 32) -> np.ndarray:
    rows, columns = np.mgrid[:height, :width]
    return np.stack([rows * 8, columns * 6, 200 - rows * 3], -1).clip(0, 255).astype(np.uint8)


# -- there and back --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("suffix", "dtype", "channels"),
    [
        (suffix, dtype, channels)
        for suffix, depths in DEPTHS.items()
        for dtype in depths
        for channels in (1, 3, 7)
        if (channels < 7 or suffix in ("tif", "npy")) and (channels > 1 or suffix != "webp")
    ],
)
def test_lossless_formats_keep_every_value(tmp_path: Path, suffix: str, dtype: Any, channels: int) -> None:
    pixels = noise(20, 30, channels, dtype)
    path = tmp_path / f"x.{suffix}"
    write_image(path, DecodedImage(pixels, None, "png"))

    found = read_image(path)

    assert found.pixels.dtype == dtype
    assert np.array_equal(found.pixels, pixels)
    assert found.alpha is None
    head = probe(path)
    assert (head.size, head.channels, head.alpha, head.dtype) == ((20, 30), channels, False, np.dtype(dtype))


@pytest.mark.parametrize(
    ("suffix", "dtype", "channels"),
    [
        ("png", np.uint8, 1),
        ("png", np.uint8, 3),
        ("png", np.uint16, 1),
        ("png", np.uint16, 3),
        ("webp", np.uint8, 3),
    ]
    + [("tif", dtype, channels) for dtype in DEPTHS["tif"] for channels in (1, 3, 5)],
)
def test_alpha_is_kept_beside_the_colours(tmp_path: Path, suffix: str, dtype: Any, channels: int) -> None:
    pixels, alpha = noise(9, 7, channels, dtype), noise(9, 7, 2, dtype)[..., 0]
    path = tmp_path / f"x.{suffix}"
    write_image(path, DecodedImage(pixels, alpha, "png"))

    found = read_image(path)

    assert np.array_equal(found.pixels, pixels)
    assert found.alpha is not None
    assert np.array_equal(found.alpha, alpha)
    assert probe(path).alpha
    assert probe(path).channels == channels


def test_jpeg_and_lossy_webp_stay_close(tmp_path: Path) -> None:
    for name in ("x.jpg", "x.JPEG", "x.webp"):
        write_image(tmp_path / name, DecodedImage(smooth(), None, "jpeg", lossless=False))
        found = read_image(tmp_path / name)
        assert not found.lossless
        assert np.abs(found.pixels.astype(int) - smooth()).mean() < 3
    layers = Image.open(tmp_path / "x.jpg").layer  # (id, horizontal, vertical sampling, table)
    assert all(layer[1:3] == (1, 1) for layer in layers)


@pytest.mark.parametrize(("channels", "hidden"), [(1, b"\0\0"), (3, bytes(6))])
def test_a_transparent_colour_of_a_16_bit_png_is_in_its_header(
    tmp_path: Path, channels: int, hidden: bytes
) -> None:
    path = tmp_path / "x.png"
    write_image(path, DecodedImage(noise(9, 7, channels, np.uint16), None, "png"))
    data, chunk = path.read_bytes(), b"tRNS" + hidden
    added = len(hidden).to_bytes(4) + chunk + zlib.crc32(chunk).to_bytes(4)
    path.write_bytes(data[:33] + added + data[33:])
    assert read_image(path).alpha is not None
    assert probe(path).alpha


def test_a_format_without_alpha_gets_the_picture_over_white(tmp_path: Path) -> None:
    pixels = np.full((4, 4, 3), 100, np.uint8)
    alpha = np.zeros((4, 4), np.uint8)
    alpha[:2] = 255
    write_image(tmp_path / "x.bmp", DecodedImage(pixels, alpha, "png"))
    found = read_image(tmp_path / "x.bmp").pixels
    assert (found[:2] == 100).all()
    assert (found[2:] == 255).all()


def test_depth_falls_to_what_the_format_holds(tmp_path: Path) -> None:
    floats = np.array([[[-1.0], [0.0], [1.0], [1.5]]], np.float32)
    write_image(tmp_path / "x.png", DecodedImage(floats, None, "tiff"))
    assert read_image(tmp_path / "x.png").pixels.ravel().tolist() == [0, 32768, 65535, 65535]
    deep = np.array([[[0, 257, 65535]]], np.uint16)
    write_image(tmp_path / "x.bmp", DecodedImage(deep, None, "png"))
    assert read_image(tmp_path / "x.bmp").pixels.ravel().tolist() == [0, 1, 255]


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "tif"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_the_colour_profile_is_kept(tmp_path: Path, suffix: str, dtype: Any) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    path = tmp_path / f"x.{suffix}"
    write_image(path, DecodedImage(noise(8, 8, 3, dtype), None, "png", profile))
    assert read_image(path).icc == profile
    write_image(path, DecodedImage(noise(8, 8, 1, dtype), None, "png", profile))
    assert read_image(path).icc is None  # it describes RGB, not grey


# -- reading what others wrote ---------------------------------------------------------------


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif"])
def test_exif_rotation_is_applied(tmp_path: Path, suffix: str, orientation: int) -> None:
    path = tmp_path / f"x.{suffix}"
    image = Image.fromarray(smooth())
    exif = image.getexif()
    exif[0x0112] = orientation
    image.save(path, exif=exif, **({"quality": 95} if suffix in ("jpg", "webp") else {}))

    found = read_image(path).pixels

    expected = np.asarray(ImageOps.exif_transpose(Image.open(path)).convert("RGB"))
    assert np.array_equal(found, expected)
    assert probe(path).size == found.shape[:2]


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "PA", "CMYK"])
def test_modes_become_grey_or_rgb_with_or_without_alpha(tmp_path: Path, mode: str) -> None:
    path = tmp_path / ("x.jpg" if mode == "CMYK" else "x.tif" if mode == "PA" else "x.png")
    source = Image.fromarray(smooth()).convert("P" if mode == "PA" else mode)
    if mode == "PA":
        path = tmp_path / "x.png"
        source.info["transparency"] = 0
    source.save(path)

    found = read_image(path)

    channels = 1 if mode in ("1", "L", "LA") else 3
    assert found.pixels.shape == (24, 32, channels)
    assert found.pixels.dtype == np.uint8
    assert (found.alpha is not None) == (mode in ("LA", "RGBA", "PA"))
    opened = Image.open(path).convert("RGB")
    assert np.array_equal(convert_channels(found.pixels, 3), np.asarray(opened))
    head = probe(path)
    assert (head.channels, head.alpha) == (channels, found.alpha is not None)


def test_a_phone_photo_with_a_second_view_is_its_first(tmp_path: Path) -> None:
    first, second = Image.fromarray(smooth()), Image.fromarray(smooth()[::-1].copy())
    first.save(tmp_path / "x.jpg", format="MPO", save_all=True, append_images=[second], quality=95)
    found = read_image(tmp_path / "x.jpg")
    assert found.format == "jpeg"
    assert np.abs(found.pixels.astype(int) - smooth()).mean() < 5


def test_16_bit_colour_png_of_others_keeps_its_depth(tmp_path: Path) -> None:
    for channels in (1, 2, 3, 4):
        array = noise(6, 5, channels, np.uint16)
        (tmp_path / "x.png").write_bytes(imagecodecs.png_encode(array.squeeze()))
        found = read_image(tmp_path / "x.png")
        together = found.pixels if found.alpha is None else np.dstack([found.pixels, found.alpha])
        assert np.array_equal(together, array)


@pytest.mark.parametrize("compression", [None, "lzw", "zlib", "packbits"])
@pytest.mark.parametrize("planar", ["contig", "separate"])
@pytest.mark.parametrize("channels", [3, 6])
def test_tiff_planes_and_compressions(
    tmp_path: Path, compression: str | None, planar: str, channels: int
) -> None:
    array = noise(18, 22, channels, np.uint16)
    stored = array if planar == "contig" else np.moveaxis(array, -1, 0)
    kind = "rgb" if channels == 3 else "minisblack"
    path = tmp_path / "x.tiff"
    tifffile.imwrite(path, stored, photometric=kind, planarconfig=planar, compression=compression)
    assert np.array_equal(read_image(path).pixels, array)
    assert probe(path).channels == channels


def test_tiff_colours_other_than_rgb(tmp_path: Path) -> None:
    path = tmp_path / "x.tif"
    Image.fromarray(smooth()).convert("P").save(path)
    expected = np.asarray(Image.open(path).convert("RGB"))
    assert np.array_equal(read_image(path).pixels, expected)
    assert probe(path).channels == 3

    cmyk = noise(5, 6, 4)
    tifffile.imwrite(path, cmyk, photometric="separated")
    light = (1 - cmyk[..., :3] / 255) * (1 - cmyk[..., 3:] / 255) * 255
    assert np.abs(read_image(path).pixels - light).max() <= 0.51
    assert (probe(path).channels, probe(path).alpha) == (3, False)

    grey = noise(5, 6, 1)[..., 0]
    tifffile.imwrite(path, 255 - grey, photometric="miniswhite")
    assert np.array_equal(read_image(path).pixels[..., 0], grey)

    Image.fromarray(grey > 127).save(path)
    assert np.array_equal(read_image(path).pixels[..., 0] > 127, grey > 127)
    assert set(np.unique(read_image(path).pixels)) <= {0, 255}


def test_an_imagej_stack_of_channels_is_one_image(tmp_path: Path) -> None:
    stack = np.moveaxis(noise(9, 11, 4, np.uint16), -1, 0)
    tifffile.imwrite(tmp_path / "x.tif", stack, imagej=True, metadata={"axes": "CYX"})
    assert np.array_equal(read_image(tmp_path / "x.tif").pixels, np.moveaxis(stack, 0, -1))
    assert probe(tmp_path / "x.tif").channels == 4


def test_a_smaller_view_behind_the_image_is_ignored(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "x.tif") as writer:
        writer.write(smooth(), photometric="rgb")
        writer.write(smooth()[::2, ::2], photometric="rgb", subfiletype=1)
    assert np.array_equal(read_image(tmp_path / "x.tif").pixels, smooth())


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.array([[0, 255]], np.uint8), [-1, 1]),
        (np.array([[-128, 127]], np.int8), [-1, 1]),
        (np.array([[0, 65535]], np.uint16), [-1, 1]),
        (np.array([[-32768, 0, 32767]], np.int16), [-1, 1 / 65535, 1]),
        (np.array([[0, 65535]], ">u2"), [-1, 1]),
        (np.array([[0, 2**32 - 1]], np.uint32), [-1, 1]),
        (np.array([[-(2**63), 0, 2**63 - 1]], np.int64), [-1, 0, 1]),
        (np.array([[False, True]]), [-1, 1]),
        (np.array([[-0.5, 2.0]], np.float64), [-0.5, 2.0]),
        (np.array([[-0.5, 0.25]], np.float16), [-0.5, 0.25]),
    ],
)
def test_npy_integers_span_their_type_and_floats_stay(
    tmp_path: Path, values: np.ndarray, expected: list[float]
) -> None:
    np.save(tmp_path / "x.npy", values)
    picture = read_image(tmp_path / "x.npy")
    assert to_tensor(picture.pixels).flatten().tolist() == pytest.approx(expected, abs=2e-5)
    assert probe(tmp_path / "x.npy").dtype == picture.pixels.dtype


def test_the_content_decides_not_the_name(tmp_path: Path) -> None:
    Image.fromarray(smooth()).save(tmp_path / "x.jpg", format="PNG")
    found = read_image(tmp_path / "x.jpg")
    assert found.format == "png"
    assert np.array_equal(found.pixels, smooth())


def test_pillow_images_in_memory() -> None:
    found = from_pillow(Image.fromarray(smooth()).convert("RGBA"))
    assert found.alpha is not None
    assert np.array_equal(found.pixels, smooth())
    deep = Image.fromarray(noise(4, 5, 1, np.uint16)[..., 0])
    assert np.array_equal(from_pillow(deep).pixels, noise(4, 5, 1, np.uint16))
    floats = Image.fromarray(np.array([[-0.5, 0.5]], np.float32))
    assert from_pillow(floats).pixels.ravel().tolist() == [-0.5, 0.5]


# -- refusals --------------------------------------------------------------------------------


def refused(path: Path) -> str:
    """The one line with which both readers refuse a file."""
    lines = []
    for reader in (read_image, probe):
        with pytest.raises(UserError) as caught:
            reader(path)
        assert caught.value.exit_code == 1
        lines.append(str(caught.value))
    assert str(path) in lines[0]
    assert "\n" not in lines[0]
    return lines[0]


def test_what_is_no_image_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    assert "no such file" in refused(path)
    path.write_bytes(b"")
    assert "empty" in refused(path)
    path.write_text("hello")
    assert "not an image; expected PNG, JPEG" in refused(path)
    path.write_bytes(b"%PDF-1.7")
    assert "a PDF" in refused(path)
    assert "directory" in refused(tmp_path)


def test_pickles_are_not_opened(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.array([[{"a": 1}]], object), allow_pickle=True)
    assert "Python objects" in refused(tmp_path / "x.npy")


@pytest.mark.parametrize("shape", [(4,), (2, 3, 4, 5), (0, 4), (3, 64, 64)])
def test_arrays_that_are_no_image_are_refused(tmp_path: Path, shape: tuple[int, ...]) -> None:
    np.save(tmp_path / "x.npy", np.zeros(shape, np.uint8))
    line = refused(tmp_path / "x.npy")
    assert "expected height x width" in line or "empty" in line or "--channels-first" in line


def test_nan_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.array([[0.0, np.nan]], np.float32))
    with pytest.raises(UserError, match="NaN"):
        read_image(tmp_path / "x.npy")


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "tif", "bmp", "npy"])
@pytest.mark.parametrize("part", [0.1, 0.6, 0.98])
def test_truncated_files_are_refused(tmp_path: Path, suffix: str, part: float) -> None:
    path = tmp_path / f"x.{suffix}"
    write_image(path, DecodedImage(noise(64, 64, 3), None, "png"))
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * part)])
    with pytest.raises(UserError, match="cannot read") as caught:
        read_image(path)
    assert str(path) in str(caught.value)


def test_damaged_bytes_give_pictures_or_user_errors_only(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for suffix in ("png", "jpg", "webp", "tif", "bmp", "npy"):
        path = tmp_path / f"x.{suffix}"
        write_image(path, DecodedImage(smooth(), None, "png"))
        whole = bytearray(path.read_bytes())
        for _ in range(40):
            damaged = bytearray(whole)
            for place in rng.integers(0, min(len(whole), 400), 3):
                damaged[place] = rng.integers(256)
            path.write_bytes(damaged)
            for reader in (read_image, probe):
                with suppress(UserError):
                    reader(path)


def test_sizes_are_checked_before_memory_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    write_image(path, DecodedImage(smooth(), None, "png"))
    data = bytearray(path.read_bytes())
    data[16:24] = struct.pack(">II", 40_000, 40_000)
    data[29:33] = struct.pack(">I", zlib.crc32(bytes(data[12:29])))
    path.write_bytes(data)
    assert "0.5 gigapixel" in refused(path)

    with (tmp_path / "x.npy").open("wb") as file:
        np.lib.format.write_array_header_1_0(
            file, {"descr": "<f8", "fortran_order": False, "shape": (40_000, 40_000)}
        )
    assert "0.5 gigapixel" in refused(tmp_path / "x.npy")

    write_image(tmp_path / "x.tif", DecodedImage(smooth(), None, "png"))
    with tifffile.TiffFile(tmp_path / "x.tif", mode="r+") as file:
        file.pages[0].tags["ImageWidth"].overwrite(60_000)
        file.pages[0].tags["ImageLength"].overwrite(60_000)
    assert "0.5 gigapixel" in refused(tmp_path / "x.tif")


def test_animations_and_many_pages_are_refused(tmp_path: Path) -> None:
    frames = [Image.fromarray(smooth()), Image.fromarray(smooth()[::-1].copy())]
    frames[0].save(tmp_path / "x.webp", save_all=True, append_images=frames[1:])
    assert "animation of 2 frames" in refused(tmp_path / "x.webp")
    frames[0].save(tmp_path / "x.png", save_all=True, append_images=frames[1:])
    assert "animation of 2 frames" in refused(tmp_path / "x.png")
    tifffile.imwrite(tmp_path / "x.tif", noise(5, 20, 30), photometric="minisblack")
    assert "5 pages" in refused(tmp_path / "x.tif")


def test_what_cannot_be_written_is_said_and_nothing_is_left(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="PNG holds 1 or 3 channels, the image has 5"):
        write_image(tmp_path / "x.png", DecodedImage(noise(4, 4, 5), None, "png"))
    with pytest.raises(UserError, match="unknown suffix"):
        write_image(tmp_path / "x.gif", DecodedImage(noise(4, 4, 3), None, "png"))
    (tmp_path / "x.bmp").mkdir()
    with pytest.raises(UserError, match="cannot write"):
        write_image(tmp_path / "x.bmp", DecodedImage(noise(4, 4, 3), None, "png"))
    assert [path.name for path in tmp_path.iterdir()] == ["x.bmp"]


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.png"
    write_image(path, DecodedImage(smooth(), None, "png"))
    before = path.read_bytes()

    def fails(_image: Image.Image, target: Path, *_: Any, **__: Any) -> None:
        Path(target).write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", fails)
    with pytest.raises(UserError, match="No space left"):
        write_image(path, DecodedImage(smooth() // 2, None, "png"))
    assert path.read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1


# -- tensors ---------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_every_integer_survives_the_way_to_tensors_and_back(dtype: Any) -> None:
    values = np.arange(np.iinfo(dtype).max + 1).astype(dtype).reshape(-1, 16, 1)
    tensor = to_tensor(values)
    assert tensor.dtype == torch.float32
    assert (tensor.min().item(), tensor.max().item()) == (-1.0, 1.0)
    assert np.array_equal(to_pixels(tensor, dtype), values)


def test_tensors_are_planes_of_the_channels() -> None:
    pixels = smooth()
    tensor = to_tensor(pixels)
    assert tensor.shape == (3, 24, 32)
    assert tensor[1, 5, 7].item() == pytest.approx(pixels[5, 7, 1] / 127.5 - 1, abs=1e-6)
    floats = noise(4, 5, 2, np.float32)
    assert np.array_equal(to_pixels(to_tensor(floats), np.float32), floats)


def test_pixels_are_rounded_and_clipped() -> None:
    values = torch.tensor([-3.0, -1.0, 0.001, 0.01, 1.0, 9.0]).reshape(1, 1, -1)
    assert to_pixels(values, np.uint8).ravel().tolist() == [0, 0, 128, 129, 255, 255]


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 70))
def test_padding_reaches_a_multiple_and_is_undone(height: int, width: int, multiple: int) -> None:
    images = np.random.rand(1, 2, height, width)
    padded = pad_to_multiple(images, multiple)
    assert padded.shape[-2] % multiple == padded.shape[-1] % multiple == 0
    assert padded.shape[-2] - height < multiple
    assert padded.shape[-1] - width < multiple
    assert np.array_equal(crop_back(padded, (height, width)), images)


def test_padding_is_reflection() -> None:
    images = torch.rand(2, 3, 13, 10)
    expected = functional.pad(images, (0, 6, 0, 3), mode="reflect")
    assert np.array_equal(pad_to_multiple(images.numpy(), 16), expected)
    row = np.arange(3.0).reshape(1, 1, 1, 3)
    assert pad_to_multiple(row, 8)[0, 0, 0].tolist() == [0, 1, 2, 1, 0, 1, 2, 1]


# -- size and channels -----------------------------------------------------------------------


def test_resizing_is_antialiased_bicubic() -> None:
    expected = np.asarray(Image.fromarray(smooth()).resize((15, 11), Image.Resampling.BICUBIC))
    assert np.array_equal(resize(smooth(), (11, 15)), expected)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("channels", [1, 3, 4, 6])
def test_every_type_is_resized_alike(dtype: Any, channels: int) -> None:
    levels = noise(40, 30, channels) // 2 + 64  # Pillow clips between its two passes: keep away from the ends
    pixels = change_type(levels, dtype)
    small = resize(pixels, (17, 50))
    assert small.dtype == dtype
    assert small.shape == (17, 50, channels)
    reference = resize(levels[..., :1].copy(), (17, 50))
    assert np.abs(change_type(small[..., :1], np.uint8).astype(int) - reference).max() <= 1
    if dtype == np.float32:
        assert np.abs(small).max() <= 1


def test_nearest_invents_no_values() -> None:
    labels = np.array([[[0], [7]], [[9], [200]]], np.int32)
    assert set(np.unique(resize_ids(labels, (7, 5)))) == {0, 7, 9, 200}


def test_channels_are_repeated_or_weighed() -> None:
    grey = noise(4, 5, 1)
    assert np.array_equal(convert_channels(grey, 3)[..., 2], grey[..., 0])
    assert np.array_equal(convert_channels(convert_channels(grey, 3), 1), grey)
    green = np.zeros((1, 1, 3), np.uint8)
    green[..., 1] = 255
    assert convert_channels(green, 1).item() == 150  # 0.587 x 255
    with pytest.raises(UserError, match="cannot convert 4 channels to 3"):
        convert_channels(noise(4, 5, 4), 3)


def test_images_need_no_torch() -> None:
    code = "import sys, i2icli.image; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes in folders here")
def test_what_has_no_end_is_not_read(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    writer = threading.Timer(2, lambda: os.close(os.open(tmp_path / "pipe.png", os.O_WRONLY | os.O_NONBLOCK)))
    writer.daemon = True
    writer.start()  # so that a failure ends
    for path in (tmp_path / "pipe.png", Path("/dev/zero")):
        for read in (read_image, probe):
            with pytest.raises(UserError, match="a pipe or a device, not a file"):
                read(path)
    writer.cancel()
