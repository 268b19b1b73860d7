"""Ten formats of annotations, one truth; what is written, and what is refused."""

import json
import tomllib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from i2icli.class_files import ClassList, classes_in
from i2icli.classes import LabelClass
from i2icli.errors import UserError
from i2icli.image import read_map
from i2icli.labels.convert import Conversion, Converted, check_out, distinct
from i2icli.labels.given_classes import with_classes
from i2icli.labels.names import Photos, result_name
from i2icli.labels.recognise import FORMATS, Source, recognise
from tests.labels import encodings

RECOGNISED = [name for name in FORMATS if name not in ("mapillary", "kitti", "bdd100k")]


def converted(path: Path, out: Path, format: str | None = None, **more: Path) -> list[Converted]:
    source = Source(path, more.get("images"))
    annotations = FORMATS[format or recognise(source)].open(source)
    return list(Conversion(annotations, out, source.photos if more else None))


@pytest.mark.parametrize("name", FORMATS)
def test_all_formats_give_the_same_maps(name, tmp_path):
    write, shift = encodings.WRITERS[name]
    write(tmp_path / "in")
    (result,) = converted(tmp_path / "in", tmp_path / "out", name)
    assert result.error is None
    ids, objects = encodings.truth()
    labels = read_map(tmp_path / "out" / "labels" / "scene.png").ids
    assert np.array_equal(labels, np.where(ids == 0, 255, ids + shift))
    instances = read_map(tmp_path / "out" / "instances" / "scene.png").ids
    for number in range(1, len(encodings.SHAPES) + 1):
        (there,) = np.unique(instances[objects == number])  # one number, and nothing else has it
        assert np.array_equal(instances == there, objects == number)
        assert there
    content = tomllib.loads((tmp_path / "out" / "classes.toml").read_text())
    assert content["ignore"] == [255]
    names = {each["id"] - shift: each["name"] for each in content["class"]}
    assert len({each["colour"] for each in content["class"]}) == len(names)
    if name in ("cityscapes", "kitti"):
        assert (len(names), names[7]) == (34, "road")
    else:
        known = name not in ("voc", "mapillary", "bdd100k")
        assert names == (encodings.NAMES if known else {1: "1", 2: "2", 3: "3"})


@pytest.mark.parametrize("name", RECOGNISED)
def test_formats_are_recognised_by_their_content(name, tmp_path):
    encodings.WRITERS[name][0](tmp_path / "in")
    assert recognise(Source(tmp_path / "in")) == name


def test_a_single_file_is_enough(tmp_path):
    encodings.coco_panoptic(tmp_path)
    assert [each.error for each in converted(tmp_path / "panoptic.json", tmp_path / "out")] == [None]
    encodings.voc(tmp_path / "voc")
    assert [each.error for each in converted(tmp_path / "voc" / "SegmentationClass", tmp_path / "o")] == [
        None
    ]


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (encodings.by_256, r"cityscapes .*, mapillary or kitti .*; say which with --from"),
        (encodings.bdd100k, "add --from bdd100k"),
        (lambda at: encodings.write_photo(at / "a.png"), "label maps need no conversion"),
        (
            lambda at: encodings.write_photo(at / "a.jpg"),
            r"nothing in it is known: a\.jpg; expected .*labelme",
        ),
        (
            lambda at: encodings.write_json(at / "a.json", {"keypoints": []}),
            "in holds keypoints; expected",
        ),
        (lambda at: encodings.write_json(at / "a.json", [1]), "the file is a list of 1; expected an object"),
    ],
)
def test_what_is_not_recognised_is_one_line(write, message, tmp_path):
    write(tmp_path / "in")
    with pytest.raises(UserError, match=message):
        recognise(Source(tmp_path / "in"))


def test_of_several_files_of_coco_one_must_be_given(tmp_path):
    encodings.coco(tmp_path)
    encodings.write_json(tmp_path / "instances_val.json", {})
    with pytest.raises(UserError, match=r"holds 2 JSON files \(instances.json, instances_val.json\)"):
        converted(tmp_path, tmp_path / "out", "coco")


def test_colours_of_the_palette_are_those_of_the_classes(tmp_path):
    encodings.cvat(tmp_path / "in")
    converted(tmp_path / "in", tmp_path / "out")
    image = Image.open(tmp_path / "out" / "labels" / "scene.png")
    assert image.mode == "P"
    assert np.array_equal(np.asarray(image.convert("RGB"))[20, 5], encodings.COLOURS[1])


