"""Damaged and hostile annotations: each is one line about one image, and the others are converted."""

import base64
import io
import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from i2icli.errors import UserError
from i2icli.labels import text_files
from i2icli.labels.json_files import read_json
from i2icli.labels.recognise import FORMATS, Source
from i2icli.labels.rle import decode
from tests.labels import encodings
from tests.labels.test_convert import converted

LINE = {"points": [[0, 0], [5, 0], [5, 5]]}
COCO: dict[str, Any] = {"category_id": 1, "image_id": 1}


def labelme_error(tmp_path: Path, **changed: Any) -> str:
    """What is said about a file of labelme beside a good one, which is converted."""
    encodings.labelme(tmp_path / "in")
    content = json.loads((tmp_path / "in" / "scene.json").read_text())
    encodings.write_json(tmp_path / "in" / "bad.json", content | changed)
    results = {Path(each.source).stem: each.error for each in converted(tmp_path / "in", tmp_path / "out")}
    assert results["scene"] is None
    error = results["bad"]
    assert error is not None
    assert "\n" not in error
    return error


def bomb() -> str:
    """A PNG of 40,000 x 40,000 pixels in a few bytes, as base64."""
    file = io.BytesIO()
    Image.new("1", (16, 16)).save(file, "PNG")
    data = bytearray(file.getvalue())
    data[16:24] = (40_000).to_bytes(4, "big") * 2
    data[29:33] = zlib.crc32(data[12:29]).to_bytes(4, "big")
    return base64.b64encode(bytes(data)).decode()


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        (3, "a shape is 3; expected an object"),
        (LINE, "no 'label'"),
        ({"label": "x", "points": [[0, "a"], [1, 1], [2, 2]]}, "a number of 'points' is 'a'"),
        ({"label": "x", "points": [[0, 1], [1], [2, 2]]}, "expected pairs of numbers"),
        ({"label": "x", "points": [[0, float("nan")], [1, 1], [2, 2]]}, "expected a finite number"),
        ({"label": "x", "points": [[0, 10**400], [1, 1], [2, 2]]}, "expected a finite number"),
        ({"label": "x", "points": [[0, True], [1, 1], [2, 2]]}, "is True; expected a number"),
        ({"label": "x", "shape_type": "mask", "points": [[0, 0]], "mask": "?"}, "no base64 text"),
        ({"label": "x", "shape_type": "mask", "points": [[0, 0]], "mask": "AAAA"}, "not an image"),
        (
            {"label": "x", "shape_type": "mask", "points": [[0, 0]], "mask": bomb()},
            "the limit is 0.5 gigapixel",
        ),
        ({"label": "x", "shape_type": "circle", "points": [[0, 0]]}, "x and y of 2 points or more"),
    ],
)
def test_damaged_shapes(shape, message, tmp_path):
    assert message in labelme_error(tmp_path, shapes=[shape])


@pytest.mark.parametrize(
    ("size", "message"),
    [
        ({"imageHeight": 10**6, "imageWidth": 10**6}, "too large: 1000000x1000000 pixels"),
        ({"imageHeight": 0}, "an empty image"),
        ({"imageHeight": -5}, "an empty image"),
        ({"imageHeight": "30"}, "'imageHeight' is '30'; expected a whole number"),
        ({"imageHeight": 30.5}, "'imageHeight' is 30.5; expected a whole number"),
    ],
)
def test_absurd_sizes(size, message, tmp_path):
    assert message in labelme_error(tmp_path, **size)


def test_coordinates_out_of_range_are_cut_off(tmp_path):
    shapes = [{"label": "x", "points": [[-1e300, -1e300], [20, -1e300], [20, 1e300], [-1e300, 1e300]]}]
    encodings.write_json(tmp_path / "a.json", {"shapes": shapes, "imageHeight": 30, "imageWidth": 40})
    converted(tmp_path / "a.json", tmp_path / "out")
    labels = np.asarray(Image.open(tmp_path / "out" / "labels" / "a.png"))
    assert (labels[:, :20] == 0).all()
    assert (labels[:, 20:] == 255).all()


@pytest.mark.parametrize(
    ("annotation", "message"),
    [
        (COCO | {"category_id": 5}, "category 5, which the file does not list"),
        (COCO | {"segmentation": [[1, 2, 3, 4]]}, "x and y of 3 points or more"),
        (COCO | {"segmentation": "x"}, "'segmentation' is 'x'; expected a list"),
        (
            COCO | {"segmentation": {"size": [9, 9], "counts": [81]}},
            "a mask of size [9, 9] in an image of [30, 40]",
        ),
        (
            COCO | {"segmentation": {"size": [30, 40], "counts": [5]}},
            "runs of 5 pixels; expected those of 40x30 px",
        ),
        (COCO | {"segmentation": {"size": [30, 40], "counts": [1201, -1]}}, "expected those of 40x30 px"),
        (COCO | {"segmentation": {"size": [30, 40], "counts": "\x7f"}}, "a damaged mask"),
        (
            COCO | {"segmentation": {"size": [30, 40], "counts": "PPPPPPPPPPPPPPPPPPPPPPPPPPPP"}},
            "a damaged mask",
        ),
        (COCO | {"segmentation": {"size": [30, 40]}}, "no 'counts'"),
    ],
)
def test_damaged_annotations_of_coco(annotation, message, tmp_path):
    images = [{"id": number, "file_name": f"{number}.jpg", "height": 30, "width": 40} for number in (1, 2)]
    content = {"images": images, "annotations": [annotation], "categories": [{"id": 1, "name": "car"}]}
    first, second = converted(encodings.write_json(tmp_path / "in.json", content), tmp_path / "out")
    assert message in str(first.error)
    assert second.error is None


