"""Label maps beside photos: encodings, classes found or given, what is checked when data are opened."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from i2icli import registry
from i2icli.classes import LabelClass, LabelSet
from i2icli.config import Config
from i2icli.data.examples import Examples
from i2icli.data.kinds.label_maps import LabelMaps
from i2icli.data.options import DataOptions
from i2icli.data.pairing.pair import PairChoice
from i2icli.errors import UserError
from i2icli.image import FileItem
from i2icli.image.kinds import array
from i2icli.pair_pattern import parse_pattern
from i2icli.stage import Shape
from i2icli.systems.spade.config import SPADEConfig
from i2icli.task import Port
from tests.data.kinds.label_files import (
    COLOURS,
    ENCODINGS,
    HEIGHT,
    WIDTH,
    coloured,
    instances_of,
    labels_of,
    palette_png,
    photo_of,
    save,
)

NAMES = ("sky", "road", "car", "tree", "pole")
CLASSES = tuple(LabelClass(*each) for each in zip(range(5), NAMES, COLOURS, strict=True))
GREYS = LabelSet(tuple(LabelClass(number, name) for number, name in enumerate(NAMES)))


def opened(*folders: Path, cache: int = 0, strict: bool = False, **more: Any) -> LabelMaps:
    """Every pixel as it is, nothing split off."""
    settings: dict[str, Any] = {"crop_size": (HEIGHT, WIDTH), "preprocess": "resize", "flip": False}
    config = Config(**(settings | {"holdout": 0.0} | more.pop("settings", {})))
    return LabelMaps(folders, DataOptions.of(config, strict=strict, cache_bytes=cache), **more)


def maps_of(examples: Examples) -> list[NDArray[np.int64]]:
    return [examples.get(index, None)["labels"][0].numpy() for index in range(len(examples))]


def rooms(folder: Path, count: int = 3, *, instances: bool = False, size: int = 1) -> Path:
    """labels/ and images/ of some scenes; size: how often each pixel of a photo is repeated."""
    for number in range(count):
        save(folder / "labels" / f"{number}.png", labels_of(number))
        save(folder / "images" / f"{number}.jpg", photo_of(number).repeat(size, 0).repeat(size, 1))
        if instances:
            save(folder / "instances" / f"{number}.png", instances_of(number))
    return folder


# -- what is read ----------------------------------------------------------------------------


def test_examples_hold_indices_photo_and_instances(tmp_path: Path) -> None:
    data = opened(rooms(tmp_path, instances=True))
    assert data.settings == {
        "learned_size": (24, 40),
        "classes": tuple(LabelClass(number, f"class {number}") for number in range(5)),
        "ignore": (),
        "dont_care": False,
        "instances": True,
        "channels": (3,),
        "types": ("uint8",),
        "pair_names": ("labels", "images"),
        "pair_aspects": (),
        "pair_found": None,
    }
    example = data.train().get(1, None)
    assert {name: (value.dtype, tuple(value.shape)) for name, value in example.items()} == {
        "labels": (torch.int64, (1, HEIGHT, WIDTH)),
        "image": (torch.float32, (3, HEIGHT, WIDTH)),
        "instances": (torch.int64, (1, HEIGHT, WIDTH)),
    }
    np.testing.assert_array_equal(example["labels"][0], labels_of(1))
    np.testing.assert_array_equal(example["instances"][0], instances_of(1))


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("cache", [0, 10**6])
def test_every_encoding_gives_the_same_map(encoding: str, cache: int, tmp_path: Path) -> None:
    """Trained on with the classes given, and translated, it is the same."""
    suffix, write = ENCODINGS[encoding]
    (tmp_path / "labels").mkdir()
    write(tmp_path / "labels" / f"0.{suffix}", labels_of())
    save(tmp_path / "images" / "0.png", photo_of())
    labels = GREYS if encoding == "grey in three channels" else LabelSet(CLASSES)
    data = opened(tmp_path, cache=cache, labels=labels)
    assert data.cached == bool(cache)
    np.testing.assert_array_equal(maps_of(data.train())[0], labels_of())
    read = array(FileItem(tmp_path / "labels" / f"0.{suffix}"), Port(5, "labels", labels=labels))
    np.testing.assert_array_equal(read[0, 0], labels_of())


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_classes_are_found_in_every_encoding(encoding: str, tmp_path: Path) -> None:
    suffix, write = ENCODINGS[encoding]
    (tmp_path / "labels").mkdir()
    write(tmp_path / "labels" / f"0.{suffix}", labels_of())
    save(tmp_path / "images" / "0.png", photo_of())
    found = opened(tmp_path)
    (indices,) = maps_of(found.train())
    classes = found.settings["classes"]
    assert len(classes) == 5
    if "colours" in encoding or "WebP" in encoding:  # numbered in an order of their own
        assert {each.colour for each in classes} == set(COLOURS)
        shown = np.array([each.colour for each in classes])[indices]
        np.testing.assert_array_equal(shown, coloured(labels_of()))
    else:
        np.testing.assert_array_equal(indices, labels_of())
        assert [each.colour for each in classes] == (COLOURS if "palette" in encoding else [None] * 5)


@pytest.mark.parametrize("kind", ["colours", "grey"])
def test_instance_maps_may_be_colours(kind: str, tmp_path: Path) -> None:
    rooms(tmp_path, 1)
    ids = instances_of()
    packed = np.stack([ids & 255, ids >> 8, np.full_like(ids, 1)], -1).astype(np.uint8)
    save(tmp_path / "instances" / "0.png", packed if kind == "colours" else ids)
    (example,) = (opened(tmp_path).train().get(0, None),)
    expected = ids.astype(np.int64) + (65536 if kind == "colours" else 0)
    np.testing.assert_array_equal(example["instances"][0], expected)


def test_a_class_of_one_pixel_is_kept_or_gone_but_never_mixed(tmp_path: Path) -> None:
    rooms(tmp_path)
    for size in ((24, 80), (12, 20), (17, 23), (48, 33)):
        config = {"crop_size": size}
        for index, indices in enumerate(maps_of(opened(tmp_path, settings=config).train())):
            assert set(np.unique(indices)) <= set(range(5))
            if size[1] == 80:
                np.testing.assert_array_equal(indices, labels_of(index).repeat(2, 1))


def test_maps_are_cropped_and_flipped_as_their_photo(tmp_path: Path) -> None:
    """The photo shows the class of each pixel as a grey."""
    for number in range(2):
        save(tmp_path / "labels" / f"{number}.png", labels_of(number))
        save(tmp_path / "images" / f"{number}.png", labels_of(number) * 50)
        save(tmp_path / "instances" / f"{number}.png", instances_of(number) // 1000)
    config = {"crop_size": (16, 20), "preprocess": "crop", "flip": True}
    for cache in (0, 10**6):
        examples = opened(tmp_path, cache=cache, settings=config).train()
        for seed in range(6):
            example = examples.get(seed % 2, np.random.default_rng(seed))
            shown = ((example["image"] + 1) * 127.5 / 50).round().long()
            assert torch.equal(shown, example["labels"])
            assert torch.equal(shown, example["instances"])


def test_what_is_kept_of_the_survey_is_what_would_be_read(tmp_path: Path) -> None:
    rooms(tmp_path, 8)
    config = {"crop_size": (16, 16), "preprocess": "resize-and-crop", "holdout": 0.3}
    kept, read = (opened(tmp_path, cache=cache, settings=config) for cache in (10**6, 0))
    for resolution in (None, 8):
        for one, two in (
            (kept.train(Shape(resolution)), read.train(Shape(resolution))),
            (kept.validation(Shape(resolution)), read.validation(Shape(resolution))),
        ):
            assert one is not None
            assert two is not None
            np.testing.assert_array_equal(maps_of(one), maps_of(two))


# -- what is unlabelled ----------------------------------------------------------------------


def test_ignored_ids_become_the_dont_care_class(tmp_path: Path) -> None:
    labels = labels_of() + 3
    labels[:3] = 255
    save(tmp_path / "labels" / "0.png", labels)
    save(tmp_path / "images" / "0.png", photo_of())
    known = LabelSet(tuple(LabelClass(number, f"c{number}") for number in (7, 6, 5, 4)), ignored=(3, 255))
    data = opened(tmp_path, labels=known)
    assert data.settings["dont_care"]
    assert data.labels.count == 5
    expected = np.select([labels == 7, labels == 6, labels == 5, labels == 4], [0, 1, 2, 3], 4)
    np.testing.assert_array_equal(maps_of(data.train())[0], expected)
    share = f"{np.isin(labels, (3, 255)).mean():.1%}"
    assert f"unlabelled (3, 255): {share} of the pixels; learned as a class of its own" in data.report


def test_ignored_classes_are_named_by_id_or_name(tmp_path: Path) -> None:
    rooms(tmp_path)
    data = opened(tmp_path, ignored=("0", "class 3"))
    assert data.labels.names == ("class 1", "class 2", "class 4")
    assert data.settings["ignore"] == ("0", "class 3")
    assert data.settings["dont_care"]


def test_255_is_unlabelled_but_in_masks_of_two_values(tmp_path: Path) -> None:
    save(tmp_path / "images" / "0.png", photo_of())
    save(tmp_path / "labels" / "0.png", np.where(labels_of() == 2, 255, 0).astype(np.uint8))
    data = opened(tmp_path)
    assert [each.id for each in data.settings["classes"]] == [0, 255]
    assert not data.settings["dont_care"]
    save(tmp_path / "labels" / "0.png", np.where(labels_of() == 2, 255, labels_of()).astype(np.uint8))
    data = opened(tmp_path)
    assert [each.id for each in data.settings["classes"]] == [0, 1, 3, 4]
    assert data.settings["dont_care"]


def test_negative_ids_are_unlabelled(tmp_path: Path) -> None:
    (tmp_path / "labels").mkdir()
    np.save(tmp_path / "labels" / "0.npy", labels_of().astype(np.int16) - 1)
    save(tmp_path / "images" / "0.png", photo_of())
    data = opened(tmp_path)
    assert data.settings["ignore"] == ("-1",)
    assert [each.id for each in data.settings["classes"]] == [0, 1, 2, 3]


# -- classes from files ----------------------------------------------------------------------


def test_a_file_of_classes_near_the_maps_is_read(tmp_path: Path) -> None:
    rooms(tmp_path)
    rows = "".join(f"{number},{name}\n" for number, name in enumerate(NAMES))
    (tmp_path / "classes.csv").write_text("id,name\n" + rows, encoding="utf-8")
    data = opened(tmp_path)
    assert data.labels.names == NAMES
    assert any(f"from {tmp_path / 'classes.csv'}" in line for line in data.report)
    (tmp_path / "labels" / "classes.toml").write_text(
        'ignore = [4]\nclass = [{ name = "a" }, { name = "b" }, { name = "c" }, { name = "d" }]',
        encoding="utf-8",
    )
    nearer = opened(tmp_path / "labels", tmp_path / "images")
    assert nearer.labels.names == ("a", "b", "c", "d")
    assert nearer.settings["ignore"] == ("4",)


# -- what is reported ------------------------------------------------------------------------


def test_the_report_says_what_the_classes_are_and_which_never_occur(tmp_path: Path) -> None:
    rooms(tmp_path, 2)
    save(tmp_path / "val" / "labels" / "9.png", np.full((HEIGHT, WIDTH), 5, np.uint8))
    save(tmp_path / "val" / "images" / "9.png", photo_of(9))
    for name in ("labels", "images"):
        (tmp_path / "train").mkdir(exist_ok=True)
        (tmp_path / name).rename(tmp_path / "train" / name)
    known = LabelSet((*GREYS.classes, LabelClass(5, "boat"), LabelClass(6, "train")))
    data = opened(tmp_path, labels=known)
    (line,) = [line for line in data.report if line.startswith("classes: ")]
    assert line.startswith("classes: 7 as given (sky, road, car, tree, pole, boat, train); most: ")
    assert re.search(r"most: sky \d\d%, road \d\d%, tree 1\d%$", line)
    assert "classes that never occur: train" in data.report
    assert "classes that are not learned, as they only occur in validation: boat" in data.report


def test_maps_of_another_size_are_brought_to_their_photo(tmp_path: Path) -> None:
    data = opened(rooms(tmp_path, size=2))
    (line,) = [line for line in data.report if "another size" in line]
    assert line.startswith("3 label maps of another size than the photo (e.g. ")
    assert "40x24, photo 80x48" in line
    assert "shape" not in line
    np.testing.assert_array_equal(maps_of(data.train())[0], labels_of())
    save(tmp_path / "labels" / "1.png", labels_of()[:, :20])
    assert any(line.endswith("; 1 of another shape, too") for line in opened(tmp_path).report)


@pytest.mark.parametrize("cache", [0, 10**6])
@pytest.mark.parametrize("orientation", [5, 6, 7, 8])
def test_maps_are_turned_as_exif_turns_their_photo(orientation: int, cache: int, tmp_path: Path) -> None:
    """The sensor's pixels show the classes; a map was drawn on them, another on the upright photo."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    shown = labels_of() * 50
    for name in ("as-shot", "upright"):
        save(tmp_path / "images" / f"{name}.png", shown, exif=exif)
    upright = FileItem(tmp_path / "images" / "upright.png").read().pixels[..., 0] // 50
    save(tmp_path / "labels" / "as-shot.png", labels_of())
    save(tmp_path / "labels" / "upright.png", upright)
    data = opened(tmp_path, cache=cache, settings={"crop_size": (WIDTH, HEIGHT)})
    for indices in maps_of(data.train()):
        np.testing.assert_array_equal(indices, upright)
    assert not any("another size" in line for line in data.report)


