"""Folders per class and a target: layouts people have, and what is said about those that cannot work."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from i2icli.data.images import BrokenImageWarning
from i2icli.data.kinds.class_folders import recognise_classes
from i2icli.data.kinds.classes import ClassesAndTarget
from i2icli.errors import UserError
from i2icli.systems.dtn.config import DTNConfig
from tests.data.files import scanned


def fill(folder: Path, *names: str, mode: str = "RGB", value: int = 100, size: int = 32) -> Path:
    """Images of one flat colour."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new(mode, (size, size), value if mode == "L" else (value,) * 3).save(path)
    return folder


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    """source/cat, source/dog (2 each), target (3)."""
    for label, name in enumerate(("cat", "dog")):
        fill(tmp_path, f"source/{name}/1.png", f"source/{name}/2.png", value=50 + 100 * label)
    return fill(tmp_path, "target/a.png", "target/b.png", "target/deeper/c.png", value=200)


def opened(folder: Path, *more: Path, **changes: Any) -> ClassesAndTarget:
    return scanned("dtn", [folder, *more], DTNConfig(batch_size=2, **changes), cache_bytes=10**8)


# -- layouts -------------------------------------------------------------------------------------


def test_a_folder_per_class_and_a_target(plain: Path) -> None:
    data = opened(plain)
    found = {
        "learned_size": (32, 32),
        "channels": (3, 3),
        "types": ("uint8", "uint8"),
        "classes": ("cat", "dog"),
    }
    assert data.settings == found
    assert len(data.train()) == 4
    assert "4 images of 2 classes (cat, dog)" in data.report[0]
    assert "3 images, used without labels" in data.report[0]
    example = data.train().get(3, np.random.default_rng(0))
    assert {name: (tuple(value.shape), value.dtype) for name, value in example.items()} == {
        "source": ((3, 32, 32), torch.float32),
        "label": ((), torch.int64),
        "target": ((3, 32, 32), torch.float32),
    }
    labels = {data.train().get(index, None)["label"].item() for index in range(4)}
    assert labels == {0, 1}


def test_labels_belong_to_their_images(plain: Path) -> None:
    data = opened(plain)
    for index in range(4):
        for rng in (None, np.random.default_rng(index)):
            example = data.train().get(index, rng)
            bright = (example["source"].mean() + 1) * 127.5
            assert bright.item() == pytest.approx(50 + 100 * example["label"].item(), abs=1)


def test_a_broken_image_lends_no_label_to_another(plain: Path) -> None:
    path = plain / "source/cat/1.png"
    path.write_bytes(path.read_bytes()[:-30])  # the head is whole, the pixels are not
    fill(plain, "source/dog/0.png", value=150)
    (plain / "source/cat/2.png").write_bytes(path.read_bytes())
    data = opened(plain)
    with pytest.warns(BrokenImageWarning):
        example = data.train().get(0, None)
    assert (example["label"].item(), round((example["source"].mean().item() + 1) * 127.5)) == (1, 150)


def move_into(root: Path, folder: str, *names: str) -> None:
    (root / folder).mkdir(parents=True)
    for name in names:
        shutil.move(root / name, root / folder / name)


@pytest.mark.parametrize("layout", ["test beside", "splits", "splits inside", "letters", "nested"])
def test_layouts_with_test_images(layout: str, plain: Path) -> None:
    fill(plain, "new/source/dog/9.png", "new/target/9.png")
    if layout == "test beside":
        shutil.move(plain / "new", plain / "test")
    elif layout == "splits":
        move_into(plain, "train", "source", "target")
        shutil.move(plain / "new", plain / "val")
    elif layout == "splits inside":
        for side in ("source", "target"):
            shutil.move(plain / side, plain / "was")
            (plain / side).mkdir()
            shutil.move(plain / "was", plain / side / "train")
            shutil.move(plain / "new" / side, plain / side / "test")
    elif layout == "letters":
        shutil.move(plain / "new", plain / "test")
        for split in (plain, plain / "test"):
            shutil.move(split / "source", split / "A")
            shutil.move(split / "target", split / "B")
    else:
        shutil.move(plain / "new", plain / "test")
        move_into(plain, "archive", "source", "target", "test")
    data = opened(plain)
    validation = data.validation()
    assert (len(data.train()), data.classes) == (4, ("cat", "dog"))
    assert validation is not None
    assert len(validation) == 1
    assert validation.get(0, None)["label"].item() == 1


def test_two_folders_given_in_order(plain: Path) -> None:
    fill(plain, "source/test/cat/9.png", "target/test/9.png")
    data = opened(plain / "source", plain / "target")
    assert data.classes == ("cat", "dog")
    assert (len(data.train()), len(data.source), len(data.target)) == (4, 4, 3)
    assert data.validation() is not None


def test_folders_of_the_target_are_no_classes(plain: Path) -> None:
    fill(plain, "target/0/x.png", "target/1/y.png")
    assert len(opened(plain).target) == 5