def test_a_mask_that_ends_within_a_number():
    with pytest.raises(UserError, match="its runs end within a number"):
        decode("P", (3, 4))


def test_texts_of_masks_are_read_back():
    rng = np.random.default_rng(1)
    for density in (0.0, 0.02, 0.5, 1.0):
        mask = rng.random((37, 53)) < density
        assert np.array_equal(decode(encodings.runs(mask), (37, 53)), mask)
        assert np.array_equal(decode(encodings.compressed(encodings.runs(mask)), (37, 53)), mask)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is not valid JSON"),
        ("[" * 100_000, "nested too deeply"),
        ("[]", "expected an object"),
        ("\xff", "JSON"),
    ],
)
def test_files_that_are_no_json(text, message, tmp_path):
    path = tmp_path / "a.json"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(UserError, match=message):
        read_json(path)


def test_large_and_missing_files_and_pipes(tmp_path, monkeypatch):
    with pytest.raises(UserError, match="no such file"):
        read_json(tmp_path / "a.json")
    monkeypatch.setattr(text_files, "LARGEST_TEXT", 5)
    (tmp_path / "a.txt").write_text("123456")
    with pytest.raises(UserError, match="has 6 bytes; expected at most 5"):
        text_files.read_text(tmp_path / "a.txt")
    with pytest.raises(UserError, match="not a file"):
        text_files.read_text(tmp_path)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("0 0.5 0.5 0.1 0.1", "line 1 is a box of a detector"),
        ("0 0.5 0.5 0.1 0.1 0.2", "line 1: 5 numbers"),
        ("0 nan 0 1 0 1 1", "line 1: 6 numbers"),
        ("7 0 0 1 0 1 1", "class 7; the list of names has 3"),
        ("-1 0 0 1 0 1 1", "class -1; expected 0 to"),
        ("a b c", "line 1: expected numbers"),
    ],
)
def test_damaged_texts_of_yolo(line, message, tmp_path):
    encodings.yolo(tmp_path / "in")
    (tmp_path / "in" / "labels" / "bad.txt").write_text(line)
    encodings.write_photo(tmp_path / "in" / "images" / "bad.jpg")
    results = {
        Path(each.source).stem: each.error for each in converted(tmp_path / "in", tmp_path / "out", "yolo")
    }
    assert message in str(results["bad"])
    assert results["scene"] is None


@pytest.mark.parametrize(
    "names",
    [
        "names:\n  0: car\n  1: 'road'\n  2: \"tree\"\n",
        "names:\n- car\n- road\n- tree\nnc: 3\n",
        "nc: 3\nnames: ['car',\n  'road', tree]\n",
    ],
)
def test_names_in_every_form_of_yaml(names, tmp_path):
    encodings.yolo(tmp_path)
    (tmp_path / "data.yaml").write_text(names)
    classes = FORMATS["yolo"].open(Source(tmp_path)).classes
    assert [each.name for each in classes or ()] == ["car", "road", "tree"]


def test_names_of_yolo_keep_their_numbers(tmp_path):
    encodings.yolo(tmp_path)
    (tmp_path / "data.yaml").write_text("names: {4: car, 0: road, 2: tree}\n")
    assert {each.id: each.name for each in FORMATS["yolo"].open(Source(tmp_path)).classes or ()} == {
        4: "car",
        0: "road",
        2: "tree",
    }
    (tmp_path / "data.yaml").unlink()
    (tmp_path / "classes.txt").write_text("car\n\nroad\n")
    classes = FORMATS["yolo"].open(Source(tmp_path)).classes
    assert [(each.id, each.name) for each in classes or ()] == [(0, "car"), (2, "road")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("names: [car", "not valid YAML"),
        ("names: {road: 1}", "the class 'road' of its names is no number"),
        ("names: !!python/object/apply:os.system ['true']", "not valid YAML"),
        ("nc: 3", "no names of classes"),
    ],
)
def test_damaged_lists_of_names(text, message, tmp_path):
    encodings.yolo(tmp_path)
    (tmp_path / "data.yaml").write_text(text)
    with pytest.raises(UserError, match=message):
        FORMATS["yolo"].open(Source(tmp_path))


def test_damaged_maps(tmp_path):
    encodings.coco_panoptic(tmp_path)
    content = json.loads((tmp_path / "panoptic.json").read_text())
    removed = content["annotations"][0]["segments_info"].pop()
    encodings.write_json(tmp_path / "panoptic.json", content)
    (result,) = converted(tmp_path / "panoptic.json", tmp_path / "out")
    assert f"segment {removed['id']} of" in str(result.error)
    assert not (tmp_path / "out").exists()
    encodings.cvat(tmp_path / "cvat")
    (tmp_path / "cvat" / "labelmap.txt").write_text("road:128,64,128::\n")
    (result,) = converted(tmp_path / "cvat", tmp_path / "out")
    assert "the colour 107,142,35 is not in labelmap.txt" in str(result.error)
    (tmp_path / "cvat" / "labelmap.txt").write_text("road:128,64,999::\n")
    with pytest.raises(UserError, match=r"labelmap.txt: line 1: "):
        converted(tmp_path / "cvat", tmp_path / "out")
    encodings.by_256(tmp_path / "kitti")
    encodings.write_json(
        tmp_path / "kitti" / "config.json", {"labels": [{"name": "a--b", "color": [1, 2, 3]}]}
    )
    (result,) = converted(tmp_path / "kitti", tmp_path / "out", "mapillary")
    assert "class 1 is unknown (1 class in all)" in str(result.error)
