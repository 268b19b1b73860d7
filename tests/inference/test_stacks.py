"""Models of several images stacked find them all, from the command and from Python."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from i2icli import load
from i2icli.__main__ import main
from i2icli.config import RunOptions
from i2icli.errors import UserError
from i2icli.image import read_image
from i2icli.metadata import read_metadata
from i2icli.training.run import train
from tests.data.files import fill
from tests.tiny import tiny_config

NAMES = ("1.png", "2.png")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """data/rgb, data/depth (12 bit in 16), data/target, and a model that was trained on them."""
    folder = tmp_path_factory.mktemp("stacks")
    for side, channels in (("rgb", 3), ("target", 1)):
        fill(folder / "data" / side, *NAMES, size=(32, 32), channels=channels)
    (folder / "data" / "depth").mkdir()
    for number, name in enumerate(NAMES):
        depth = (np.arange(32 * 32, dtype=np.uint16) * 4 + number).reshape(32, 32)
        Image.fromarray(depth).save(folder / "data" / "depth" / name)
    config = tiny_config("pix2pix", steps=1, inputs=("rgb", "depth"), range="found/type", dropout=0)
    train("pix2pix", [folder / "data"], config, RunOptions(out=folder / "run"))
    return folder


def run(place: Path, out: str, *arguments: object) -> int:
    model = ["--model", str(place / "run"), "--out", str(place / out), "--runtime", "torch"]
    return main(["translate", *map(str, arguments), *model])


def result(place: Path, out: str, name: str = "1.png") -> NDArray[np.uint8]:
    return read_image(place / out / name).pixels


def test_the_further_images_are_found_beside_the_first_or_in_a_folder(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(place, "a", place / "data" / "rgb") == 0
    assert result(place, "a").shape == (32, 32, 1)
    shutil.copytree(place / "data" / "rgb", place / "x")
    shutil.copytree(place / "data" / "depth", place / "y")
    assert run(place, "b", place / "x", "--inputs", f"{place / 'y'}/") == 0
    np.testing.assert_array_equal(result(place, "a"), result(place, "b"))
    shutil.copy(place / "y" / "2.png", place / "y" / "1.png")
    assert run(place, "b", place / "x", "--inputs", place / "y") == 0
    assert (result(place, "a") != result(place, "b")).any()
    capsys.readouterr()
    assert run(place, "c", place / "x") == 1
    assert "this model reads rgb + depth; expected a depth of the same name" in capsys.readouterr().err


@pytest.mark.parametrize("given", ["data", "data/rgb"])
def test_of_the_folder_of_the_training_the_first_input_is_translated_and_scored(
    given: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = f"whole-{Path(given).name}"
    assert run(place, out, place / given) == 0
    assert "(mean of 2 images)" in capsys.readouterr().err
    assert [path.name for path in sorted((place / out).rglob("[12].png"))] == list(NAMES)


def test_python_stacks_them_too(place: Path) -> None:
    assert run(place, "d", place / "data" / "rgb") == 0
    model = load(str(place / "run"))
    made = model.translate(place / "data" / "rgb" / "1.png")
    np.testing.assert_array_equal(np.asarray(made).reshape(32, 32), result(place, "d")[..., 0])
    with pytest.raises(UserError, match="expected 1, for depth"):
        model.translate(place / "data" / "rgb" / "1.png", more_inputs=[place, place])


def test_python_takes_each_image_by_its_name(place: Path) -> None:
    model, data = load(place / "run"), place / "data"
    parts = {name: data / name / "1.png" for name in ("rgb", "depth")}
    assert run(place, "named", data / "rgb" / "1.png") == 0
    assert np.array_equal(np.asarray(model.translate(parts)), result(place, "named")[..., 0])
    with pytest.raises(UserError, match=r"this model reads rgb, depth"):
        model.translate({"depth": parts["depth"]})


def test_the_model_says_what_it_reads(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = read_metadata(place / "run" / "model.safetensors").config
    assert config["inputs"] == ["rgb", "depth"]
    assert main(["info", str(place / "run")]) == 0
    assert "rgb 3 + depth 1" in " ".join(capsys.readouterr().out.split())
