"""The values of data: what is found, what is pointed out with the option to type, what is refused."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image

from i2icli.config import Config
from i2icli.data import values as looking
from i2icli.data.kinds.image_folder import ImageFolder
from i2icli.data.kinds.paired import PairedImages
from i2icli.data.kinds.unpaired import UnpairedImages
from i2icli.data.options import DataOptions
from i2icli.errors import UserError
from i2icli.image.items import ArrayItem
from tests.data.files import put, scanned
from tests.data.kinds.clip_files import write_clips
from tests.tiny import tiny_config

SIDE = 32


def scene(number: int, low: float, high: float, dtype: Any) -> np.ndarray:
    """A noisy image that has both ends of a range."""
    unit = np.random.default_rng(number).random((SIDE, SIDE))
    unit.flat[:2] = 0, 1
    made = unit * (high - low) + low
    return (np.rint(made) if np.dtype(dtype).kind != "f" else made).astype(dtype)


def side(folder: Path, low: float, high: float, dtype: Any, count: int = 4) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        tifffile.imwrite(folder / f"{number}.tif", scene(number, low, high, dtype))
    return folder


def opened(folder: Path, range: Any = "type", kind: Callable[..., Any] = UnpairedImages) -> Any:
    config = Config(crop_size=SIDE, preprocess="none", range=range)
    return kind([folder], DataOptions.of(config, cache_bytes=10**8))


def refusal(folder: Path, range: Any = "type", kind: Callable[..., Any] = UnpairedImages) -> str:
    with pytest.raises(UserError) as caught:
        opened(folder, range, kind)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def hints(data: Any) -> list[str]:
    return [line for line in data.report if "--range" in line]


# -- without a range ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("low", "high", "dtype", "line"),
    [
        (0, 4095, "uint16", "values 0 to 4095 use 6 % of 16 bit: add --range 0,4095"),
        (-1000, 1200, "int16", "values -1000 to 1200 use 3 % of signed 16 bit: add --range -1000,1200"),
        (0, 1, "uint8", "values 0 to 1 use 0.4 % of 8 bit: add --range 0,1"),
        (-900, 900, "int32", "values -900 to 900 use 4e-05 % of signed 32 bit: add --range -900,900"),
        (0, 0.25, "float32", "values 0 to 0.25 use 12 % of [-1, 1]: add --range 0,0.25"),
        (0.01, 0.99, "float32", "values 0.01 to 0.99 use 49 % of [-1, 1]: add --range 0,1"),
        (-1.2, 1.3, "float64", "values -1.2 to 1.3 reach beyond [-1, 1]: add --range -1.2,1.3"),
    ],
)
def test_values_that_use_little_of_their_type_are_pointed_out_once(
    tmp_path: Path, low: float, high: float, dtype: str, line: str
) -> None:
    for name in "AB":
        side(tmp_path / name, low, high, dtype)
    data = opened(tmp_path)
    assert hints(data) == [line]
    assert "range" not in data.settings
    option = line.rpartition(" ")[2]
    assert hints(opened(tmp_path, option)) == []  # what it says to type helps


@pytest.mark.parametrize(
    ("low", "high", "dtype"),
    [
        (0, 255, "uint8"),
        (30, 200, "uint8"),
        (100, 40000, "uint16"),
        (-1, 1, "float32"),
        (-0.9, 0.8, "float32"),
    ],
)
def test_values_that_use_enough_of_it_are_not(tmp_path: Path, low: float, high: float, dtype: str) -> None:
    for name in "AB":
        side(tmp_path / name, low, high, dtype)
    assert hints(opened(tmp_path)) == []


def test_each_side_is_pointed_out_by_its_name(tmp_path: Path) -> None:
    side(tmp_path / "A", 0, 255, "uint8")
    side(tmp_path / "B", 609, 7993, "uint16")
    assert hints(opened(tmp_path)) == ["B: values 609 to 7993 use 11 % of 16 bit: add --range type/609,7993"]
    assert hints(opened(tmp_path, kind=PairedImages)) == [
        "target: values 609 to 7993 use 11 % of 16 bit: add --range type/609,7993"
    ]
    side(tmp_path / "A", -1000, 1000, "int16")
    both = "A: values -1000 to 1000 use 3 % of signed 16 bit, B: values 609 to 7993 use 11 % of 16 bit"
    assert hints(opened(tmp_path)) == [f"{both}: add --range -1000,1000/609,7993"]


def test_alike_sides_are_pointed_out_together(tmp_path: Path) -> None:
    side(tmp_path / "A", 100, 1500, "uint16")
    side(tmp_path / "B", 205, 1599, "uint16")
    assert hints(opened(tmp_path)) == ["values 100 to 1599 use 2 % of 16 bit: add --range 100,1599"]


def test_images_of_one_value_have_no_range_to_type(tmp_path: Path) -> None:
    put(tmp_path / "0.png", size=(SIDE, SIDE), value=7)
    assert hints(opened(tmp_path, kind=ImageFolder)) == []


def test_of_many_integers_some_are_looked_at_and_of_wide_ones_few(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(looking, "SAMPLED", 3)
    side(tmp_path / "narrow", 0, 99, "uint16", count=7)
    line = "values 0 to 99 (in 3 of 7 images) use 0.2 % of 16 bit: add --range 0,99"
    assert hints(opened(tmp_path / "narrow", kind=ImageFolder)) == [line]
    monkeypatch.setattr(looking, "threads", lambda: 1)
    side(tmp_path / "wide", 0, 65535, "uint16", count=7)
    assert looking.look_at(opened(tmp_path / "wide", kind=ImageFolder).files[0], every=False).read == 1


# -- with one ----------------------------------------------------------------------------------


def test_found_is_the_least_and_the_largest_of_all_values(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(looking, "SAMPLED", 1)
    side(tmp_path / "A", 10, 1000, "uint16")
    side(tmp_path / "B", -2.5, 3.25, "float32")
    tifffile.imwrite(tmp_path / "A" / "3.tif", scene(0, 5, 1200, "uint16"))
    data = opened(tmp_path, "found")
    assert data.settings["range"] == "5,1200/-2.5,3.25"
    assert data.settings["types"] == ("uint16", "float32")
    assert [port.range[:2] for port in data.ports] == [(5, 1200), (-2.5, 3.25)]
    assert "A: range of the values (found): 5 to 1200" in data.report
    images = [data.train().get(index, None) for index in range(4)]
    for name in "AB":
        assert min(each[name].min().item() for each in images) == -1
        assert max(each[name].max().item() for each in images) == 1


def test_percentiles_leave_outliers_out(tmp_path: Path) -> None:
    side(tmp_path, 0, 1000, "uint16")
    spoiled = scene(9, 0, 1000, "uint16")
    spoiled[0, 0] = 60000
    tifffile.imwrite(tmp_path / "9.tif", spoiled)
    data = opened(tmp_path, "percentile:1,99", ImageFolder)
    every = np.concatenate([tifffile.imread(path).ravel() for path in tmp_path.iterdir()])
    low, high = map(float, data.settings["range"].split(","))
    assert (low, high) == tuple(map(pytest.approx, np.percentile(every, (1, 99))))
    assert high < 1000
    assert data.train().get(4, None)["image"].max() == 1  # cut to the range


def test_a_range_for_each_side(tmp_path: Path) -> None:
    side(tmp_path / "A", 0, 255, "uint8")
    side(tmp_path / "B", 0, 4095, "uint16")
    data = opened(tmp_path, "type/found", PairedImages)
    assert data.settings["range"] == "type/0,4095"
    backwards = PairedImages(
        [tmp_path], DataOptions.of(Config(crop_size=SIDE, range="found/type")), backwards=True
    )
    assert backwards.settings["range"] == "0,4095/type"
    example = data.train().get(0, None)
    assert example["source"].unique().numel() > 100
    np.testing.assert_allclose(example["target"][0], scene(0, 0, 4095, "uint16") / 2047.5 - 1, atol=1e-6)


def test_halves_of_one_image_may_have_different_ranges(tmp_path: Path) -> None:
    for number in range(2):
        both = [scene(number, 0, 100, "uint16"), scene(number, 0, 4000, "uint16")]
        Image.fromarray(np.concatenate(both, 1)).save(tmp_path / f"{number}.png")
    example = opened(tmp_path, "0,100/0,4000", PairedImages).train().get(0, None)
    for half in example.values():
        assert (half.min(), half.max()) == (-1, 1)
    assert abs(example["source"] - example["target"]).max() < 0.02


def test_memory_counts_the_floats_that_a_range_makes(tmp_path: Path) -> None:
    side(tmp_path, 0, 100, "uint8", count=2)
    for range, bytes in (("type", 1), ("0,100", 4)):
        config = Config(crop_size=SIDE, preprocess="none", range=range)
        for spare, kept in ((0, True), (-1, False)):
            allowed = 2 * SIDE * SIDE * bytes + spare
            assert ImageFolder([tmp_path], DataOptions.of(config, cache_bytes=allowed)).cached is kept


def test_values_outside_are_reported_and_a_range_beside_them_is_refused(tmp_path: Path) -> None:
    side(tmp_path, 0, 1000, "uint16")
    (line,) = hints(opened(tmp_path, "0,900", ImageFolder))
    assert re.fullmatch(r"1\d% of the values lie outside --range 0,900 .*: the values are 0 to 1000", line)
    assert hints(opened(tmp_path, "0,4095", ImageFolder)) == []
    why = refusal(tmp_path, "2000,4095", ImageFolder)
    assert why == "--range 2000,4095: the values are 0 to 1000; expected a range that they lie in"
    assert "which hold 0 to 65535" in refusal(tmp_path, "-1000,1000", ImageFolder)
    assert "expected one range, all images are read alike" in refusal(tmp_path, "0,1/type", ImageFolder)


def test_one_value_has_no_range(tmp_path: Path) -> None:
    put(tmp_path / "0.png", size=(SIDE, SIDE), value=7)
    assert "all values are 7, there is no range" in refusal(tmp_path, "found", ImageFolder)


def test_videos_span_their_type() -> None:
    frames = [ArrayItem(np.zeros((4, 4, 3), np.uint8))]  # what stands for those of a video file
    assert looking.look_at(frames, every=True) is None


def test_clips_of_frames_are_read_in_their_range(tmp_path: Path) -> None:
    write_clips(tmp_path, train=1, test=0, size=40)
    for path in tmp_path.rglob("*.png"):
        grey = np.asarray(Image.open(path).convert("L")).astype(np.uint16)
        Image.fromarray(grey * 16).save(path)
    config = tiny_config("vid2vid", channels=(1, 1), range="0,4080")
    plain = tiny_config("vid2vid", channels=(1, 1))
    narrow, wide = (scanned("vid2vid", [tmp_path], each).train().get(0, None) for each in (config, plain))
    assert narrow["frames"].max() > 0.4
    assert wide["frames"].max() < -0.8
    np.testing.assert_allclose((narrow["frames"] + 1) * 4080, (wide["frames"] + 1) * 65535, atol=20)


# -- floats, NaN, and what is left out ---------------------------------------------------------


def test_floats_of_another_scale_are_refused_with_the_option_to_type(tmp_path: Path) -> None:
    for name in "AB":
        side(tmp_path / name, -0.5, 0.5, "float32")  # those alone would be trained on
    tifffile.imwrite(tmp_path / "A" / "3.tif", scene(3, -2.4957, 3.4991, "float32"))
    why = refusal(tmp_path)
    assert "A: floats -2.496 to 3.499" in why
    assert f"{tmp_path / 'A' / '3.tif'}" in why
    assert "add --range -2.5,3.5/type, or --range percentile:1,99" in why
    data = opened(tmp_path, "-2.5,3.5/type")
    assert len(data.train()) == 4


def test_floats_of_bytes_get_the_range_of_bytes(tmp_path: Path) -> None:
    for name in "AB":
        side(tmp_path / name, 7.03, 238.4, "float32")
    assert "add --range 0,255, or" in refusal(tmp_path)
    assert opened(tmp_path, "0,255").train().get(0, None)["A"].max() == pytest.approx(238.4 / 127.5 - 1)


@pytest.mark.parametrize("range", ["type", "found", "-1,1"])
def test_nan_is_named_and_too_much_of_it_stops(tmp_path: Path, range: str) -> None:
    side(tmp_path, -1, 1, "float32", count=8)
    for number, expected in enumerate(("1 image cannot", "2 images cannot", None)):
        spoiled = scene(number, -1, 1, "float32")
        spoiled[5, 5] = np.nan
        tifffile.imwrite(tmp_path / f"{number}.tif", spoiled)
        if expected is None:
            why = refusal(tmp_path, range, ImageFolder)
            assert "3 of 8 images cannot be used, training goes on without 25% at most" in why
        else:
            data = opened(tmp_path, range, ImageFolder)
            (line,) = [each for each in data.report if "NaN" in each]
            assert line.startswith(expected)
            why = line
        assert f"{tmp_path / '0.tif'}: NaN or infinite values" in why


@pytest.mark.parametrize("second", [0, 1])
def test_pairs_are_lost_with_either_image(tmp_path: Path, second: int) -> None:
    for name in "AB":
        side(tmp_path / name, -1, 1, "float32", count=6)
    for name, number in (("A", 0), ("B", second)):
        spoiled = scene(number, -1, 1, "float32")
        spoiled[5, 5] = np.nan
        tifffile.imwrite(tmp_path / name / f"{number}.tif", spoiled)
    if second == 0:
        assert len([line for line in opened(tmp_path, kind=PairedImages).report if "NaN" in line]) == 2
    else:
        assert "the data: 2 of 6 pairs cannot be used" in refusal(tmp_path, kind=PairedImages)


def test_a_spoiled_image_is_never_trained_on(tmp_path: Path) -> None:
    side(tmp_path, -1, 1, "float32", count=4)
    spoiled = scene(0, -1, 1, "float32")
    spoiled[5, 5] = np.nan
    tifffile.imwrite(tmp_path / "0.tif", spoiled)
    train = opened(tmp_path, kind=ImageFolder).train()
    with pytest.warns(UserWarning, match=r"0\.tif: NaN or infinite values; skipped"):
        images = [train.get(index, None)["image"] for index in range(4)]
    assert all(image.isfinite().all() for image in images)
    assert images[0].equal(images[1])  # the next one takes its place


@pytest.mark.parametrize("kind", [ImageFolder, UnpairedImages, PairedImages])
def test_a_remainder_is_not_trained_on(tmp_path: Path, kind: Callable[..., Any]) -> None:
    folder = tmp_path if kind is ImageFolder else tmp_path / "A"
    for number in range(8):
        put(folder / f"{number}.png", size=(SIDE, SIDE))
        put((tmp_path / "B" if kind is not ImageFolder else tmp_path) / f"{number}.png", size=(SIDE, SIDE))
    for number in range(2):
        (folder / f"{number}.png").write_bytes(b"no image")
    assert len(opened(tmp_path, kind=kind).train()) in (6, 8)
    (folder / "2.png").write_bytes(b"no image")
    why = refusal(tmp_path, kind=kind)
    assert why.startswith(f"{folder}: 3 of 8 images cannot be used, training goes on without 25% at most")
    assert f"{folder / '0.png'}: not an image" in why
