"""What files leave open: transparency as a channel or over a background, axes of arrays."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image
from pydantic import ValidationError

from i2icli.config import Config
from i2icli.errors import UserError
from i2icli.image import DecodedImage, probe, read_image, read_map, to_stored, write_image
from i2icli.image.items import ArrayItem, BytesItem, FileItem, PillowItem
from i2icli.image.read import read_values
from i2icli.image.transparency import as_read
from i2icli.image.values import from_output
from i2icli.reading import Reading, colour_of
from i2icli.value_range import ValueRange

WHITE = Reading(background=(255, 255, 255))


def sprite(path: Path, hidden: int) -> Path:
    """A red square whose surroundings are transparent and of a colour that cannot be seen."""
    pixels = np.full((8, 8, 4), (hidden, 255 - hidden, 7, 0), np.uint8)
    pixels[2:5, 2:5] = 255, 0, 0, 255
    pixels[2, 2, 3] = 128
    Image.fromarray(pixels).save(path)
    return path


@pytest.mark.parametrize("name", ["x.png", "x.webp", "x.tif"])
def test_hidden_colours_count_for_nothing(tmp_path: Path, name: str) -> None:
    options = {"lossless": True, "exact": True} if name == "x.webp" else {}
    found = []
    for hidden in (0, 200):
        with Image.open(sprite(tmp_path / "given.png", hidden)) as image:
            image.save(tmp_path / name, **options)
        found.append(read_image(tmp_path / name, reading=WHITE))
    assert np.array_equal(found[0].pixels, found[1].pixels)
    assert found[0].pixels[0, 0].tolist() == [255, 255, 255]
    assert found[0].pixels[3, 3].tolist() == [255, 0, 0]
    assert found[0].pixels[2, 2].tolist() == [255, 127, 127]  # half over white
    assert found[0].alpha is not None
    assert np.unique(found[0].alpha).tolist() == [0, 128, 255]
    plain = read_image(tmp_path / name)
    assert plain.pixels[0, 0].tolist() == [200, 55, 7]


@pytest.mark.parametrize("background", ["white", "black", "10,200,30"])
def test_every_item_has_its_background(tmp_path: Path, background: str) -> None:
    reading = Reading(background=colour_of(background))
    path = sprite(tmp_path / "x.png", 90)
    with Image.open(path) as image:
        items = [FileItem(path), BytesItem(path.read_bytes(), "x"), PillowItem(image)]
        found = [item.read(reading=reading).pixels for item in items]
    for pixels in found:
        assert tuple(pixels[0, 0]) == reading.background
        assert np.array_equal(pixels, found[0])


def test_a_background_in_every_type_and_for_any_channels() -> None:
    red, alpha = np.zeros((1, 2, 3), np.uint16), np.array([[0, 65535]], np.uint16)
    for channels, expected in ((3, [257, 514, 771]), (1, [514]), (5, [514] * 5)):
        image = DecodedImage(np.zeros((1, 2, channels), np.uint16), alpha, "tiff")
        made = as_read(image, None, Reading(background=(1, 2, 3))).pixels
        assert np.abs(made[0, 0].astype(int) - expected).max() <= 300
        assert made[0, 1].tolist() == [0] * channels
    ranged = as_read(DecodedImage(red, alpha, "tiff"), ValueRange(0, 4095, "uint16"), WHITE).pixels
    assert ranged.tolist() == [[[1, 1, 1], [-1, -1, -1]]]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_transparency_is_a_channel_where_it_makes_up_the_number(tmp_path: Path, dtype: Any) -> None:
    bands = np.random.default_rng(0).integers(0, np.iinfo(dtype).max, (9, 7, 4)).astype(dtype)
    tifffile.imwrite(tmp_path / "x.tif", bands, photometric="rgb", extrasamples=["unassalpha"])
    assert probe(tmp_path / "x.tif").alpha
    found = read_image(tmp_path / "x.tif", reading=Reading(channels=4, background=(255, 255, 255)))
    assert found.alpha is None
    assert np.array_equal(found.pixels, bands)
    assert np.array_equal(read_values(tmp_path / "x.tif", reading=Reading(channels=4)), bands)
    three = read_image(tmp_path / "x.tif", reading=Reading(channels=3))
    assert three.alpha is not None
    assert np.array_equal(three.pixels, bands[..., :3])


def test_what_a_file_says_of_its_fourth_channel_counts(tmp_path: Path) -> None:
    bands = np.random.default_rng(0).integers(0, 255, (9, 7, 4)).astype(np.uint8)
    tifffile.imwrite(tmp_path / "x.tif", bands, photometric="rgb", extrasamples=["unspecified"])
    found = read_image(tmp_path / "x.tif", reading=WHITE)
    assert found.alpha is None
    assert np.array_equal(found.pixels, bands)


def test_premultiplied_colours_are_divided_unless_they_are_channels(tmp_path: Path) -> None:
    bands = np.array([[[50, 100, 0, 128], [9, 9, 9, 0], [7, 8, 9, 255]]], np.uint8)
    tifffile.imwrite(tmp_path / "x.tif", bands, photometric="rgb", extrasamples=["assocalpha"])
    assert read_image(tmp_path / "x.tif").pixels[0, (0, 2)].tolist() == [[100, 199, 0], [7, 8, 9]]
    assert np.array_equal(read_image(tmp_path / "x.tif", reading=Reading(channels=4)).pixels, bands)


def test_an_image_without_transparency_is_opaque_among_those_that_have_it(tmp_path: Path) -> None:
    learned = Reading(channels=4, alpha=True, background=(255, 255, 255))
    Image.new("RGB", (2, 2), (1, 2, 3)).save(tmp_path / "x.png")
    assert read_image(tmp_path / "x.png", reading=learned).pixels[0, 0].tolist() == [1, 2, 3, 255]
    assert read_image(tmp_path / "x.png", reading=Reading(channels=4)).pixels.shape == (2, 2, 3)
    found = read_image(sprite(tmp_path / "y.png", 90), reading=learned).pixels
    assert found[0, 0].tolist() == [255, 255, 255, 0]  # hidden colours are not learned
    assert found[2, 2].tolist() == [255, 0, 0, 128]


@pytest.mark.parametrize("limits", [None, ValueRange(0, 4095, "uint16")])
def test_an_output_with_transparency_is_written_with_it(limits: ValueRange | None, tmp_path: Path) -> None:
    dtype = np.dtype(np.uint16 if limits else np.uint8)
    output = np.stack([np.full((2, 2), value, np.float32) for value in (1, -1, 1, 0)])
    made = from_output(output, dtype, limits, alpha=True)
    assert made.pixels.shape == (2, 2, 3)
    stored = to_stored(made)
    top = 4095 if limits else 255
    assert stored.pixels[0, 0].tolist() == [top, 0, top]
    assert stored.alpha is not None
    assert int(stored.alpha[0, 0]) == pytest.approx(top / 2, abs=1)
    write_image(tmp_path / "x.png", made)
    assert probe(tmp_path / "x.png").alpha


# -- axes of arrays ----------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(6, 40, 50), (1, 40, 50), (3, 64, 64), (224, 100, 100), (12, 12, 12)])
def test_axes_in_doubt_are_asked_about(tmp_path: Path, shape: tuple[int, ...]) -> None:
    values = np.random.default_rng(0).integers(0, 99, shape).astype(np.uint8)
    np.save(tmp_path / "x.npy", values)
    for read in (read_image, probe, ArrayItem(values).header, ArrayItem(values).read):
        given = (tmp_path / "x.npy",) if read in (read_image, probe) else ()
        with pytest.raises(UserError, match=r"--channels-first, or --no-channels-first") as caught:
            read(*given)
        assert "\n" not in str(caught.value)
    first, last = Reading(channels_first=True), Reading(channels_first=False)
    assert np.array_equal(read_image(tmp_path / "x.npy", reading=first).pixels, np.moveaxis(values, 0, -1))
    assert np.array_equal(read_image(tmp_path / "x.npy", reading=last).pixels, values)
    assert probe(tmp_path / "x.npy", reading=first).channels == shape[0]
    assert np.array_equal(ArrayItem(values).read(reading=first).pixels, np.moveaxis(values, 0, -1))


@pytest.mark.parametrize(
    "shape", [(40, 50), (40, 50, 1), (40, 50, 3), (3, 5, 4), (64, 48, 24), (512, 512, 200)]
)
def test_axes_without_doubt_are_not_asked_about(tmp_path: Path, shape: tuple[int, ...]) -> None:
    np.save(tmp_path / "x.npy", np.zeros(shape, np.uint8))
    found = read_image(tmp_path / "x.npy")
    assert found.pixels.shape == (*shape, 1)[:3]


def test_arrays_in_any_order_and_type(tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(0, 60000, (40, 50, 6)).astype(np.uint16)
    for given in (np.asfortranarray(values), values.astype(">u2"), values[::-1][::-1]):
        np.save(tmp_path / "x.npy", given)
        assert np.array_equal(read_image(tmp_path / "x.npy").pixels, values)
    np.save(tmp_path / "x.npy", values > 30000)
    assert set(np.unique(read_image(tmp_path / "x.npy").pixels)) == {0, 255}
    np.savez(tmp_path / "x.npz", values)
    with pytest.raises(UserError, match=r"a zip archive \(such as \.npz\)"):
        read_image(tmp_path / "x.npz")


def test_channels_first_comes_back_as_it_was(tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(0, 99, (6, 40, 50)).astype(np.uint8)
    np.save(tmp_path / "x.npy", values)
    write_image(tmp_path / "y.npy", read_image(tmp_path / "x.npy", reading=Reading(channels_first=True)))
    assert np.array_equal(np.load(tmp_path / "y.npy"), values)


def test_a_label_map_with_an_axis_of_one_in_front(tmp_path: Path) -> None:
    ids = np.random.default_rng(0).integers(0, 9, (40, 50)).astype(np.uint8)
    np.save(tmp_path / "x.npy", ids[None])
    assert np.array_equal(read_map(tmp_path / "x.npy", reading=Reading(channels_first=True)).ids, ids)


# -- settings ----------------------------------------------------------------------------------


def test_settings_as_they_are_written() -> None:
    made = Config(pages="IMAGES", background="Black", channels_first=True)
    assert (made.pages, made.background) == ("images", "black")
    assert made.reading == Reading("images", background=(0, 0, 0), channels_first=True)
    assert Config(pages=3).reading.page == 3
    assert Config().reading == WHITE
    assert Config(background="1, 2,3").reading.background == (1, 2, 3)
    assert Config(background="none").reading.background is None
    for wrong in ({"pages": "0"}, {"pages": "first"}, {"background": "red"}, {"background": "1,2,256"}):
        with pytest.raises(ValidationError, match="expected"):
            Config.model_validate(wrong)


def test_hidden_colours_of_arrays_count_for_nothing() -> None:
    array = np.full((4, 4, 4), 200, np.uint8)
    array[0, 0] = (9, 99, 3, 0)
    learned = Reading(channels=4, alpha=True, background=(255, 255, 255))
    found = ArrayItem(array).read(reading=learned).pixels
    assert found[0, 0].tolist() == [255, 255, 255, 0]
    assert found[1, 1].tolist() == [200, 200, 200, 200]
    unknown = Reading(channels=4, background=(255, 255, 255))
    np.testing.assert_array_equal(ArrayItem(array).read(reading=unknown).pixels, array)
