"""Label data of the experiments: areas, palettes, and the files of both data sets."""

import gzip
import tomllib
import zipfile
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.experiments import emoji_labels, satellite_labels
from benchmarks.lib.areas import by_size, connected_areas, instance_ids, without_specks
from benchmarks.lib.palettes import k_means, nearest_colour
from i2icli.demo.toy.scenes import write_png
from i2icli.image import read_image, read_map


def flooded(values: np.ndarray) -> np.ndarray:
    """Areas by a flood fill, pixel by pixel."""
    areas, count = np.full(values.shape, -1), 0
    for start in np.ndindex(values.shape):
        waiting = [start] if areas[start] < 0 else []
        while waiting:
            row, column = waiting.pop()
            areas[row, column] = count
            for near in ((row + 1, column), (row - 1, column), (row, column + 1), (row, column - 1)):
                inside = 0 <= near[0] < values.shape[0] and 0 <= near[1] < values.shape[1]
                if inside and areas[near] < 0 and values[near] == values[start]:
                    waiting.append(near)
        count = areas.max() + 1
    return areas


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (20, 31)])
def test_areas_are_those_of_a_flood_fill(shape: tuple[int, int]) -> None:
    values = np.random.default_rng(0).integers(0, 2, shape)
    assert np.array_equal(connected_areas(values), flooded(values))


def test_areas_are_numbered_by_size_and_specks_join_the_largest_beside_them() -> None:
    values = np.array([[1, 1, 1, 2], [1, 3, 1, 2], [4, 1, 1, 2]])
    assert by_size(connected_areas(values)).tolist() == [[1, 1, 1, 2], [1, 3, 1, 2], [4, 1, 1, 2]]
    assert without_specks(values, 2).tolist() == [[1, 1, 1, 2], [1, 1, 1, 2], [1, 1, 1, 2]]
    assert without_specks(values, 1).tolist() == values.tolist()
    objects = np.array([[0, 5, 2000]])
    assert instance_ids(np.array([[7, 7, 8]], np.int32), objects).tolist() == [[7, 7005, 8999]]


def test_a_palette_finds_separate_colours() -> None:
    rng = np.random.default_rng(0)
    centres = np.array([[10, 10, 10], [200, 30, 40], [60, 180, 90]], np.float32)
    colours = np.concatenate([each + rng.normal(0, 3, (50, 3)) for each in centres]).astype(np.float32)
    found = k_means(colours, np.ones(len(colours), np.float32), 3)
    order = nearest_colour(centres, found)
    assert sorted(order.tolist()) == [0, 1, 2]
    assert np.abs(found[order] - centres).max() < 3


def drawing(size: int) -> np.ndarray:
    """A red disc with a white hole on white, blended at its borders."""
    rows, columns = np.mgrid[:size, :size] - (size - 1) / 2
    radius = np.hypot(rows, columns)
    cover = np.clip(size * 0.4 - radius, 0, 1) * np.clip(radius - size * 0.15, 0, 1)
    return (255 - cover[..., None] * np.array([25, 205, 215])).astype(np.uint8)


def test_a_drawing_becomes_background_areas_and_no_blends() -> None:
    classes = emoji_labels.find_classes([drawing(32), drawing(48)])
    labels, instances = emoji_labels.label_map(drawing(40), classes)
    assert len(np.unique(labels)) == 3
    assert labels[0, 0] == 0
    assert labels[20, 20] not in (0, labels[20, 8])  # a hole is no background
    assert len(np.unique(instances)) == 3


def test_emoji_are_written_in_two_parts(tmp_path: Path) -> None:
    for split, count in (("train", 3), ("test", 2)):
        for number in range(count):
            for which in ("fluentflat", "fluent3d"):
                write_png(tmp_path / "emoji" / split / which / f"{number}.png", drawing(32 + number))
    emoji_labels.main([str(tmp_path / "emoji"), str(tmp_path / "out")])
    known = {each["id"] for each in tomllib.loads((tmp_path / "out/classes.toml").read_text())["class"]}
    for split, count in (("train", 3), ("test", 2)):
        names = sorted(path.name for path in (tmp_path / "out" / split / "labels").iterdir())
        assert len(names) == count
        for name in names:
            labels = read_map(tmp_path / "out" / split / "labels" / name).ids
            assert set(np.unique(labels)) <= known
            instances = read_map(tmp_path / "out" / split / "instances" / name).ids
            assert np.array_equal(np.where(instances < 1000, instances, instances // 1000), labels)


def test_tiles_of_the_two_parts_do_not_share_a_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"WIDTH": 360, "HEIGHT": 180, "MASK_WIDTH": 720, "MASK_HEIGHT": 360}.items():
        monkeypatch.setattr(satellite_labels, name, value)
    rng = np.random.default_rng(0)
    mask = rng.choice(3, (36, 72), p=(0.4, 0.5, 0.1)).repeat(10, 0).repeat(10, 1).astype(np.uint8)
    with zipfile.ZipFile(tmp_path / "world.whl", "w") as file:
        for name, size in (("bmng.jpg", (360, 180)), ("shadedrelief.jpg", (720, 360))):
            noise = rng.integers(0, 256, (size[1], size[0], 3)).astype(np.uint8)
            data = BytesIO()
            Image.fromarray(noise).save(data, "JPEG")
            file.writestr(satellite_labels.ROOT + name, data.getvalue())
        file.writestr(satellite_labels.ROOT + "lsmask_2.5min_f.bin", gzip.compress(mask.tobytes()))
    satellite_labels.main([str(tmp_path / "world.whl"), str(tmp_path / "out"), "--side", "16"])
    lefts = {
        split: {int(path.stem[5:]) for path in (tmp_path / "out" / split / "labels").iterdir()}
        for split in ("train", "test")
    }
    east, west = 180 + satellite_labels.EAST, 180 + satellite_labels.WEST
    assert lefts["test"]
    assert all(west <= left <= east - 16 for left in lefts["test"])
    assert lefts["train"]
    assert all(left + 16 <= west or left >= east for left in lefts["train"])
    left = max(lefts["train"])
    tile = next((tmp_path / "out/train/labels").glob(f"*-{left:04}.png"))
    top = int(tile.stem[:4])
    kinds = mask[::-1][::2, ::2][top : top + 16, left : left + 16]  # south first
    assert np.array_equal(read_map(tile).ids == 0, kinds == satellite_labels.SEA)
    assert np.array_equal(read_map(tile).ids == 1, kinds == satellite_labels.LAKE)
    assert read_image(tmp_path / "out/train/images" / tile.name).pixels.shape == (16, 16, 3)