def test_ids_beyond_8_bit_are_written_in_16(tmp_path):
    encodings.coco(tmp_path)
    path = tmp_path / "instances.json"
    content = json.loads(path.read_text())
    content["categories"][0]["id"] = 1203
    for annotation in content["annotations"]:
        if annotation["category_id"] == 1:
            annotation["category_id"] = 1203
    encodings.write_json(path, content)
    converted(path, tmp_path / "out")
    labels = read_map(tmp_path / "out" / "labels" / "scene.png").ids
    assert set(np.unique(labels)) == {2, 3, 1203, 65535}
    assert tomllib.loads((tmp_path / "out" / "classes.toml").read_text())["ignore"] == [65535]


def test_crowds_have_no_number_and_lie_behind(tmp_path):
    square = [[0, 0, 20, 0, 20, 20, 0, 20]]
    small = [[5, 5, 8, 5, 8, 8, 5, 8]]
    annotations = [
        {"image_id": "a", "category_id": 1, "segmentation": small, "iscrowd": 0},
        {"image_id": "a", "category_id": 1, "segmentation": square, "iscrowd": 1},
        {"image_id": "a", "category_id": 1, "bbox": [1, 2, 3, 4]},
        {"image_id": "b", "category_id": 1, "segmentation": small},
    ]
    image = {"id": "a", "file_name": "a.jpg", "height": 20, "width": 20}
    content = {"images": [image], "annotations": annotations, "categories": [{"id": 1, "name": "person"}]}
    source = Source(encodings.write_json(tmp_path / "in.json", content))
    annotations = FORMATS["coco"].open(source)
    assert annotations.notes == ("1 annotation of images that the file does not list",)
    conversion = Conversion(annotations, tmp_path / "out")
    assert [each.error for each in conversion] == [None]
    assert conversion.left_out == {"boxes without an outline": 1}
    instances = read_map(tmp_path / "out" / "instances" / "a.png").ids
    assert (instances[5:8, 5:8] == 1).all()
    assert instances.sum() == 9


def test_labelme_circles_groups_and_shapes_without_an_area(tmp_path):
    circle = {"label": "Wheel", "points": [[10, 10], [10, 5]], "shape_type": "circle", "group_id": 4}
    shapes = [
        circle,
        circle | {"points": [[30, 10], [30, 5]]},
        circle | {"points": [[20, 20], [20, 18]], "group_id": None},
        {"label": "Wheel", "points": [[1, 1]], "shape_type": "point"},
        {"label": "__ignore__", "points": [[0, 9], [40, 9], [40, 11], [0, 11]]},
    ]
    encodings.write_json(tmp_path / "in" / "a" / "x.json", {"shapes": shapes})
    encodings.write_photo(tmp_path / "photos" / "x.png")  # its size is nowhere else
    assert "add --images" in str(converted(tmp_path / "in", tmp_path / "out")[0].error)
    converted(tmp_path / "in", tmp_path / "out", images=tmp_path / "photos")
    labels = read_map(tmp_path / "out" / "labels" / "a" / "x.png").ids
    assert set(np.unique(labels)) == {0, 255}
    assert (labels[9:11] == 255).all()
    instances = read_map(tmp_path / "out" / "instances" / "a" / "x.png").ids
    assert instances[7, 10] == instances[7, 30] == 1
    assert instances[20, 20] == 2
    assert abs((instances == 2).sum() - np.pi * 4) < 2


def test_photos_are_linked_beside_the_maps_only_if_wanted(tmp_path):
    encodings.yolo(tmp_path / "in")
    converted(tmp_path / "in", tmp_path / "without")
    assert not (tmp_path / "without" / "images").exists()
    converted(tmp_path / "in", tmp_path / "with", images=tmp_path / "in")
    photo = tmp_path / "with" / "images" / "scene.jpg"
    assert photo.read_bytes() == (tmp_path / "in" / "images" / "scene.jpg").read_bytes()


