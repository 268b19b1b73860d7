"""Toy landscapes as label data: what the maps say is what the photo shows."""

import tomllib
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from i2icli.demo.toy.label_scenes import CLASSES, INSTANCES, STYLES, label_scene, style_of, write_label_scenes
from i2icli.image import read_image, read_map


def names(scene_ids: dict[int, str]) -> dict[int, str]:
    """The class of each instance id."""
    return {id: CLASSES[id // INSTANCES or id].name for id in scene_ids}


@pytest.mark.parametrize("size", [32, 64, 100])
def test_a_seed_is_a_scene_and_its_styles_do_not_depend_on_the_size(size: int) -> None:
    one, same, large = label_scene(4, size), label_scene(4, size), label_scene(4, 128)
    assert one.photo.shape == (size, size, 3)
    assert np.array_equal(one.photo, same.photo)
    assert one.styles == {id: large.styles[id] for id in one.styles}  # small things may vanish
    assert not np.array_equal(one.photo, label_scene(5, size).photo)


def test_an_instance_is_one_object_of_one_class() -> None:
    for seed in range(20):
        scene = label_scene(seed)
        for id in np.unique(scene.instances):
            assert set(scene.labels[scene.instances == id]) == {id // INSTANCES or id}
        shown = {each.name for each in CLASSES if (scene.labels == each.id).any()}
        assert {"sky", "grass"} <= shown
    walls = [id for id in scene.styles if names(scene.styles)[id] == "wall"]
    roofs = [id for id in scene.styles if names(scene.styles)[id] == "roof"]
    assert {id % INSTANCES for id in walls} == {id % INSTANCES for id in roofs}  # of the same houses


def test_every_style_of_every_class_occurs_and_can_be_told_from_the_photo() -> None:
    seen: Counter[tuple[str, str]] = Counter()
    right = 0
    for seed in range(60):
        scene = label_scene(seed)
        for id, name in names(scene.styles).items():
            region = scene.instances == id
            if len(STYLES[name]) > 1 and region.sum() >= 8:
                seen[name, scene.styles[id]] += 1
                right += style_of(scene.photo, scene.labels, region, name) == scene.styles[id]
    several = {(name, each.name) for name, styles in STYLES.items() if len(styles) > 1 for each in styles}
    assert set(seen) == several
    assert right > 0.98 * seen.total()


def test_styles_are_not_in_the_label_map() -> None:
    """Two scenes whose maps have the same classes need not have the same styles."""
    chosen = {(label_scene(seed, 32).styles[0], label_scene(seed, 32).styles[5]) for seed in range(40)}
    assert len(chosen) == len(STYLES["sky"]) * len(STYLES["grass"])


def test_written_files_hold_exact_ids_and_the_colours_of_the_classes(tmp_path: Path) -> None:
    write_label_scenes(tmp_path, train=3, test=2, size=32, seed=9)
    files = [path.relative_to(tmp_path).as_posix() for path in sorted(tmp_path.rglob("*.*"))]
    assert files == [
        "classes.toml",
        *(f"test/{each}/000{index}.png" for each in ("images", "instances", "labels") for index in range(2)),
        *(f"train/{each}/000{index}.png" for each in ("images", "instances", "labels") for index in range(3)),
    ]
    scene = label_scene(10, 32)
    assert np.array_equal(read_map(tmp_path / "train/labels/0001.png").ids, scene.labels)
    assert np.array_equal(read_map(tmp_path / "train/instances/0001.png").ids, scene.instances)
    assert np.array_equal(read_image(tmp_path / "train/images/0001.png").pixels, scene.photo)
    colours = np.array([each.colour for each in CLASSES], np.uint8)[scene.labels]
    assert np.array_equal(read_image(tmp_path / "train/labels/0001.png").pixels, colours)
    written = tomllib.loads((tmp_path / "classes.toml").read_text())["class"]
    assert [(each["id"], each["name"]) for each in written] == [(each.id, each.name) for each in CLASSES]
    assert written[0]["colour"] == "#4682dc"