def test_classes_are_in_natural_order(tmp_path: Path) -> None:
    fill(tmp_path, *(f"source/{name}/1.png" for name in (0, 10, 2, 1)), "target/1.png")
    assert recognise_classes([tmp_path]).source.classes == ("0", "1", "2", "10")


def test_the_order_of_the_settings_decides_the_numbers(plain: Path) -> None:
    data = opened(plain, classes=("dog", "cat"))
    assert data.classes == ("dog", "cat")
    bright = {
        e["label"].item(): e["source"].mean().item() for e in (data.train().get(i, None) for i in range(4))
    }
    assert bright[0] > bright[1]


# -- validation ----------------------------------------------------------------------------------


def test_the_same_names_in_both_looks_are_the_truth(plain: Path) -> None:
    fill(plain, "test/source/dog/9.png", "test/source/cat/8.png", value=10)
    fill(plain, "test/target/dog/9.png", value=90)
    fill(plain, "test/target/cat/8.png", value=80)
    data = opened(plain)
    validation = data.validation()
    assert validation is not None
    for index in range(2):
        example = validation.get(index, None)
        assert example["truth"]
        assert round((example["target"].mean().item() + 1) * 127.5) == 80 + 10 * example["label"].item()
    assert any("file names match" in line for line in data.report)
    shutil.move(plain / "test/target/dog/9.png", plain / "test/target/dog/other.png")
    other = opened(plain).validation()
    assert other is not None
    assert "truth" not in other.get(0, None)


def test_some_are_held_out_where_there_is_no_test_folder(tmp_path: Path) -> None:
    fill(tmp_path, *(f"source/{label}/{index}.png" for label in "ab" for index in range(20)), "target/1.png")
    data = opened(tmp_path, holdout=0.1)
    validation = data.validation()
    assert validation is not None
    assert (len(validation), len(data.source)) == (4, 36)
    held_out = {file.path for file in data.held_out}
    assert not held_out & {file.path for file in data.source}
    assert opened(tmp_path, holdout=0).validation() is None


# -- channels ------------------------------------------------------------------------------------


def test_channels_may_differ(plain: Path) -> None:
    shutil.rmtree(plain / "target")
    fill(plain, "target/1.png", mode="L")
    data = opened(plain)
    assert data.settings["channels"] == (3, 1)
    assert data.train().get(0, None)["target"].shape == (1, 32, 32)
    assert opened(plain, channels=(1, 3)).settings["channels"] == (1, 3)


# -- errors --------------------------------------------------------------------------------------


def refused(*folders: Path, **changes: Any) -> str:
    """The one line that is said."""
    with pytest.raises(UserError) as error:
        scanned("dtn", folders, DTNConfig(batch_size=2, **changes))
    assert "\n" not in str(error.value)
    return str(error.value)


def test_no_folder_per_class(tmp_path: Path) -> None:
    fill(tmp_path, "source/1.png", "source/2.png", "target/1.png")
    assert "source: found images directly in it; expected a folder per class" in refused(tmp_path)


def test_a_single_class(tmp_path: Path) -> None:
    fill(tmp_path, "source/cat/1.png", "target/1.png")
    assert "found only one class, cat" in refused(tmp_path)


def test_an_empty_class(plain: Path) -> None:
    (plain / "source" / "cow").mkdir()
    message = refused(plain)
    assert "cow: no images in this folder, but each folder is a class" in message


def test_an_empty_target(plain: Path) -> None:
    shutil.rmtree(plain / "target")
    (plain / "target").mkdir()
    assert "target: no images in this folder; expected those of the target" in refused(plain)


def test_a_class_that_only_the_test_images_have(plain: Path) -> None:
    fill(plain, "test/source/cow/1.png")
    assert "cow is not a class of" in refused(plain)


def test_other_folders(tmp_path: Path) -> None:
    fill(tmp_path, "trainA/1.png", "trainB/1.png")
    message = refused(tmp_path)
    assert "found trainA/, trainB/" in message
    assert "SOURCE TARGET" in message
    assert "given twice" in refused(tmp_path, tmp_path)
    assert "one lies inside the other" in refused(tmp_path, tmp_path / "trainA")
    assert "3 folders were given" in refused(tmp_path, tmp_path / "trainA", tmp_path / "trainB")
    assert "there is no such folder" in refused(tmp_path / "nowhere")


def test_classes_that_are_not_there(plain: Path) -> None:
    message = refused(plain, classes=("cat", "horse"))
    assert "found the classes cat, dog, but --classes is cat,horse" in message


def test_channels_that_f_cannot_read(plain: Path) -> None:
    assert "expected one number, or two: SOURCE,TARGET" in refused(plain, channels=(1, 3, 1))
    shutil.rmtree(plain / "target")
    (plain / "target").mkdir()
    np.save(plain / "target" / "1.npy", np.zeros((32, 32, 5), np.uint8))
    assert "the source has 3 channels and the target 5" in refused(plain)