def test_photos_that_lie_where_they_belong_stay(tmp_path):
    encodings.yolo(tmp_path / "in")
    photos = tmp_path / "out" / "images"
    photos.parent.mkdir()
    (tmp_path / "in" / "images").rename(photos)
    photos.joinpath("scene.jpg").chmod(0o444)
    before = (photos / "scene.jpg").read_bytes()
    check_out(tmp_path / "in", tmp_path / "out", photos, overwrite=False)
    assert [each.error for each in converted(tmp_path / "in", tmp_path / "out", images=photos)] == [None]
    assert (photos / "scene.jpg").read_bytes() == before
    (tmp_path / "again" / "images").mkdir(parents=True)
    with pytest.raises(UserError, match="images exists already"):
        check_out(tmp_path / "in", tmp_path / "again", photos, overwrite=False)


def test_photos_of_cityscapes_are_found_by_the_names_of_their_maps(tmp_path):
    encodings.write_photo(tmp_path / "bonn" / "bonn_1_leftImg8bit.png")
    encodings.write_photo(tmp_path / "x" / "twice.png")
    encodings.write_photo(tmp_path / "y" / "twice.png")
    photos = Photos([tmp_path])
    assert photos.find("bonn/bonn_1") == tmp_path / "bonn" / "bonn_1_leftImg8bit.png"
    assert photos.find("y/twice") == tmp_path / "y" / "twice.png"
    assert photos.find("twice") is None


@pytest.mark.parametrize(
    "name", ["../../x.jpg", "/etc/x.jpg", "..\\x.jpg", "C:\\x.jpg", "a/../../x", "", "a\0b", "x" * 300]
)
def test_no_name_leads_outside_of_the_folder(name, tmp_path):
    with pytest.raises(UserError, match="is no path below a folder"):
        result_name(name)
    encodings.coco(tmp_path)
    path = tmp_path / "instances.json"
    content = json.loads(path.read_text())
    content["images"].append(content["images"][0] | {"file_name": name, "id": 8})
    encodings.write_json(path, content)
    results = converted(path, tmp_path / "deep" / "out")
    assert [each.error is None for each in results] == [False, True]
    written = {file.name for file in (tmp_path / "deep").rglob("*") if file.is_file()}
    assert written == {"scene.png", "classes.toml"}


@pytest.mark.parametrize(
    ("given", "made"),
    [("a/b.c.jpg", "a/b.c"), ("./a.PNG", "a"), ("v1.2/frame", "v1.2/frame"), ("x.y", "x.y")],
)
def test_names_of_results(given, made):
    assert result_name(given) == made


def test_two_images_of_one_name_do_not_replace_each_other(tmp_path):
    encodings.coco(tmp_path)
    path = tmp_path / "instances.json"
    content = json.loads(path.read_text())
    content["images"].append(content["images"][0] | {"file_name": "Scene.png", "id": 8})
    encodings.write_json(path, content)
    first, second = converted(path, tmp_path / "out")
    assert first.error is None
    assert second.error == "its result has the name of that of scene.jpg: Scene"


def test_nothing_that_exists_is_replaced_unasked(tmp_path):
    (tmp_path / "labels").mkdir()
    with pytest.raises(UserError, match="labels exists already; choose another --out, or add --overwrite"):
        check_out(Path("annotations"), tmp_path, None, overwrite=False)
    check_out(Path("annotations"), tmp_path, None, overwrite=True)
    check_out(Path("annotations"), tmp_path / "new", None, overwrite=False)
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="is a file"):
        check_out(Path("annotations"), tmp_path / "file", None, overwrite=True)


def test_classes_of_one_name_are_told_apart_and_of_one_id_refused():
    classes = (LabelClass(3, "car"), LabelClass(9, "Car"))
    assert [each.name for each in distinct(classes)] == ["car", "Car (9)"]
    with pytest.raises(UserError, match="two classes have the id 3"):
        distinct((*classes, LabelClass(3, "tree")))


def test_given_classes_decide_ids_names_and_colours(tmp_path):
    given = ClassList((LabelClass(9, "Road", (1, 2, 3)), LabelClass(4, "car")), ("car",))
    for name, write in (("a", encodings.labelme), ("b", encodings.coco)):
        write(tmp_path / name)
        source = Source(tmp_path / name)
        annotations = with_classes(FORMATS[recognise(source)].open(source), given)
        assert annotations.notes == ("not in --classes, so unlabelled: tree",)
        assert [each.error for each in Conversion(annotations, tmp_path / f"{name}-out")] == [None]
    first, second = (read_map(tmp_path / f"{name}-out" / "labels" / "scene.png").ids for name in "ab")
    ids, _ = encodings.truth()
    assert np.array_equal(first, np.choose(ids, [255, 4, 9, 255]))
    assert np.array_equal(first, second)
    written = classes_in(tmp_path / "a-out" / "classes.toml")
    assert written.ignore == ("255", "car")
    assert written.classes[0] == given.classes[0]


