"""`i2i labels convert`, on files as annotation programs write them."""

import json

import pytest

from i2icli.__main__ import main
from i2icli.cli.labels import FORMATS
from i2icli.labels import recognise
from tests.labels import encodings


def test_the_help_names_every_format():
    assert ", ".join(recognise.FORMATS) == FORMATS


def test_what_was_recognised_what_was_written_and_what_comes_next(tmp_path, capsys):
    encodings.coco(tmp_path / "in")
    assert main(["labels", "convert", str(tmp_path / "in"), "--out", str(tmp_path / "out")]) == 0
    shown = capsys.readouterr()
    assert shown.err == f"{tmp_path / 'in'}: COCO objects\n"
    summary, following = shown.out.splitlines()
    assert summary == f"1 label map in {tmp_path / 'out'}: 3 classes, 41.2% of the pixels unlabelled"
    assert following.startswith(f"next: put the photos into {tmp_path / 'out' / 'images'}")
    assert following.endswith(f"i2i train spade {tmp_path / 'out'}")


def test_with_photos_the_folder_is_complete(tmp_path, capsys):
    encodings.yolo(tmp_path / "in")
    arguments = ["labels", "convert", str(tmp_path / "in"), "--out", str(tmp_path / "out")]
    assert main([*arguments, "--images", str(tmp_path / "in" / "images")]) == 0
    assert capsys.readouterr().out.splitlines()[1] == f"next: i2i train spade {tmp_path / 'out'}"
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["classes.toml", "images", "instances", "labels"]


def test_a_bad_file_is_one_line_and_the_others_are_converted(tmp_path, capsys):
    encodings.labelme(tmp_path / "in")
    (tmp_path / "in" / "bad.json").write_text("{")
    shapes = [{"label": "road", "points": [[1, 2]], "shape_type": "point"}]
    content = {"shapes": shapes, "imageHeight": 5, "imageWidth": 5}
    encodings.write_json(tmp_path / "in" / "dots.json", content)
    assert main(["labels", "convert", str(tmp_path / "in"), "--out", str(tmp_path / "out"), "--json"]) == 1
    shown = capsys.readouterr()
    said = shown.err.splitlines()
    assert said[1].startswith(f"failed: {tmp_path / 'in' / 'bad.json'} is not valid JSON: ")
    assert said[2] == "note: left out: 1 shapes without an area (point)"
    result = json.loads(shown.out)
    assert (result["format"], result["converted"], len(result["failed"])) == ("labelme", 2, 1)
    assert len(list((tmp_path / "out" / "labels").iterdir())) == 2


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        (["--from", "kitty"], "error: --from kitty: expected one of labelme, coco"),
        (["--images", "nowhere"], "error: nowhere: there is no such folder"),
        (["--from", "cvat"], "SegmentationClass: there is no such folder"),
        (["--from", "coco"], "error: no 'categories' in an object of"),
    ],
)
def test_wrong_use_is_one_line(extra, message, tmp_path, capsys):
    encodings.labelme(tmp_path / "in")
    assert main(["labels", "convert", str(tmp_path / "in"), "--out", str(tmp_path / "out"), *extra]) == 2
    said = capsys.readouterr().err.splitlines()
    assert message in said[-1]
    assert not (tmp_path / "out").exists()


def test_results_are_replaced_only_if_asked(tmp_path, capsys):
    encodings.voc(tmp_path / "in")
    arguments = ["labels", "convert", str(tmp_path / "in"), "--out", str(tmp_path / "out")]
    assert main(arguments) == 0
    assert main(arguments) == 2
    assert "exists already; choose another --out, or add --overwrite" in capsys.readouterr().err
    assert main([*arguments, "--overwrite"]) == 0


def test_a_folder_without_annotations(tmp_path, capsys):
    (tmp_path / "in").mkdir()
    assert main(["labels", "convert", str(tmp_path / "in"), "--out", str(tmp_path / "out")]) == 2
    assert "nothing in it is known: nothing" in capsys.readouterr().err
    (tmp_path / "in" / "SegmentationClass").mkdir()
    assert main(["labels", "convert", str(tmp_path / "in"), "--out", str(tmp_path / "out")]) == 2
    assert "holds no annotations of Pascal VOC masks" in capsys.readouterr().err


def test_classes_can_be_given(tmp_path, capsys):
    encodings.labelme(tmp_path / "in")
    (tmp_path / "list.csv").write_text("id,name\n40,road\n41,car\n")
    arguments = ["labels", "convert", str(tmp_path / "in"), "--out", str(tmp_path / "out")]
    assert main([*arguments, "--classes", str(tmp_path / "list.csv")]) == 0
    shown = capsys.readouterr()
    assert shown.err.splitlines()[1] == "note: not in --classes, so unlabelled: tree"
    assert "2 classes" in shown.out
    assert main([*arguments, "--overwrite", "--classes", "citiscapes"]) == 2
    assert "--classes citiscapes: there is no such file" in capsys.readouterr().err


def test_a_check_lists_every_class_and_what_is_wrong(tmp_path, capsys):
    encodings.yolo(tmp_path / "in")
    out = tmp_path / "out"
    convert = ["labels", "convert", str(tmp_path / "in"), "--out", str(out)]
    assert main([*convert, "--images", str(tmp_path / "in")]) == 0
    capsys.readouterr()
    assert main(["labels", "check", str(out)]) == 0
    shown = capsys.readouterr().out
    assert f"label maps in {out / 'labels'}, photos in {out / 'images'}" in shown
    rows = [line.split() for line in shown.splitlines()]
    assert ["1", "road", "40.25%", "1"] in rows
    assert ["unlabelled", "41.25%", "1"] in rows
    assert "cache" not in shown
    assert main(["labels", "check", str(out), "--json"]) == 0
    road = json.loads(capsys.readouterr().out)["classes"][1]
    assert (road["id"], road["name"], road["pixels"], road["maps"]) == (1, "road", 483, 1)
    (tmp_path / "one.txt").write_text("car\nroad\n")
    assert main(["labels", "check", str(out), "--classes", str(tmp_path / "one.txt")]) == 1
    assert "scene.png: id 2 at pixel" in capsys.readouterr().err