def test_broken_maps_are_skipped_or_refused(tmp_path: Path) -> None:
    rooms(tmp_path)
    (tmp_path / "labels" / "1.png").write_bytes(b"nothing")
    data = opened(tmp_path)
    assert len(data.train()) == 2
    complaint = r"skipped 1 label map that cannot be read: .*1\.png: not an image"
    assert any(re.match(complaint, line) for line in data.report)
    with pytest.raises(UserError, match=r"1\.png: not an image"):
        opened(tmp_path, strict=True)


def test_maps_that_were_compressed_are_reported_even_if_all_ids_are_classes(tmp_path: Path) -> None:
    rooms(tmp_path)
    known = LabelSet(tuple(LabelClass(number, f"c{number}") for number in range(256)), ignored=())
    assert not any("along borders" in line for line in opened(tmp_path, labels=known).report)
    for number in range(3):
        save(tmp_path / "photo.jpg", labels_of(number) * 30, quality=90)
        Image.open(tmp_path / "photo.jpg").save(tmp_path / "labels" / f"{number}.png")
    assert any("along borders" in line for line in opened(tmp_path, labels=known).report)


def test_a_survey_that_takes_long_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rooms(tmp_path)
    monkeypatch.setattr("i2icli.data.kinds.label_maps._LONG", -1)
    assert "3 label maps read to check them, in 0 s" in opened(tmp_path).report


