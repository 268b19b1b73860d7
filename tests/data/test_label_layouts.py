"""Layouts of label data: each is recognised, and its label maps, photos and instance maps are paired."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from i2icli.config import Config
from i2icli.data.kinds.label_maps import LabelMaps
from i2icli.data.labels.names import parts_of, scene_stem
from i2icli.data.options import DataOptions
from i2icli.errors import UserError
from i2icli.image.finding import collect
from i2icli.inference.other_inputs import inputs_in
from i2icli.inference.pairs import PairSearch
from i2icli.systems.spade.config import SPADEConfig
from i2icli.task import Port
from tests.data.kinds.label_files import (
    HEIGHT,
    WIDTH,
    coloured,
    instances_of,
    labels_of,
    palette_png,
    photo_of,
    save,
)

CONFIG = Config(crop_size=(HEIGHT, WIDTH), preprocess="resize", flip=False, holdout=0.0)


def opened(*folders: Path) -> LabelMaps:
    return LabelMaps(folders, DataOptions.of(CONFIG))


def scene(labels: Path, image: Path, number: int, instances: Path | None = None) -> None:
    """Write one scene; photos are written exactly, whatever their suffix."""
    save(labels, labels_of(number))
    save(image.with_name("photo.png"), photo_of(number)).rename(image)
    if instances is not None:
        save(instances, instances_of(number))


# -- builders: training scenes 0 and 1, validation scene 2 if there are splits ---------------


def beside(root: Path) -> None:
    for number in range(2):
        name = f"{number}.png"
        scene(root / "labels" / name, root / "images" / name, number, root / "instances" / name)


def splits_outside(root: Path) -> None:
    for split, number in (("train", 0), ("train", 1), ("val", 2)):
        name = f"{number}.png"
        scene(
            root / split / "masks" / name, root / split / "img" / name, number, root / split / "inst" / name
        )


def splits_inside(root: Path) -> None:
    for split, number in (("train", 0), ("train", 1), ("validation", 2)):
        scene(
            root / "annotations" / split / f"{number}.png", root / "images" / split / f"{number}.jpg", number
        )


def suffixed(root: Path) -> None:
    for split, number in (("train", 0), ("train", 1), ("test", 2)):
        label, image, instance = (
            root / f"{split}_{kind}" / f"{number}.png" for kind in ("label", "img", "inst")
        )
        scene(label, image, number, instance)


def cityscapes(root: Path) -> None:
    for split, town, number in (("train", "aachen", 0), ("train", "bochum", 1), ("val", "munster", 2)):
        stem = f"{split}/{town}/{town}_{number:06}_000019_"
        gt = root / "gtFine"
        scene(
            gt / f"{stem}gtFine_labelIds.png",
            root / "leftImg8bit" / f"{stem}leftImg8bit.png",
            number,
            gt / f"{stem}gtFine_instanceIds.png",
        )
        save(gt / f"{stem}gtFine_color.png", coloured(labels_of(number)))
        save(gt / f"{stem}gtFine_labelTrainIds.png", labels_of(0))
        (gt / f"{stem}gtFine_polygons.json").write_text("{}")


def ade20k(root: Path) -> None:
    for split, number in (("train", 0), ("train", 1), ("val", 2)):
        stem = root / "abbey" / f"ADE_{split}_{number:08}"
        scene(stem.with_suffix(".png"), stem.with_suffix(".jpg"), number)


def ade20k_benchmark(root: Path) -> None:
    for split, number in (("training", 0), ("training", 1), ("validation", 2)):
        name = f"{split}/ADE_{split[:5].removesuffix('i')}_{number:08}"
        scene(root / "annotations" / f"{name}.png", root / "images" / f"{name}.jpg", number)


def coco(root: Path) -> None:
    for split, number in (("train2017", 0), ("train2017", 1), ("val2017", 2)):
        stem = f"{split}/{number:012}"
        scene(root / "stuffthingmaps" / f"{stem}.png", root / f"{stem}.jpg", number)
    (root / "annotations").mkdir()
    (root / "annotations" / "instances_train2017.json").write_text("{}")


def camvid(root: Path) -> None:
    for number in range(2):
        stem = f"0001TP_{number:06}"
        save(root / "LabeledApproved_full" / f"{stem}_L.png", coloured(labels_of(number)))
        save(root / "701_StillsRaw_full" / f"{stem}.png", photo_of(number))


def segnet(root: Path) -> None:
    for split, number in (("train", 0), ("train", 1), ("val", 2)):
        scene(root / f"{split}annot" / f"{number}.png", root / split / f"{number}.png", number)


def voc(root: Path) -> None:
    for number in range(2):
        palette_png(root / "SegmentationClass" / f"{number}.png", labels_of(number))
        save(root / "SegmentationObject" / f"{number}.png", instances_of(number))
        save(root / "JPEGImages" / f"{number}.png", photo_of(number)).rename(
            root / "JPEGImages" / f"{number}.jpg"
        )


def facades(root: Path) -> None:
    for number in range(2):
        palette_png(root / f"cmp_b{number:04}.png", labels_of(number))
        save(root / f"photo{number}.png", photo_of(number)).rename(root / f"cmp_b{number:04}.jpg")
        (root / f"cmp_b{number:04}.xml").write_text("")


def masks_beside(root: Path) -> None:
    for split, number in (("train", 0), ("train", 1), ("valid", 2)):
        scene(root / split / f"{number}_mask.png", root / split / f"{number}.png", number)


def pairs(root: Path) -> None:
    for split, number in (("train", 0), ("train", 1), ("val", 2)):
        both = np.concatenate([photo_of(number), coloured(labels_of(number))], axis=1)
        save(root / split / f"{number}.png", both)


def two_domains(root: Path) -> None:
    for split, number in (("train", 0), ("train", 1), ("test", 2)):
        scene(root / f"{split}B" / f"{number}.png", root / f"{split}A" / f"{number}.png", number)


def unpacked(root: Path) -> None:
    beside(root / "rooms-1.0")


LAYOUTS: dict[Callable[[Path], None], tuple[bool, bool]] = {
    beside: (True, False),
    splits_outside: (True, True),
    splits_inside: (False, True),
    suffixed: (True, True),
    cityscapes: (True, True),
    ade20k: (False, True),
    ade20k_benchmark: (False, True),
    coco: (False, True),
    camvid: (False, False),
    segnet: (False, True),
    voc: (True, False),
    facades: (False, False),
    masks_beside: (False, True),
    pairs: (False, True),
    two_domains: (False, True),
    unpacked: (True, False),
}
"""Whether they have instance maps, whether they have a validation part."""


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts_are_recognised(layout: Callable[[Path], None], tmp_path: Path) -> None:
    layout(tmp_path)
    data = opened(tmp_path)
    instances, divided = LAYOUTS[layout]
    assert data.settings["instances"] == instances
    assert (len(data.train()), len(data.held_out)) == (2, int(divided))
    splits = [(data.train(), 0), (data.train(), 1)]
    validation = data.validation()
    splits += [(validation, 2)] if validation is not None else []
    for examples, number in splits:
        assert examples is not None
        example = examples.get(min(number, len(examples) - 1), None)
        shown = ((example["image"][:, 0, 0] + 1) * 127.5).round()
        assert shown.tolist() == [number] * 3
        classes = [each.colour for each in data.labels.classes]
        if layout in (pairs, camvid):
            colours = np.array(classes)[example["labels"][0]]
            np.testing.assert_array_equal(colours, coloured(labels_of(number)))
        else:
            ids = np.array([*(each.id for each in data.labels.classes), 0])[example["labels"][0]]
            np.testing.assert_array_equal(ids, labels_of(number))
        if instances:
            np.testing.assert_array_equal(example["instances"][0], instances_of(number))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_model_knows_the_photos_of_label_maps_again(layout: Callable[[Path], None], tmp_path: Path) -> None:
    layout(tmp_path)
    data = opened(tmp_path)
    found = {name: data.settings[name] for name in ("pair_names", "pair_aspects", "pair_found")}
    side = SPADEConfig(**found).label_side()
    search = PairSearch(side, Port(len(data.labels.classes), "labels", labels=data.labels))
    images = collect(tmp_path).images
    sources = search.sources(tmp_path, images, inputs_in(tmp_path, images, "labels"))
    search.find_halves(sources)
    scenes = [*data.scenes, *data.held_out]
    if layout is not pairs:
        assert {str(path) for path in sources} == {each.scene.labels.name for each in scenes}
    else:
        assert {each.name for each in search.halves.values()} == {each.scene.labels.name for each in scenes}
    truths = {each.name for each in search.truths.values()}
    assert truths == {each.scene.image.name for each in scenes}


@pytest.mark.parametrize(
    ("layout", "source", "first"),
    [
        (cityscapes, "cityscapes, by the names of the files", "unlabeled"),
        (coco, "coco-stuff, by the names of the files", "person"),
    ],
)
def test_data_sets_are_known_by_their_names(
    layout: Callable[[Path], None], source: str, first: str, tmp_path: Path
) -> None:
    layout(tmp_path)
    data = opened(tmp_path)
    assert data.labels.names[0] == first
    assert any(line.startswith("classes: ") and f"from {source} (" in line for line in data.report)


def test_a_known_name_does_not_make_other_ids_wrong(tmp_path: Path) -> None:
    facades(tmp_path)  # with id 0, which that data set does not have
    assert opened(tmp_path).labels.names[0] == "class 0"


@pytest.mark.parametrize("first", ["labels", "photos"])
@pytest.mark.parametrize("names", [("labels", "images"), ("left", "right")])
def test_two_folders_may_come_in_either_order(first: str, names: tuple[str, str], tmp_path: Path) -> None:
    for number in range(2):
        scene(tmp_path / names[0] / f"{number}.png", tmp_path / names[1] / f"{number}.png", number)
    folders = [tmp_path / name for name in names]
    data = opened(*(folders if first == "labels" else folders[::-1]))
    np.testing.assert_array_equal(data.train().get(1, None)["labels"][0], labels_of(1))
    assert data.report[0] == f"label maps in {folders[0]}, photos in {folders[1]}: 2 pairs"


def test_a_third_folder_holds_instance_maps_and_a_split_beside_is_found(tmp_path: Path) -> None:
    splits_outside(tmp_path)
    folders = [tmp_path / "train" / name for name in ("masks", "img", "inst")]
    data = opened(*folders)
    assert len(data.held_out) == 1
    np.testing.assert_array_equal(data.train().get(1, None)["instances"][0], instances_of(1))
    with pytest.raises(UserError, match="4 folders were given; expected one with labels/ and images/"):
        opened(*folders, tmp_path / "val" / "img")


def test_names_pair_without_the_endings_of_data_sets(tmp_path: Path) -> None:
    for name in ("0_label", "1_mask", "2-seg"):
        save(tmp_path / "labels" / f"{name}.png", labels_of())
    for name in ("0_leftImg8bit", "1", "2-seg"):
        save(tmp_path / "images" / "town" / f"{name}.png", photo_of())
    data = opened(tmp_path)
    assert len(data.train()) == 3


def test_what_has_no_counterpart_is_reported(tmp_path: Path) -> None:
    beside(tmp_path)
    save(tmp_path / "labels" / "alone.png", labels_of())
    save(tmp_path / "images" / "other.png", photo_of())
    report = opened(tmp_path).report
    assert f"skipped 1 label map of {tmp_path / 'labels'} without a photo, e.g. alone.png" in report
    assert f"skipped 1 photo of {tmp_path / 'images'} without a label map, e.g. other.png" in report


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("labels", ("", "labels")),
        ("Label Maps", ("", "labels")),
        ("train_label", ("train", "labels")),
        ("images_val", ("val", "images")),
        ("testannot", ("test", "labels")),
        ("train2017", ("train", None)),
        ("train_inst", ("train", "instances")),
        ("trainA", ("", None)),
        ("horse", ("", None)),
    ],
)
def test_names_of_folders(name: str, told: tuple[str, str | None]) -> None:
    assert parts_of(name) == told


@pytest.mark.parametrize(
    ("stem", "shared"),
    [
        ("a_gtFine_labelIds", "a"),
        ("a_labelTrainIds", "a"),
        ("a_leftImg8bit", "a"),
        ("a_segmentation", "a"),
        ("0001TP_1_L", "0001TP_1"),
        ("stereo_l", "stereo_l"),
        ("_mask", "_mask"),
        ("a_label_2", "a_label_2"),
    ],
)
def test_endings_of_names(stem: str, shared: str) -> None:
    assert scene_stem(stem) == shared


# -- what is refused -------------------------------------------------------------------------


def test_folders_without_label_maps_are_refused_in_a_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"found nothing; expected labels/ and images/ with the same"):
        opened(tmp_path)
    save(tmp_path / "photos" / "1.png", photo_of())
    with pytest.raises(UserError, match="expected labels/ and images/"):
        opened(tmp_path)
    save(tmp_path / "labels" / "2.png", labels_of())
    with pytest.raises(UserError, match=r"no names in common \(e\.g\. 2\.png and 1\.png\)"):
        opened(tmp_path)


def test_outlines_are_to_be_converted(tmp_path: Path) -> None:
    save(tmp_path / "images" / "1.png", photo_of())
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "1.json").write_text("{}")
    with pytest.raises(
        UserError, match=rf"found 1 \.json files but no images; .* i2i labels convert {tmp_path}"
    ):
        opened(tmp_path)


def test_instance_maps_are_not_taken_for_photos(tmp_path: Path) -> None:
    for number in range(2):
        save(tmp_path / "labels" / f"{number}.png", labels_of(number))
        save(tmp_path / "instances" / f"{number}.png", instances_of(number))
    with pytest.raises(UserError, match=r"but no photos; expected them in images/"):
        opened(tmp_path)


def test_two_folders_of_photos_are_refused(tmp_path: Path) -> None:
    for name in ("a", "b"):
        save(tmp_path / name / "1.png", photo_of())
    with pytest.raises(UserError, match=r"neither .*a nor .*b holds label maps: .* has too many colours"):
        opened(tmp_path / "a", tmp_path / "b")


def test_pairs_in_jpeg_are_refused_with_the_reason(tmp_path: Path) -> None:
    both = np.concatenate([coloured(labels_of()), photo_of()], axis=1)
    save(tmp_path / "train" / "1.jpg", both)
    with pytest.raises(UserError, match=r"neither half of the images in .* is a label map: .*JPEG is lossy"):
        opened(tmp_path)


def test_pairs_of_odd_width_are_skipped(tmp_path: Path) -> None:
    pairs(tmp_path)
    save(tmp_path / "train" / "9.png", photo_of()[:, :39])
    data = opened(tmp_path)
    assert len(data.train()) == 2
    assert any(line.startswith("skipped 1 image of odd width, e.g. ") for line in data.report)
