"""How images are read in training: pages, transparency, channels that are claimed, axes of arrays."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image

from i2icli.config import Config
from i2icli.data.kinds.image_folder import ImageFolder
from i2icli.data.kinds.paired import PairedImages
from i2icli.data.kinds.unpaired import UnpairedImages
from i2icli.data.options import DataOptions
from i2icli.errors import UserError
from i2icli.pair_config import PairConfig

SIDE = 16


def opened(kind: Any, folder: Path, **settings: Any) -> Any:
    config = Config(crop_size=SIDE, preprocess="none", flip=False, holdout=0, **settings)
    return kind([folder], DataOptions.of(config, cache_bytes=10**8))


def values(data: Any, name: str, index: int = 0) -> np.ndarray:
    """An image of an example, (H, W, C) in 8 bits."""
    tensor = data.train().get(index, None)[name]
    return np.rint((tensor.numpy().transpose(1, 2, 0) + 1) * 127.5).astype(int)


def rgba(folder: Path, count: int = 3, hidden: int = 77) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        pixels = np.full((SIDE, SIDE, 4), (hidden, 1, 2, 0), np.uint8)
        pixels[4:12, 4:12] = 10 * number, 20, 30, 255
        Image.fromarray(pixels).save(folder / f"{number}.png")
    return folder


def bands(folder: Path, extra: str = "unassalpha", count: int = 3) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        pixels = np.random.default_rng(number).integers(0, 255, (SIDE, SIDE, 4)).astype(np.uint8)
        tifffile.imwrite(folder / f"{number}.tif", pixels, photometric="rgb", extrasamples=[extra])
    return folder


def test_white_lies_under_transparency_and_the_report_says_so(tmp_path: Path) -> None:
    data = opened(ImageFolder, rgba(tmp_path / "x"))
    assert values(data, "image")[0, 0].tolist() == [255, 255, 255]
    (line,) = (line for line in data.report if "transparency" in line)
    assert "white is put under it (--background)" in line
    assert "--channels 4 learns it as a channel" in line
    black = opened(ImageFolder, tmp_path / "x", background="black")
    assert values(black, "image")[0, 0].tolist() == [0, 0, 0]
    none = opened(ImageFolder, tmp_path / "x", background="none")
    assert values(none, "image")[0, 0].tolist() == [77, 1, 2]
    assert any("hidden ones too" in line for line in none.report)


def test_transparency_is_learned_where_it_is_claimed(tmp_path: Path) -> None:
    rgba(tmp_path / "x")
    Image.new("RGB", (SIDE, SIDE), (9, 9, 9)).save(tmp_path / "x" / "9.png")  # opaque, so saved without
    data = opened(ImageFolder, tmp_path / "x", channels="4")
    assert data.settings["channels"] == (4,)
    assert data.settings["alpha"] == (True,)
    assert values(data, "image")[8, 8].tolist() == [0, 20, 30, 255]
    assert values(data, "image")[0, 0].tolist() == [255, 255, 255, 0]
    assert values(data, "image", 3)[0, 0].tolist() == [9, 9, 9, 255]
    assert any("transparency is learned, as the last channel" in line for line in data.report)


@pytest.mark.parametrize("backwards", [False, True])
def test_a_fourth_band_is_claimed_on_either_side(tmp_path: Path, backwards: bool) -> None:
    bands(tmp_path / "A"), rgba(tmp_path / "B")
    channels = "3,4" if backwards else "4,3"
    config = PairConfig(crop_size=SIDE, preprocess="none", flip=False, holdout=0, channels=channels)
    data = PairedImages([tmp_path], DataOptions.of(config), backwards=backwards)
    name = "target" if backwards else "source"
    expected = tifffile.imread(tmp_path / "A" / "0.tif")
    assert np.array_equal(values(data, name), expected)
    assert data.settings["channels"] == ((3, 4) if backwards else (4, 3))
    assert data.settings["alpha"] == ((False, True) if backwards else (True, False))
    both = config.with_found(data.settings).two_ports
    assert [port.reading.alpha for port in both] == [not backwards, backwards]


def test_a_band_that_no_file_calls_transparency_is_a_channel(tmp_path: Path) -> None:
    data = opened(ImageFolder, bands(tmp_path / "x", "unspecified"))
    assert data.settings["channels"] == (4,)
    assert "alpha" not in data.settings
    assert np.array_equal(values(data, "image"), tifffile.imread(tmp_path / "x" / "0.tif"))
    with pytest.raises(UserError, match="has 4 channels; --channels 6 fits only"):
        opened(ImageFolder, tmp_path / "x", channels="6")


def test_the_range_of_a_claimed_band_counts(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    for number in range(3):
        pixels = np.random.default_rng(number).integers(100, 900, (SIDE, SIDE, 4)).astype(np.uint16)
        pixels[0, 0, 3] = 4000
        tifffile.imwrite(
            tmp_path / "x" / f"{number}.tif", pixels, photometric="rgb", extrasamples=["unassalpha"]
        )
    found = opened(ImageFolder, tmp_path / "x", range="found", channels="4").settings["range"]
    assert found.endswith(",4000")
    assert float(opened(ImageFolder, tmp_path / "x", range="found").settings["range"].split(",")[1]) < 900


def stacks(folder: Path, pages: int = 3, count: int = 2) -> list[np.ndarray]:
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for number in range(count):
        rng = np.random.default_rng(number + 100 * (folder.name == "B"))
        made.append(rng.integers(0, 255, (pages, SIDE, SIDE)).astype(np.uint8))
        tifffile.imwrite(folder / f"{number}.tif", made[-1], imagej=True, metadata={"axes": "ZYX"})
    return made


def test_pages_are_asked_about_or_read_as_said(tmp_path: Path) -> None:
    made = stacks(tmp_path / "x")
    with pytest.raises(UserError, match="a z-stack of 3 planes; add --pages channels"):
        opened(ImageFolder, tmp_path / "x")
    data = opened(ImageFolder, tmp_path / "x", pages="images")
    assert len(data.train()) == 6
    assert np.array_equal(values(data, "image", 4)[..., 0], made[1][1])
    data = opened(ImageFolder, tmp_path / "x", pages="channels")
    assert len(data.train()) == 2
    assert np.array_equal(values(data, "image"), np.moveaxis(made[0], 0, -1))
    data = opened(ImageFolder, tmp_path / "x", pages="2")
    assert np.array_equal(values(data, "image", 1)[..., 0], made[1][1])


def test_pages_are_paired_by_their_numbers(tmp_path: Path) -> None:
    a, b = stacks(tmp_path / "A", 3), stacks(tmp_path / "B", 2)
    data = opened(PairedImages, tmp_path, pages="images")
    assert len(data.train()) == 4  # the third page has no partner
    for index, (number, page) in enumerate(((0, 0), (0, 1), (1, 0), (1, 1))):
        assert np.array_equal(values(data, "source", index)[..., 0], a[number][page])
        assert np.array_equal(values(data, "target", index)[..., 0], b[number][page])


def test_collections_of_netpbm_and_gif_files(tmp_path: Path) -> None:
    for side, suffix in (("A", "ppm"), ("B", "gif")):
        (tmp_path / side).mkdir()
        for number in range(2):
            Image.new("RGB", (SIDE, SIDE), (number, 50, 99)).save(tmp_path / side / f"{number}.{suffix}")
    data = opened(UnpairedImages, tmp_path)
    assert values(data, "A")[0, 0].tolist() == [0, 50, 99]
    assert values(data, "B")[0, 0].tolist() == [0, 50, 99]


def test_arrays_with_their_channels_first(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    array = np.random.default_rng(0).integers(0, 255, (6, SIDE, SIDE)).astype(np.uint8)
    np.save(tmp_path / "x" / "a.npy", array)
    with pytest.raises(UserError, match="--channels-first"):
        opened(ImageFolder, tmp_path / "x")
    data = opened(ImageFolder, tmp_path / "x", channels_first=True)
    assert data.settings["channels"] == (6,)
    assert np.array_equal(values(data, "image"), np.moveaxis(array, 0, -1))