def test_instances_are_read_where_most_have_them(tmp_path: Path) -> None:
    rooms(tmp_path, instances=True)
    (tmp_path / "instances" / "0.png").unlink()
    data = opened(tmp_path)
    assert data.settings["instances"]
    assert len(data.train()) == 2
    assert "skipped 1 pair without an instance map" in data.report
    without = opened(tmp_path, instances=False)
    assert len(without.train()) == 3
    assert "instances" not in without.train().get(0, None)
    (tmp_path / "instances" / "1.png").unlink()
    data = opened(tmp_path)
    assert not data.settings["instances"]
    assert "instance maps are not read: 2 pairs of 3 without" in data.report
    assert len(opened(tmp_path, instances=True).train()) == 1


# -- what is refused -------------------------------------------------------------------------


def smoothed(labels: NDArray[np.uint8], kind: str) -> NDArray[np.uint8]:
    """A map as programs spoil it."""
    image = Image.fromarray(coloured(labels) if kind == "colours" else labels * 40)
    big = image.resize((WIDTH * 3, HEIGHT * 3), Image.Resampling.BILINEAR)
    return np.asarray(big)


@pytest.mark.parametrize(
    ("labels", "known", "complaint"),
    [
        (
            np.where(labels_of() == 4, 9, labels_of()),
            GREYS,
            r"0\.png: id 9 at pixel \(30, 0\) is none of the 5 classes' \(0 to 4\); 2\.50% of the pixels "
            r"have none; correct the map, or train with it in --classes or --ignore$",
        ),
        (
            np.where(labels_of()[..., None] == 4, 9, coloured(labels_of())),
            LabelSet(CLASSES),
            r"0\.png: colour #090909 at pixel \(30, 0\) is none of the 5 classes' \(such as 0 sky #4682b4, "
            r"1 road #804080\); 2\.50% of the pixels have none; correct the map, or train with it in "
            r"--classes$",
        ),
        (
            smoothed(labels_of(), "colours"),
            LabelSet(CLASSES),
            r"0\.png: colour #\w{6} at .*; \d+ such colours look smoothed, resized or compressed; save it "
            r"without$",
        ),
        (
            coloured(labels_of()),
            GREYS,
            r"0\.png: colour #4682b4 at pixel \(0, 0\) .* \(0 to 4, without colours\); .*; use ids \(a "
            r"palette or greyscale PNG\), or train with colours in --classes$",
        ),
        (
            smoothed(labels_of(), "ids"),
            None,
            r"labels: \d+% of the pixels along borders differ from those on both sides, such as \(.*\) of "
            r".*0\.png: label maps that were smoothed, resized or compressed hold wrong ids there; save them "
            r"without that, or give --classes$",
        ),
        (
            smoothed(labels_of(), "colours"),
            None,
            r"labels: \d+% of the pixels along borders differ from those on both sides",
        ),
        (
            photo_of(),
            None,
            r"labels: its label maps hold \d+ different colours, e\.g\. .*0\.png; classes are 256 at most: "
            r"are they photos or instance maps, or smoothed, resized or compressed\?$",
        ),
        (np.full((9, 9), 255), None, r"its label maps hold no classes but unlabelled pixels \(255\)$"),
    ],
)  # fmt: skip
def test_maps_that_do_not_fit_are_refused_in_a_line(
    labels: NDArray[Any], known: LabelSet | None, complaint: str, tmp_path: Path
) -> None:
    save(tmp_path / "labels" / "0.png", labels.astype(np.uint8))
    save(tmp_path / "images" / "0.jpg", photo_of())
    with pytest.raises(UserError, match=complaint) as refused:
        opened(tmp_path, labels=known)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("suffix", ["jpg", "webp"])
