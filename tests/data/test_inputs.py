"""Sources of several images: their channels are stacked, each in its own range."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from i2icli.cli.tasks import task_lines
from i2icli.data.kinds.paired import PairedImages
from i2icli.data.options import DataOptions
from i2icli.errors import UserError
from i2icli.fields import completed
from i2icli.image import ArrayItem
from i2icli.image.stacked import StackedItem
from i2icli.systems.pix2pix.config import Pix2PixConfig
from i2icli.systems.pix2pix.system import Pix2Pix
from i2icli.task import StackPart
from i2icli.value_range import ValueRange
from tests.data.files import fill, put
from tests.tiny import tiny_config

NAMES = ("1.png", "2.png", "3.png")


def config(**more: Any) -> Pix2PixConfig:
    found = tiny_config("pix2pix", preprocess="resize", flip=False, **({"inputs": "rgb/,depth"} | more))
    assert isinstance(found, Pix2PixConfig)
    return found


def opened(*folders: Path, **more: Any) -> PairedImages:
    settings = config(**more)
    data = Pix2Pix.open_data(folders, DataOptions.of(settings), settings)
    assert isinstance(data, PairedImages)
    return data


def depth_of(number: int) -> NDArray[np.uint16]:
    return (np.arange(32 * 32, dtype=np.uint16).reshape(32, 32) * 4) + number


def layout(root: Path, form: str, split: str) -> None:
    """rgb, depth and target of three scenes; form: where a side of a split lies."""
    for side, channels in (("rgb", 3), ("target", 1)):
        fill(root / form.format(side=side, split=split), *NAMES, size=(32, 32), channels=channels)
    folder = root / form.format(side="depth", split=split)
    folder.mkdir(parents=True)
    for number, name in enumerate(NAMES):
        Image.fromarray(depth_of(number)).save(folder / name)


@pytest.mark.parametrize("form", ["{side}", "{split}/{side}", "{side}/{split}"])
def test_channels_add_up_and_ranges_are_those_of_each_input(tmp_path: Path, form: str) -> None:
    layout(tmp_path, form, "train")
    if "split" in form:
        layout(tmp_path, form, "testing")
    data = opened(tmp_path, range="found/type")
    assert len(data.pairs) == 3
    assert len(data.held_out) == (3 if "split" in form else 0)
    assert data.settings["channels"] == (4, 1)
    example = data.train().get(1, None)
    assert example["source"].shape == (4, 32, 32)
    low, high = 0, 4 * (32 * 32 - 1) + 2
    np.testing.assert_allclose(example["source"][3], (depth_of(1) - low) / (high - low) * 2 - 1, atol=1e-5)
    assert any("source: rgb 3 + depth 1 = 4 channels" in line for line in data.report)


def test_the_model_knows_its_inputs(tmp_path: Path) -> None:
    layout(tmp_path, "{side}", "")
    data = opened(tmp_path, range="percentile:0,100/type")
    found = completed(config(range="percentile:0,100/type"), data.settings | {"steps": 1})
    again = type(found).model_validate(found.model_dump(mode="json"))
    port = again.tasks(again.stages()[-1])[0].inputs["image"]
    assert [(part.name, part.channels) for part in port.parts] == [("rgb", 3), ("depth", 1)]
    assert port.parts[1].range is not None
    assert port.parts[1].range.dtype == "uint16"
    assert port.channels == 4
    assert port.range is None
    assert "image of 4 channels (rgb 3 + depth 1)" in next(task_lines(again.tasks(again.stages()[-1])))


def test_folders_of_other_places(tmp_path: Path) -> None:
    layout(tmp_path, "{side}", "")
    folders = ",".join(str(tmp_path / name) for name in ("rgb", "depth"))
    data = opened(tmp_path / "target", inputs=folders)
    assert data.settings["inputs"] == ("rgb", "depth")  # not where they were
    assert data.train().get(0, None)["target"].shape == (1, 32, 32)
    line = next(line for line in data.report if "values" in line)
    assert line.startswith("depth: values 0 to 4094 use 6 % of 16 bit")
    assert line.endswith("add --range found/type")


def test_scenes_without_all_inputs_are_skipped_and_named(tmp_path: Path) -> None:
    layout(tmp_path, "{side}", "")
    (tmp_path / "depth" / "2.png").unlink()
    data = opened(tmp_path)
    assert len(data.pairs) == 2
    assert sum("without partners, e.g. 2.png" in line for line in data.report) == 2


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"inputs": "rgb,normals"}, "--inputs normals: there is no such folder"),
        ({"inputs": "rgb,depth", "range": "0,4095"}, "expected type, found or percentile"),
    ],
)
def test_inputs_that_cannot_be(tmp_path: Path, more: dict[str, Any], words: str) -> None:
    layout(tmp_path, "{side}", "")
    with pytest.raises(UserError, match=words):
        opened(tmp_path, **more)


def test_targets_must_be_clear(tmp_path: Path) -> None:
    layout(tmp_path, "{side}", "")
    fill(tmp_path / "masks", *NAMES)
    with pytest.raises(UserError, match="found masks/, target/ beside --inputs"):
        opened(tmp_path)


@pytest.mark.parametrize("more", [{"inputs": "rgb"}, {"direction": "BtoA"}, {"pair": "{}:{}_b"}])
def test_settings_that_contradict_each_other(more: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="--inputs"):
        config(**more)


@pytest.mark.parametrize("inputs", ["rgb,rgb", "rgb,depth,rgb/"])
def test_an_input_given_twice_is_refused(inputs: str, tmp_path: Path) -> None:
    layout(tmp_path, "{side}", "train")
    with pytest.raises(UserError, match=r"--inputs .*: one folder is given twice"):
        opened(tmp_path, inputs=inputs)


def test_an_input_on_its_side_is_refused(tmp_path: Path) -> None:
    layout(tmp_path, "{side}", "")
    for name in NAMES:
        put(tmp_path / "rgb" / name, size=(32, 40))
        put(tmp_path / "depth" / name, size=(40, 32), channels=1)
    with pytest.raises(UserError, match="lies on its side"):
        opened(tmp_path)


def test_stacked_items_keep_every_value() -> None:
    grey = np.arange(12, dtype=np.uint8).reshape(3, 4) * 20
    deep = np.arange(12, dtype=np.uint16).reshape(3, 4) * 5000
    parts = (StackPart("a", 1), StackPart("b", 1))
    both = StackedItem((ArrayItem(grey), ArrayItem(deep)), parts)
    read = both.read().pixels
    assert read.dtype == both.header().dtype == np.uint16
    np.testing.assert_array_equal(read[..., 0], grey.astype(int) * 257)
    np.testing.assert_array_equal(read[..., 1], deep)
    ranged = (parts[0]._replace(channels=3), parts[1]._replace(range=ValueRange(0, 55000, "uint16")))
    read = StackedItem((ArrayItem(grey), ArrayItem(deep)), ranged).read().pixels
    assert read.shape == (3, 4, 4)
    np.testing.assert_allclose(read[..., 3], deep / 55000 * 2 - 1, atol=1e-6)
    small = StackedItem((ArrayItem(grey), ArrayItem(deep[:1, :2])), parts)
    assert small.read().pixels.shape == (3, 4, 2)
