"""Values as files hold them, and pixels that span their type: one way, the other way, and what is refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image

from i2icli.errors import UserError
from i2icli.image import (
    ArrayItem,
    DecodedImage,
    FileItem,
    from_output,
    probe,
    read_image,
    to_array,
    to_pillow,
    to_stored,
    write_image,
)
from i2icli.image.items import BytesItem, PillowItem
from i2icli.image.kinds import array, decoded
from i2icli.image.values import holds
from i2icli.task import Port
from i2icli.value_range import ValueRange

HOUNSFIELD = ValueRange(-1024, 3071, "int16")


def ramp(low: float, high: float, dtype: Any) -> np.ndarray:
    """(12, 16) values from low to high."""
    return (
        np.linspace(low, high, 12 * 16)
        .round(0 if np.dtype(dtype).kind != "f" else 6)
        .reshape(12, 16)
        .astype(dtype)
    )


@pytest.mark.parametrize("suffix", [".tif", ".npy", ".png"])
@pytest.mark.parametrize(
    ("low", "high", "dtype"),
    [
        (0, 4095, "uint16"),
        (-1024, 3071, "int16"),
        (0, 1, "uint8"),
        (-2.5, 3.5, "float32"),
        (-70000, 70000, "int32"),
        (0, 100000, "uint32"),
        (-300, 300, "int64"),
        (-100, 100, "int8"),
        (0.0, 0.25, "float64"),
    ],
)
def test_a_range_spans_what_networks_see_and_comes_back(
    tmp_path: Path, suffix: str, low: float, high: float, dtype: str
) -> None:
    values, limits = ramp(low, high, dtype), ValueRange(low, high, dtype)
    if suffix == ".png" and not holds("png", dtype):
        pytest.skip("held by no PNG")
    path = tmp_path / f"x{suffix}"
    if suffix == ".npy":
        np.save(path, values)
    elif suffix == ".tif":
        tifffile.imwrite(path, values)
    else:
        Image.fromarray(values).save(path)
    image = read_image(path, range=limits)
    seen = to_array(image.pixels)
    assert seen.dtype == np.float32
    assert (seen.min(), seen.max()) == (-1, 1)
    np.testing.assert_allclose(seen[0], (values.astype(float) - low) / (high - low) * 2 - 1, atol=1e-6)
    write_image(tmp_path / f"y{suffix}", image)
    again = FileItem(tmp_path / f"y{suffix}").values()[..., 0]
    assert again.dtype == ("float32" if dtype == "float64" else dtype)
    np.testing.assert_allclose(again, values, rtol=0, atol=0 if values.dtype.kind in "ui" else 1e-6)


def test_values_beyond_the_range_are_cut_to_it() -> None:
    image = ArrayItem(np.array([[-2000, -1024, 3071, 9000]], np.int16)).read(HOUNSFIELD)
    assert image.pixels.ravel().tolist() == [-1, -1, 1, 1]
    assert to_stored(image).pixels.ravel().tolist() == [-1024, -1024, 3071, 3071]


@pytest.mark.parametrize("dtype", [np.int8, np.int16])
def test_signed_integers_without_a_range_come_back_signed(tmp_path: Path, dtype: Any) -> None:
    low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
    values = ramp(low, high, dtype)
    for name in ("x.tif", "x.npy"):
        tifffile.imwrite(tmp_path / name, values) if name == "x.tif" else np.save(tmp_path / name, values)
        image = read_image(tmp_path / name)
        assert image.pixels.dtype.kind == "u"  # what all the house works with
        assert (probe(tmp_path / name).dtype, probe(tmp_path / name).number_type) == (
            image.pixels.dtype,
            dtype,
        )
        write_image(tmp_path / f"again-{name}", image)
        again = FileItem(tmp_path / f"again-{name}").values()[..., 0]
        assert again.dtype == dtype
        assert np.array_equal(again, values)


def test_alpha_spans_its_type_whatever_the_range_of_the_colours(tmp_path: Path) -> None:
    colours, alpha = ramp(0, 4095, np.uint16), ramp(0, 65535, np.uint16)
    stacked = np.stack([colours, alpha], -1)
    tifffile.imwrite(tmp_path / "x.tif", stacked, photometric="minisblack", extrasamples=["unassalpha"])
    image = read_image(tmp_path / "x.tif", range=ValueRange(0, 4095, "uint16"))
    assert image.alpha is not None
    assert (image.alpha.min(), image.alpha.max()) == (-1, 1)
    write_image(tmp_path / "y.tif", image)
    assert np.array_equal(tifffile.imread(tmp_path / "y.tif"), stacked)


def test_formats_that_do_not_hold_the_values_show_their_range(tmp_path: Path) -> None:
    image = ArrayItem(ramp(-1024, 3071, np.int16)).read(HOUNSFIELD)
    for name, dtype in (("x.jpg", np.uint8), ("x.png", np.uint16), ("x.bmp", np.uint8), ("x.webp", np.uint8)):
        write_image(tmp_path / name, image)
        pixels = read_image(tmp_path / name).pixels
        assert pixels.dtype == dtype
        top = np.iinfo(dtype).max
        assert (pixels.min(), pixels.max()) == (pytest.approx(0, abs=3), pytest.approx(top, abs=3))


def test_an_output_becomes_values_of_a_type_and_range() -> None:
    output = np.linspace(-1, 1, 9, dtype=np.float32).reshape(1, 1, 9)
    for dtype, limits, wanted in (
        ("uint16", ValueRange(0, 4096, "uint16"), np.arange(9) * 512),
        ("int16", ValueRange(-400, 400, "int16"), np.arange(9) * 100 - 400),
        ("float32", ValueRange(0, 1), np.arange(9) / 8),
        ("int16", None, np.rint(np.linspace(-32768, 32767, 9))),
        ("uint8", None, np.array([0, 32, 64, 96, 128, 159, 191, 223, 255])),
    ):
        made = to_stored(from_output(output, np.dtype(dtype), limits))
        assert made.pixels.dtype == dtype
        np.testing.assert_allclose(made.pixels.ravel(), wanted, atol=1e-6 if dtype == "float32" else 0)


def test_every_kind_of_item_reads_in_a_range(tmp_path: Path) -> None:
    values, port = ramp(0, 4095, np.uint16), Port(1, range=ValueRange(0, 4095, "uint16"), minimum=1)
    Image.fromarray(values).save(tmp_path / "x.png")
    items = [
        FileItem(tmp_path / "x.png"),
        BytesItem((tmp_path / "x.png").read_bytes(), "x"),
        ArrayItem(values),
        ArrayItem(values.astype(np.int64)),  # in a range any type will do
        ArrayItem(values.astype(np.float64)),
        PillowItem(Image.fromarray(values)),
        PillowItem(Image.fromarray(values.astype(np.int32))),
    ]
    read = [array(item, port) for item in items]
    assert (read[0].min(), read[0].max()) == (-1, 1)
    for each in read[1:]:
        np.testing.assert_allclose(each, read[0], atol=1e-6)


def test_pillow_images_hold_the_values_of_one_channel() -> None:
    for limits, mode in ((ValueRange(0, 4095, "uint16"), "I;16"), (HOUNSFIELD, "I"), (ValueRange(0, 1), "F")):
        values = ramp(limits.low, limits.high, limits.dtype)
        made = to_pillow(ArrayItem(values).read(limits))
        assert made.mode == mode
        np.testing.assert_allclose(np.asarray(made), values, atol=1e-6)
        again = PillowItem(made).read(limits)
        np.testing.assert_allclose(to_stored(again).pixels[..., 0], values, atol=1e-6)
    grey = DecodedImage(ramp(0, 65535, np.uint16)[..., None], None, "png")
    assert to_pillow(grey).mode == "L"  # as ever, where nothing else was learned


@pytest.mark.parametrize(
    ("values", "limits", "why"),
    [
        (np.zeros((4, 4), np.uint8), HOUNSFIELD, r"8 bit, which hold 0 to 255; expected .* -1024 to 3071"),
        (np.zeros((4, 4), np.uint16), HOUNSFIELD, r"16 bit, which hold 0 to 65535"),
        (np.zeros((4, 4), np.uint8), ValueRange(0, 1), r"whole numbers \(8 bit\); expected .* 0 to 1"),
        (np.full((4, 4), np.nan), ValueRange(0, 1), "NaN or infinite values"),
        (np.full((4, 4), np.inf), HOUNSFIELD, "NaN or infinite values"),
        (np.full((4, 4), np.nan), None, "NaN or infinite values"),
        (np.full((4, 4), 2.5), None, r"floats from 2.5 to 2.5; expected values in \[-1, 1\]"),
    ],
)
def test_what_no_range_fits_is_refused_by_name(
    values: np.ndarray, limits: ValueRange | None, why: str
) -> None:
    with pytest.raises(UserError, match=rf"cannot read scan\.npy: .*{why}"):
        ArrayItem(values, "scan.npy").read(limits)


def test_masks_of_whole_numbers_have_a_range_of_their_own() -> None:
    mask = ArrayItem(np.array([[0, 1]], np.uint8)).read(ValueRange(0, 1, "uint8"))
    assert mask.pixels.ravel().tolist() == [-1, 1]


def test_a_white_is_zero_tiff_is_turned_in_its_type(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "x.tif", np.array([[-5, 7]], np.int16), photometric="miniswhite")
    assert FileItem(tmp_path / "x.tif").values().ravel().tolist() == [4, -8]
    tifffile.imwrite(tmp_path / "y.tif", np.array([[0, 65535]], np.uint16), photometric="miniswhite")
    assert decoded(FileItem(tmp_path / "y.tif"), Port(1)).pixels.ravel().tolist() == [65535, 0]