def test_lossy_maps_are_refused_with_the_reason(suffix: str, tmp_path: Path) -> None:
    for number in range(2):
        save(tmp_path / "labels" / f"{number}.{suffix}", labels_of(number))
        save(tmp_path / "images" / f"{number}.png", photo_of(number))
    with pytest.raises(UserError, match=r"none of the 2 label maps can be read: .*0\.\w+: \w+ is lossy"):
        opened(tmp_path)


def test_colours_and_ids_do_not_mix_unless_classes_say_what_they_are(tmp_path: Path) -> None:
    rooms(tmp_path, 2)
    save(tmp_path / "labels" / "1.png", coloured(labels_of(1)))
    with pytest.raises(UserError, match=r"1\.png holds colours, .*0\.png ids; give --classes"):
        opened(tmp_path)
    maps = maps_of(opened(tmp_path, labels=LabelSet(CLASSES)).train())
    np.testing.assert_array_equal(maps, [labels_of(0), labels_of(1)])


def test_instances_that_are_wanted_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"--instances: .*0\.png and the other label maps have no"):
        opened(rooms(tmp_path), instances=True)


def test_a_palette_with_the_same_colour_twice_keeps_the_classes_apart(tmp_path: Path) -> None:
    labels = labels_of()
    palette_png(tmp_path / "labels" / "0.png", labels)
    image = Image.open(tmp_path / "labels" / "0.png")
    image.putpalette([9, 9, 9] * 5)
    image.save(tmp_path / "labels" / "0.png")
    save(tmp_path / "images" / "0.png", photo_of())
    data = opened(tmp_path)
    np.testing.assert_array_equal(maps_of(data.train())[0], labels)
    assert [each.colour for each in data.settings["classes"]] == [(9, 9, 9), None, None, None, None]