def test_given_classes_name_ids(tmp_path):
    encodings.voc(tmp_path)
    given = ClassList(tuple(LabelClass(number, name) for number, name in encodings.NAMES.items()))
    annotations = with_classes(FORMATS["voc"].open(Source(tmp_path)), given)
    assert [each.error for each in Conversion(annotations, tmp_path / "out")] == [None]
    assert [each.name for each in classes_in(tmp_path / "out" / "classes.toml").classes] == [
        "car",
        "road",
        "tree",
    ]


def test_given_ids_that_are_not_listed_become_unlabelled_and_are_said(tmp_path):
    encodings.voc(tmp_path / "in")
    given = ClassList((LabelClass(1, "car"), LabelClass(2, "road")))
    annotations = with_classes(FORMATS["voc"].open(Source(tmp_path / "in")), given)
    conversion = Conversion(annotations, tmp_path / "out")
    assert [each.error for each in conversion] == [None]
    assert dict(conversion.left_out) == {"maps' class 3, which --classes lacks": 1}
    ids, _ = encodings.truth()
    assert ((read_map(tmp_path / "out" / "labels" / "scene.png").ids == 255) == np.isin(ids, (0, 3))).all()


def test_what_is_read_is_never_replaced(tmp_path):
    (tmp_path / "instances").mkdir()
    for source in (tmp_path, tmp_path / "instances", tmp_path / "a.json"):
        with pytest.raises(UserError, match="lies in it, which results could replace"):
            check_out(source, tmp_path, None, overwrite=True)


def test_links_to_photos_are_links_to_the_files_themselves(tmp_path):
    encodings.yolo(tmp_path / "in")
    photo = tmp_path / "in" / "images" / "scene.jpg"
    photo.rename(tmp_path / "elsewhere.jpg")
    photo.symlink_to("../../elsewhere.jpg")
    converted(tmp_path / "in", tmp_path / "out", images=tmp_path / "in")
    linked = tmp_path / "out" / "images" / "scene.jpg"
    assert linked.read_bytes() == (tmp_path / "elsewhere.jpg").read_bytes()


def test_a_result_that_cannot_be_written_stops_no_other(tmp_path):
    encodings.labelme(tmp_path / "in")
    shape = {"label": "road", "points": [[0, 0], [3, 3]], "shape_type": "rectangle"}
    content = {"shapes": [shape], "imageHeight": 5, "imageWidth": 5}
    encodings.write_json(tmp_path / "in" / "scene.png" / "below.json", content)
    (tmp_path / "out" / "labels" / "scene.png").mkdir(parents=True)  # where a map is to be
    results = {Path(each.source).name: each.error for each in converted(tmp_path / "in", tmp_path / "out")}
    assert "cannot be written" in str(results["scene.json"])
    assert results["below.json"] is None
    assert (tmp_path / "out" / "classes.toml").exists()


def test_results_of_an_earlier_conversion_are_counted(tmp_path):
    encodings.voc(tmp_path / "in")
    (tmp_path / "out" / "labels").mkdir(parents=True)
    (tmp_path / "out" / "labels" / "old.png").touch()
    conversion = Conversion(FORMATS["voc"].open(Source(tmp_path / "in")), tmp_path / "out")
    list(conversion)
    assert conversion.others_there == 1


def test_objects_of_cvat_where_no_pixel_is_without_one(tmp_path):
    encodings.cvat(tmp_path / "in")
    colours = np.full((*encodings.SIZE, 3), (128, 0, 0), np.uint8)
    colours[:5] = (0, 128, 0)
    encodings.write_png(tmp_path / "in" / "SegmentationObject" / "scene.png", colours)
    assert converted(tmp_path / "in", tmp_path / "out")[0].error is None
    instances = read_map(tmp_path / "out" / "instances" / "scene.png").ids
    assert set(np.unique(instances[:5])) | set(np.unique(instances[5:])) == {1, 2}
