"""Toy landscapes: determined by their seed, with corresponding domains."""

from pathlib import Path

import numpy as np
import pytest

from i2icli.config import Config
from i2icli.data.kinds.paired import PairedImages
from i2icli.data.options import DataOptions
from i2icli.demo.toy.labels import COLOURS
from i2icli.demo.toy.scenes import scene, write_paired, write_unpaired
from i2icli.image import read_image
from i2icli.image.finding import find_images


@pytest.mark.parametrize("size", [32, 64, 100])
def test_a_seed_is_a_scene(size: int) -> None:
    one, same, other = scene(4, size), scene(4, size), scene(5, size)
    for look in ("label", "photo", "dusk"):
        image = getattr(one, look)
        assert image.shape == (size, size, 3)
        assert image.dtype == np.uint8
        assert np.array_equal(image, getattr(same, look))
        assert not np.array_equal(image, getattr(other, look))


def test_labels_are_the_flat_colours_of_the_parts() -> None:
    landscape = scene(1, 64)
    assert np.array_equal(landscape.label, COLOURS[landscape.parts])
    assert len(np.unique(landscape.parts)) >= 6


def test_a_look_is_mostly_decided_by_part_and_row() -> None:
    """The mapping is learnable: class and row explain most of the variance."""
    train, test = [scene(s, 32) for s in range(80)], [scene(s, 32) for s in range(100, 110)]
    rows = np.arange(32)[:, None] // 2
    for look in ("photo", "dusk"):
        sums, counts = np.zeros((len(COLOURS), 16, 3)), np.zeros((len(COLOURS), 16, 1))
        for each in train:
            np.add.at(sums, (each.parts, rows), getattr(each, look))
            np.add.at(counts, (each.parts, rows), 1)
        means = sums / counts.clip(1)
        error = np.mean([(getattr(each, look) - means[each.parts, rows]) ** 2 for each in test])
        assert error < 0.25 * np.var([getattr(each, look) for each in test])


def test_written_folders_are_recognised(tmp_path: Path) -> None:
    write_paired(tmp_path / "folders", train=3, test=2, size=32)
    write_paired(tmp_path / "beside", train=3, test=2, size=32, side_by_side=True)
    first, second = (
        PairedImages([tmp_path / name], DataOptions.of(Config(crop_size=32, preprocess="none")))
        for name in ("folders", "beside")
    )
    for data in (first, second):
        validation = data.validation()
        assert validation is not None
        assert (len(data.train()), len(validation)) == (3, 2)
    assert np.array_equal(first.train().get(1, None)["target"], second.train().get(1, None)["target"])
    assert np.array_equal(first.train().get(1, None)["source"], second.train().get(1, None)["source"])


def test_test_scenes_are_the_same_in_both_looks_and_training_scenes_are_not(tmp_path: Path) -> None:
    write_unpaired(tmp_path, train=3, test=2, size=32, seed=9)
    test = [[path.name for path in find_images(tmp_path / side)] for side in ("testA", "testB")]
    assert test[0] == test[1] != []
    train = [[path.name for path in find_images(tmp_path / side)] for side in ("trainA", "trainB")]
    assert not set(train[0]) & set(train[1])
    photo = read_image(tmp_path / "testA" / test[0][0]).pixels
    shown = [s for s in range(9, 9 + 20) if np.array_equal(scene(s, 32).photo, photo)]
    assert shown == []  # never trained on