# -- pairs that are told ---------------------------------------------------------------------


def mixed(folder: Path, label: str, photo: str, count: int = 4) -> Path:
    for number in range(count):
        save(folder / label.format(number), labels_of(number % 3))
        save(folder / photo.format(number), photo_of(number % 3))
    return folder


@pytest.mark.parametrize(
    ("label", "photo", "pair"),
    [
        ("{}_A.png", "{}_B.png", None),
        ("{}_photo_x.png", "{}_drawn.png", None),
        ("x_{}_1.png", "x_{}_2.png", "x_{}_1.png:x_{}_2.png"),
        ("one/{}.png", "two/{}_p.png", "two/{}_p.png:one/{}.png"),
    ],
)
def test_label_maps_and_photos_by_their_names(
    tmp_path: Path, label: str, photo: str, pair: str | None
) -> None:
    choice = PairChoice(parse_pattern(pair)) if pair else PairChoice()
    data = opened(mixed(tmp_path, label, photo), choice=choice)
    assert len(data.scenes) == 4
    for number, indices in enumerate(maps_of(data.train())):
        np.testing.assert_array_equal(indices, labels_of(number % 3))
    assert any("--pair" in line or pair is None for line in data.report)
    config = SPADEConfig(crop_size=64, pair=pair)
    assert (
        len(registry.system_type("spade").open_data([tmp_path], DataOptions.of(config), config).train()) == 4
    )


def test_label_maps_and_photos_of_a_list(tmp_path: Path) -> None:
    mixed(tmp_path, "m/{}.png", "p/{}_x.png")
    rows = ["photo,mask,split", *(f"p/{number}_x.png,m/{number}.png," for number in range(3))]
    (tmp_path / "list.csv").write_text("\n".join([*rows, "p/3_x.png,m/3.png,val"]))
    data = opened(tmp_path / "list.csv")
    assert (len(data.scenes), len(data.held_out)) == (3, 1)
    np.testing.assert_array_equal(maps_of(data.train())[1], labels_of(1))
    assert "label maps B" in data.report[0]


def test_maps_on_their_side_are_refused(tmp_path: Path) -> None:
    rooms(tmp_path)
    save(tmp_path / "labels" / "1.png", labels_of(1).T)
    with pytest.raises(UserError, match=r"1\.png has 24x40 pixels, its photo .* lies on its side"):
        opened(tmp_path)
    save(tmp_path / "labels" / "1.png", labels_of(1).T[::2, ::2])
    with pytest.raises(UserError, match=r"1\.png has 12x20 pixels, its photo .* lies on its side"):
        opened(tmp_path)
