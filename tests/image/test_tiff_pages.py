"""TIFF files with several pages: channels of one image, z-stacks, time series, pyramids, sets of files."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image

from i2icli.errors import UserError
from i2icli.image import DecodedImage, probe, read_image, write_image
from i2icli.image.items import FileItem, pages_of
from i2icli.image.read import count_images
from i2icli.reading import Reading


def stack(*shape: int, dtype: Any = np.uint16) -> np.ndarray:
    return np.random.default_rng(sum(shape)).integers(0, 200, shape).astype(dtype)


def written(path: Path, array: np.ndarray, axes: str, **how: Any) -> np.ndarray:
    rgb = "S" in axes
    photometric = "rgb" if rgb else "minisblack"
    tifffile.imwrite(path, array, metadata={"axes": axes}, photometric=photometric, **how)
    return array


def read(path: Path, pages: str | None = None) -> np.ndarray:
    """The pixels; the header says the same of them."""
    reading = Reading(pages)
    found, head = read_image(path, reading=reading), probe(path, reading=reading)
    assert (head.size, head.channels) == (found.pixels.shape[:2], found.pixels.shape[2])
    assert head.dtype == found.pixels.dtype
    return found.pixels


@pytest.mark.parametrize("tile", [None, (16, 16)])
@pytest.mark.parametrize(
    ("axes", "shape"),
    [("CYX", (3, 20, 30)), ("CYX", (7, 20, 30)), ("TCZYX", (1, 4, 1, 20, 30)), ("TZCYX", (1, 1, 2, 20, 30))],
)
@pytest.mark.parametrize("program", ["ome", "imagej"])
def test_channels_of_programs_are_one_image(
    tmp_path: Path, program: str, axes: str, shape: tuple[int, ...], tile: Any
) -> None:
    if program == "imagej" and (tile or "TCZ" in axes):
        pytest.skip("ImageJ writes no tiles, and its axes in another order")
    array = written(tmp_path / "x.tif", stack(*shape), axes, tile=tile, **{program: True})
    expected = np.moveaxis(array.reshape(-1, 20, 30), 0, -1)
    assert np.array_equal(read(tmp_path / "x.tif"), expected)


@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_ome_colours_are_one_image(tmp_path: Path, planar: str) -> None:
    colours = stack(20, 30, 3, dtype=np.uint8)
    given, axes = (colours, "YXS") if planar == "contig" else (np.moveaxis(colours, -1, 0), "SYX")
    written(tmp_path / "x.ome.tif", given, axes, planarconfig=planar)
    assert np.array_equal(read(tmp_path / "x.ome.tif"), colours)


@pytest.mark.parametrize(
    ("axes", "shape", "how", "named"),
    [
        ("ZYX", (5, 20, 30), {"ome": True}, "a z-stack of 5 planes"),
        ("ZYX", (5, 20, 30), {"imagej": True}, "a z-stack of 5 planes"),
        ("TYX", (4, 20, 30), {"ome": True}, "a time series of 4 frames"),
        ("ZCYX", (4, 2, 20, 30), {"ome": True}, "a z-stack of 4 planes of 2 channels each"),
        ("TZCYX", (2, 3, 2, 20, 30), {"imagej": True}, "a time series of z-stacks, 6 planes of 2 channels"),
        ("QYX", (3, 20, 30), {}, "3 pages"),
    ],
)
def test_stacks_are_named_with_the_three_ways(
    tmp_path: Path, axes: str, shape: tuple[int, ...], how: dict[str, Any], named: str
) -> None:
    array = written(tmp_path / "x.tif", stack(*shape), axes, **how)
    for reader in (read_image, probe):
        with pytest.raises(UserError, match=f"x.tif: {named}") as caught:
            reader(tmp_path / "x.tif")
        assert "--pages channels" in str(caught.value)
        assert "--pages images" in str(caught.value)
        assert "--pages N" in str(caught.value)
        assert "\n" not in str(caught.value)
    channels = shape[axes.index("C")] if "C" in axes else 1
    images = np.moveaxis(array.reshape(-1, channels, 20, 30), 1, -1)  # (N, H, W, C)
    assert count_images(tmp_path / "x.tif") == len(images)
    assert np.array_equal(read(tmp_path / "x.tif", "2"), images[1])
    together = np.concatenate(list(images), axis=-1)
    assert np.array_equal(read(tmp_path / "x.tif", "channels"), together)
    with pytest.raises(UserError, match=f"there is no page {len(images) + 1}"):
        read(tmp_path / "x.tif", str(len(images) + 1))


def test_pages_before_their_channels(tmp_path: Path) -> None:
    array = written(tmp_path / "x.tif", stack(2, 3, 20, 30), "CZYX", ome=True)
    assert count_images(tmp_path / "x.tif") == 3
    assert np.array_equal(read(tmp_path / "x.tif", "3"), np.moveaxis(array[:, 2], 0, -1))


def test_pages_that_are_images_are_items(tmp_path: Path) -> None:
    array = written(tmp_path / "x.tif", stack(3, 20, 30), "ZYX", imagej=True)
    items = pages_of(tmp_path / "x.tif", Reading("images"))
    assert [item.name for item in items] == [f"{tmp_path / 'x.tif'}, page {number}" for number in (1, 2, 3)]
    for page, item in zip(array, items, strict=True):
        assert item.size == (20, 30)
        assert np.array_equal(item.read(reading=Reading("images", channels=1)).pixels[..., 0], page)
    Image.fromarray(stack(4, 4, dtype=np.uint8)).save(tmp_path / "y.png")
    assert pages_of(tmp_path / "y.png", Reading("images")) == [
        FileItem(tmp_path / "y.png", Reading("images"))
    ]


def test_pages_behind_the_only_one_that_is_described(tmp_path: Path) -> None:
    array = written(tmp_path / "x.tif", stack(4, 20, 30), "ZYX", imagej=True, truncate=True)
    assert len(tifffile.TiffFile(tmp_path / "x.tif").pages) == 1
    assert np.array_equal(read(tmp_path / "x.tif", "3")[..., 0], array[2])
    assert np.array_equal(read(tmp_path / "x.tif", "channels"), np.moveaxis(array, 0, -1))
    data = (tmp_path / "x.tif").read_bytes()
    (tmp_path / "x.tif").write_bytes(data[:-200])
    with pytest.raises(UserError, match="truncated"):
        read_image(tmp_path / "x.tif", reading=Reading("4"))


def test_pyramids_and_previews_are_their_largest_image(tmp_path: Path) -> None:
    array = stack(3, 64, 64, dtype=np.uint8)
    with tifffile.TiffWriter(tmp_path / "x.ome.tif", ome=True) as writer:
        writer.write(array, metadata={"axes": "CYX"}, photometric="minisblack", subifds=1)
        writer.write(array[:, ::2, ::2], subfiletype=1)
    assert np.array_equal(read(tmp_path / "x.ome.tif"), np.moveaxis(array, 0, -1))
    with tifffile.TiffWriter(tmp_path / "y.tif") as writer:
        writer.write(array[0, ::3, ::3], subfiletype=1)
        writer.write(array[0])
    assert np.array_equal(read(tmp_path / "y.tif")[..., 0], array[0])


def test_several_series_and_pages_of_different_sizes(tmp_path: Path) -> None:
    first, second = stack(2, 20, 30), stack(2, 16, 24)
    with tifffile.TiffWriter(tmp_path / "x.ome.tif", ome=True) as writer:
        for each in (first, second):
            writer.write(each, metadata={"axes": "CYX"}, photometric="minisblack")
    with pytest.raises(UserError, match=r"2 images \(series\)"):
        read(tmp_path / "x.ome.tif")
    assert np.array_equal(read(tmp_path / "x.ome.tif", "2"), np.moveaxis(second, 0, -1))
    with pytest.raises(UserError, match="different sizes"):
        read(tmp_path / "x.ome.tif", "channels")


def test_every_page_has_its_own_palette(tmp_path: Path) -> None:
    pages = [Image.fromarray(stack(20, 30, 3, dtype=np.uint8) + 50 * n).quantize(6 + n) for n in range(3)]
    pages[0].save(tmp_path / "x.tif", save_all=True, append_images=pages[1:])
    for number, page in enumerate(pages, 1):
        assert np.array_equal(read(tmp_path / "x.tif", str(number)), np.asarray(page.convert("RGB")))


def test_no_other_file_of_a_set_is_opened(tmp_path: Path) -> None:
    """The text of an OME-TIFF may name files of its set, wherever they are."""
    secret, own = stack(20, 30), stack(20, 30) + 300
    tifffile.imwrite(tmp_path / "other.tif", secret)
    (tmp_path / "data").mkdir()
    path = tmp_path / "data" / "x.ome.tif"
    tifffile.imwrite(path, own, ome=True)
    planes = "".join(
        f'<TiffData FirstC="{number}" IFD="0" PlaneCount="1"><UUID FileName="{name}">urn:uuid:{number}</UUID>'
        "</TiffData>"
        for number, name in enumerate(("x.ome.tif", "../other.tif"))
    )
    text = tifffile.tiffcomment(path)
    start, end = text.index("<TiffData"), text.index("</Pixels>")
    changed = text[:start].replace('SizeC="1"', 'SizeC="2"') + planes + text[end:]
    tifffile.tiffcomment(path, changed.encode())
    assert np.array_equal(read(path)[..., 0], own)


@pytest.mark.parametrize("program", ["ome", "imagej"])
@pytest.mark.parametrize("channels", [2, 3, 5])
def test_stacks_come_back_as_stacks(tmp_path: Path, program: str, channels: int) -> None:
    array = written(tmp_path / "x.tif", stack(channels, 20, 30), "CYX", **{program: True})
    found = read_image(tmp_path / "x.tif")
    write_image(tmp_path / "y.tif", found)
    with tifffile.TiffFile(tmp_path / "y.tif") as made:
        assert (made.is_ome, made.is_imagej) == (program == "ome", program == "imagej")
        assert made.series[0].axes == "CYX"
        assert np.array_equal(made.asarray(), array)


def test_colours_and_planes_come_back_as_they_were(tmp_path: Path) -> None:
    colours = stack(20, 30, 3, dtype=np.uint8)
    written(tmp_path / "x.ome.tif", colours, "YXS", ome=True)
    tifffile.imwrite(
        tmp_path / "y.tif", np.moveaxis(colours, -1, 0), photometric="rgb", planarconfig="separate"
    )
    for name in ("x.ome.tif", "y.tif"):
        write_image(tmp_path / f"made_{name}", read_image(tmp_path / name))
        with (
            tifffile.TiffFile(tmp_path / f"made_{name}") as made,
            tifffile.TiffFile(tmp_path / name) as given,
        ):
            assert made.pages.first.planarconfig == given.pages.first.planarconfig
            assert (made.is_ome, made.series[0].axes) == (given.is_ome, given.series[0].axes)
        assert np.array_equal(read(tmp_path / f"made_{name}"), colours)
    write_image(tmp_path / "z.npy", read_image(tmp_path / "y.tif"))
    assert np.load(tmp_path / "z.npy").shape == (20, 30, 3)  # an array is as arrays are


def test_types_that_a_program_does_not_know_are_written_plainly(tmp_path: Path) -> None:
    image = DecodedImage(stack(20, 30, 4).astype(np.int16), None, "tiff", layout="imagej")
    write_image(tmp_path / "x.tif", image)
    with tifffile.TiffFile(tmp_path / "x.tif") as made:
        assert not made.is_imagej
        assert np.array_equal(made.asarray(), image.pixels)


@pytest.mark.parametrize(
    "text",
    [
        "ImageJ=1\nimages=x\n",
        "ImageJ=1\nimages=1\nchannels=a\n",
        '{"shape": "a"}',
        '{"shape": ',
        "shape=(1,2,x)",
        '<OME><Image><Pixels DimensionOrder="XYCZT" Type="uint8" SizeX="a"/></Image></OME>',
    ],
)
@pytest.mark.parametrize("pages", [1, 2])
def test_an_odd_description_is_no_damage(tmp_path: Path, text: str, pages: int) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (pages, 5, 7, 3)).astype(np.uint8)
    path = tmp_path / "x.tif"
    with tifffile.TiffWriter(path) as file:
        for page in pixels:
            file.write(page, photometric="rgb", description=text, metadata=None)
            text = ""
    assert count_images(path) == pages
    page = Reading(pages=str(pages))
    assert probe(path, reading=page).size == (5, 7)
    np.testing.assert_array_equal(read_image(path, reading=page).pixels, pixels[-1])
