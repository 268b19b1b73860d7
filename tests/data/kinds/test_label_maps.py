"""Label maps beside photos: every layout and every encoding of one scene gives the same examples."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from i2icli.classes import LabelClass, LabelSet
from i2icli.config import Config
from i2icli.data.kinds.label_maps import LabelMaps
from i2icli.data.options import DataOptions


def opened(folder: Path, **more: Any) -> LabelMaps:
    config = Config(crop_size=(24, 40), preprocess="resize", flip=False, holdout=0.0)
    return LabelMaps([folder], DataOptions.of(config), **more)


def scene(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Classes 0, 3, 7 and 11, of which 11 is one pixel wide, instances and a photo; 40x24 pixels."""
    rng = np.random.default_rng(seed)
    labels = np.zeros((24, 40), np.uint8)
    labels[14:] = 3
    labels[4:10, 5:20] = 7
    labels[:, 30] = 11
    instances = labels.astype(np.uint16) * 1000
    photo = rng.integers(0, 256, (24, 40, 3)).astype(np.uint8)
    return labels, instances, photo


def test_labels_images_and_instances(tmp_path: Path) -> None:
    for number in range(3):
        labels, instances, photo = scene(number)
        for kind, pixels in (("labels", labels), ("images", photo), ("instances", instances)):
            path = tmp_path / kind / f"{number}.png"
            path.parent.mkdir(exist_ok=True)
            Image.fromarray(pixels).save(path)
    data = opened(tmp_path)
    assert [each.id for each in data.settings["classes"]] == [0, 3, 7, 11]
    assert data.settings["instances"]
    assert not data.settings["dont_care"]
    example = data.train().get(1, None)
    assert {name: (value.dtype, value.shape) for name, value in example.items()} == {
        "labels": (torch.int64, (1, 24, 40)),
        "image": (torch.float32, (3, 24, 40)),
        "instances": (torch.int64, (1, 24, 40)),
    }
    ids = np.array([0, 3, 7, 11])
    np.testing.assert_array_equal(ids[example["labels"][0]], labels)
    np.testing.assert_array_equal(example["instances"][0], instances)


def test_ignored_ids_become_the_dont_care_class(tmp_path: Path) -> None:
    labels, _, photo = scene(0)
    labels[:3] = 255
    for kind, pixels in (("labels", labels), ("images", photo)):
        (tmp_path / kind).mkdir()
        Image.fromarray(pixels).save(tmp_path / kind / "1.png")
    known = LabelSet(tuple(LabelClass(number, f"c{number}") for number in (11, 7, 3)), ignored=(0, 255))
    data = opened(tmp_path, labels=known)
    assert data.settings["dont_care"]
    indices = data.train().get(0, None)["labels"][0].numpy()
    expected = np.select([labels == 11, labels == 7, labels == 3], [0, 1, 2], 3)
    np.testing.assert_array_equal(indices, expected)
