"""Images alone: with and without classes, divided or not."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from i2icli.config import Config
from i2icli.data.kinds.image_folder import ImageFolder
from i2icli.data.options import DataOptions
from i2icli.errors import UserError
from i2icli.stage import Shape


def write(folder: Path, *names: str, size: int = 16, value: int = 0) -> None:
    for number, name in enumerate(names):
        path = folder / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((size, size, 3), value + number, np.uint8)).save(path)


def opened(*folders: Path, conditional: bool = False, **changes) -> ImageFolder:
    settings = {"crop_size": 16, "preprocess": "resize", "holdout": 0.0} | changes
    options = DataOptions.of(Config(**settings), cache_bytes=2**20)
    return ImageFolder(folders, options, conditional=conditional)


def test_all_images_below_a_folder_in_natural_order(tmp_path):
    write(tmp_path, "10", "2", "deep/down/1")
    data = opened(tmp_path)
    examples = data.train()
    first = [round((examples.get(i, None)["image"][0, 0, 0].item() + 1) * 127.5) for i in range(3)]
    assert first == [1, 0, 2]  # 2.png, 10.png, deep/down/1.png
    assert data.settings == {"learned_size": (16, 16), "channels": (3,), "types": ("uint8",)}
    assert data.validation() is None
    assert set(examples.get(0, np.random.default_rng(0))) == {"image"}


def test_a_test_folder_is_not_trained_on(tmp_path):
    write(tmp_path / "train" / "some", "a", "b", "c")
    write(tmp_path / "test" / "others", "d")
    data = opened(tmp_path)
    assert (len(data.train()), len(data.validation())) == (3, 1)
    assert data.report[0] == "3 training images"


def test_some_are_held_out_where_there_is_no_test_folder(tmp_path):
    write(tmp_path, *map(str, range(10)))
    data = opened(tmp_path, holdout=0.2)
    assert (len(data.train()), len(data.validation())) == (8, 2)


def test_images_of_several_folders_are_put_together(tmp_path):
    write(tmp_path / "a", "1", "2")
    write(tmp_path / "b", "1")
    assert len(opened(tmp_path / "a", tmp_path / "b").train()) == 3


def test_folders_are_classes_where_these_are_learned(tmp_path):
    write(tmp_path / "train" / "cat", "1", "2")
    write(tmp_path / "train" / "dog", "1", value=200)
    write(tmp_path / "test" / "dog", "1")
    data = opened(tmp_path, conditional=True)
    found = {"learned_size": (16, 16), "channels": (3,), "types": ("uint8",), "classes": ("cat", "dog")}
    assert data.settings == found
    labels = [data.train().get(i, None)["label"].tolist() for i in range(3)]
    assert labels == [[1, 0], [1, 0], [0, 1]]
    assert data.train().get(2, None)["image"][0, 0, 0] > 0
    assert data.validation().get(0, None)["label"].tolist() == [0, 1]
    assert opened(tmp_path / "train" / "cat", tmp_path / "train" / "dog", conditional=True).classes == (
        "cat",
        "dog",
    )


def test_a_stage_asks_for_its_own_resolution(tmp_path):
    write(tmp_path, "1")
    data = opened(tmp_path)
    for side in (4, 8, 16):
        assert data.train(Shape(side)).get(0, np.random.default_rng(0))["image"].shape == (3, side, side)
    assert torch.equal(data.train(Shape(4)).get(0, None)["image"], data.train(Shape(4)).get(0, None)["image"])


def test_systems_with_latent_codes_get_some_with_every_image(tmp_path):
    write(tmp_path, "1", "2")
    options = DataOptions.of(Config(crop_size=16), cache_bytes=2**20)
    examples = ImageFolder([tmp_path], options, num_latents=6).train()
    drawn = [examples.get(i, np.random.default_rng(i))["codes"] for i in (0, 1, 0)]
    assert drawn[0].shape == (2, 6)
    assert torch.equal(drawn[0], drawn[2])
    assert len({round(value.item(), 5) for codes in drawn[:2] for value in codes.flatten()}) == 24
    assert torch.equal(examples.get(1, None)["codes"], examples.get(1, None)["codes"])
    assert not torch.equal(examples.get(0, None)["codes"], examples.get(1, None)["codes"])


def test_images_smaller_than_what_is_to_be_learned_are_refused(tmp_path):
    write(tmp_path, "small", size=12)
    write(tmp_path, "large", size=40)
    with pytest.raises(
        UserError, match=r"small.png \(12x12 pixels\) is smaller than the 16x16 .*--crop-size 8"
    ):
        opened(tmp_path)


def test_what_is_no_class_is_refused_in_one_line(tmp_path):
    with pytest.raises(UserError, match="no images in this folder"):
        opened(tmp_path)
    write(tmp_path / "train" / "cat", "1")
    with pytest.raises(UserError, match="a folder per class"):
        opened(tmp_path, conditional=True)
    write(tmp_path / "train" / "dog", "1")
    write(tmp_path / "test" / "cow", "1")
    with pytest.raises(UserError, match=r"cow is not a class of the training images \(cat, dog\)"):
        opened(tmp_path, conditional=True)
    write(tmp_path / "train", "loose")
    with pytest.raises(UserError, match="images directly in it"):
        opened(tmp_path, conditional=True)
