"""`i2i edit`: edits in the order typed, maps in the encoding they came in, photos that follow the maps."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from i2icli import registry
from i2icli.__main__ import main
from i2icli.cli.edit import joined
from i2icli.image import read_image, read_map
from i2icli.inference.translator import Translator
from i2icli.runtime.checkpoint import write_model
from i2icli.training.run import build_system
from tests.example import PainterConfig

SIZE = (12, 20)  # (height, width), not the one that the networks know
SKY, ROAD, TREE, HOUSE = range(4)
PALETTE = [9, 9, 9, 200, 0, 0, 0, 200, 0, 0, 0, 200]


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    """labels/a.png (palette) with instances/a.png (16 bit), labels/b.png (colours), a model of both."""
    monkeypatch.chdir(tmp_path)
    entry = registry.Entry("tests.example:LabelPainter", "tests.example:PainterConfig", "", "", "")
    monkeypatch.setitem(registry.SYSTEMS, "example", entry)
    system = build_system("example", PainterConfig(optional=True))
    write_model(tmp_path / "model.safetensors", system, "example", {"G": system.G})
    for name in ("labels", "instances"):
        (tmp_path / name).mkdir()
    labels, objects = np.zeros(SIZE, np.uint8), np.zeros(SIZE, np.uint16)
    labels[6:] = ROAD
    labels[2:6, 4:8], objects[2:6, 4:8] = HOUSE, 26003
    image = Image.frombytes("P", (20, 12), labels.tobytes())
    image.putpalette(PALETTE)
    image.save("labels/a.png")
    Image.fromarray(objects).save("instances/a.png")
    colours = np.full((*SIZE, 3), (128, 64, 128), np.uint8)
    colours[:6] = (120, 180, 255)
    Image.fromarray(colours).save("labels/b.png")
    Image.fromarray(np.full((5, 7, 3), 150, np.uint8)).save("style.png")


def run(*arguments: object) -> int:
    return main(["edit", *map(str, arguments), "--model", "model.safetensors", "--reference", "style.png"])


def ids(path: str) -> np.ndarray:
    return read_map(Path(path).read_bytes()).ids


def test_an_edit_gives_map_objects_photo_and_sheet(capsys):
    assert run("labels/a.png", "--move", "instance:26003 by 8,0", "--out", "out") == 0
    assert capsys.readouterr().err == "1 label map edited into out/\n"
    edited, objects = ids("out/labels/a.png"), ids("out/instances/a.png")
    assert (edited[2:6, 12:16] == HOUSE).all()
    assert np.array_equal(edited == HOUSE, objects == 26003)
    assert (edited[2:4, 4:8] == SKY).all()
    assert (edited[5, 5:7] == ROAD).all()  # which is nearer to the last row
    image = Image.open("out/labels/a.png")
    assert (image.mode, image.getpalette()[: len(PALETTE)]) == ("P", PALETTE)
    model = Translator.load("model.safetensors", "cpu")
    expected = model.translate({"labels": edited, "instances": objects}, reference="style.png")
    assert np.array_equal(read_image("out/images/a.png").pixels, expected)
    width, height = Image.open("out/compare/a.png").size
    assert width > 2 * 6 * 20  # map and photo, upscaled
    assert height > 2 * 6 * 12  # before and after
    assert (ids("labels/a.png")[2:6, 4:8] == HOUSE).all()  # the input is as it was


def test_edits_of_different_kinds_are_made_in_the_order_typed():
    edits = [
        "--replace",
        "house=tree",
        "--fill",
        "house in 0,0,2,2",
        "--replace=tree=road",
        "--remove",
        "house",
    ]
    assert run("labels/a.png", *edits, "--out", "first") == 0
    first = ids("first/labels/a.png")
    assert set(np.unique(first)) == {SKY, ROAD}
    assert (first[2:6, 4:8] == ROAD).all()
    moved = [edits[-2], edits[-1], *edits[:-2]]
    assert run("labels/a.png", *moved, "--out", "second") == 1  # no house is left to be replaced


def test_a_script_stands_where_it_is_typed_and_its_files_are_beside_it():
    Path("scripts").mkdir()
    Path("scripts/edits.toml").write_text(
        '[[edit]]\npaste = "house from ../labels/a.png at 10,2"\n[[edit]]\nreplace = "sky=tree"\n'
    )
    arguments = ["--replace", "house=road", "--script", "scripts/edits.toml", "--replace", "tree=sky"]
    assert run("labels/a.png", *arguments, "--out", "out") == 0
    edited, objects = ids("out/labels/a.png"), ids("out/instances/a.png")
    assert (edited[2:6, 4:8] == ROAD).all()
    assert (edited[2:6, 10:14] == HOUSE).all()
    assert (objects[2:6, 10:14] == 26004).all()
    assert (edited[0] == SKY).all()


def test_colours_stay_colours():
    assert run("labels/b.png", "--paste", "house", "from", "labels/a.png", "at", "0,0", "--out", "out") == 0
    pixels = read_image("out/labels/b.png").pixels
    assert (pixels[:4, :4] == (200, 0, 0)).all()
    assert (pixels[8] == (128, 64, 128)).all()
    assert not Path("out/instances").exists()


def test_a_folder_of_maps_one_of_which_has_not_what_is_edited(capsys):
    assert run("labels", "--remove", "house", "--out", "out") == 1
    said = capsys.readouterr().err.splitlines()
    assert said[0] == "failed: labels/b.png: --remove house: there is no house in this map; it has sky, road"
    assert said[1] == "note: 1 of 2 have no instances: boundaries come from the labels"
    assert said[2] == "1 label map edited into out/, 1 failed"
    assert HOUSE not in ids("out/labels/a.png")


def test_results_are_kept_unless_they_may_be_replaced(capsys):
    assert run("labels/a.png", "--remove", "house", "--out", "out") == 0
    assert run("labels/a.png", "--replace", "house=tree", "--out", "out") == 2
    assert (
        "out/labels/a.png exists already; choose another --out, or add --overwrite" in capsys.readouterr().err
    )
    assert run("labels/a.png", "--replace", "house=tree", "--out", "out", "--overwrite") == 0
    assert TREE in ids("out/labels/a.png")
    assert run("labels/a.png", "--remove", "house", "--out", ".") == 2
    assert "would replace the input" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("edits", "message"),
    [
        ([], "error: nothing to do: give --replace, --remove, --paste, --fill, --move, --script or --style"),
        (["--replace", "car=tree"], "--replace car=tree: unknown class 'car'; this model knows: sky, road"),
        (["--fill", "tree"], "--fill tree: expected a class and left,top,right,bottom in pixels"),
        (["--paste", "tree from none.png at 1,2"], "cannot read none.png: no such file or directory"),
        (["--script", "none.toml"], "cannot read none.toml: no such file or directory"),
        (["--remove", "house", "--style", "house=3"], "--style"),
    ],
)
def test_wrong_edits_are_one_line(edits, message, capsys):
    assert run("labels/a.png", "--out", "out", *edits) in (1, 2)
    assert message in capsys.readouterr().err.splitlines()[-1]
    assert not Path("out").exists()


def test_words_of_an_edit_need_no_quotes():
    words = ["--move", "car", "by", "-20,0", "a.png", "--fill", "road", "in", "1,2,3,4", "--out", "x"]
    whole = ["--move", "car by -20,0", "a.png", "--fill", "road in 1,2,3,4", "--out", "x"]
    assert joined(words) == joined(whole) == whole
    assert joined(["--fill", "traffic", "light", "in", "1,2,3,4"])[1] == "traffic light in 1,2,3,4"
    for whole in (["--fill", "road in 1,2,3,4", "a.png"], ["--fill", "road", "--out", "in", "x"], ["--fill"]):
        assert joined(whole) == whole


def test_a_folder_of_data_is_no_place_for_results(capsys):
    Path("labels").rename("label")  # so that no result has the name of the map
    before = Path("instances/a.png").read_bytes()
    assert run("label/a.png", "--remove", "house", "--out", ".", "--overwrite") == 2
    assert "lies in it, and results could replace its data" in capsys.readouterr().err
    assert Path("instances/a.png").read_bytes() == before


def test_ids_of_objects_that_a_result_cannot_hold_are_refused(capsys):
    Path("instances/a.png").unlink()
    objects = np.zeros(SIZE, np.int32)
    objects[2:6, 4:8] = 70000
    np.save("instances/a.npy", objects)
    assert run("labels/a.png", "--replace", "sky=tree", "--out", "out") == 1
    assert "the id 70000 does not fit into a 16-bit PNG" in capsys.readouterr().err


def test_objects_may_be_colours():
    colours = np.zeros((*SIZE, 3), np.uint8)
    colours[2:6, 4:8, 0] = 9  # red: the number 9
    Image.fromarray(colours).save("instances/a.png")
    assert run("labels/a.png", "--move", "instance:9 by 8,0", "--out", "out") == 0
    assert (ids("out/instances/a.png")[2:6, 12:16] == 9).all()


def test_maps_that_are_pasted_from_are_not_counted_among_those_that_are_edited(capsys):
    arguments = ["labels/a.png", "--paste", "sky from labels/b.png at 0,0", "--out", "out"]
    assert run(*arguments) == 0
    assert capsys.readouterr().err == "1 label map edited into out/\n"


def test_out_of_memory_is_one_line_and_the_others_are_edited(capsys, monkeypatch):
    def full(*_):
        raise MemoryError

    monkeypatch.setattr(Translator, "compute", full)
    assert run("labels/a.png", "--replace", "sky=tree", "--out", "out") == 1
    assert "failed: labels/a.png: out of memory at 20x12 px" in capsys.readouterr().err


def test_a_folder_of_data_is_no_place_for_results(capsys):
    assert run("labels/b.png", "--remove", "sky", "--out", "labels/..", "--overwrite") == 2
    assert "lies in it, and results could replace its data" in capsys.readouterr().err
    assert not Path("images").exists()


def test_ids_of_objects_that_a_result_cannot_hold_are_refused(capsys):
    Path("instances/a.png").unlink()
    objects = np.zeros(SIZE, np.int32)
    objects[2:6, 4:8] = 70000
    np.save("instances/a.npy", objects)
    assert run("labels/a.png", "--replace", "sky=tree", "--out", "out") == 1
    assert "the id 70000 does not fit into a 16-bit PNG" in capsys.readouterr().err


def test_objects_may_be_colours():
    colours = np.zeros((*SIZE, 3), np.uint8)
    colours[2:6, 4:8, 0] = 9  # red: the number 9
    Image.fromarray(colours).save("instances/a.png")
    assert run("labels/a.png", "--move", "instance:9 by 8,0", "--out", "out") == 0
    assert (ids("out/instances/a.png")[2:6, 12:16] == 9).all()


def test_maps_that_are_pasted_from_are_not_counted_among_those_that_are_edited(capsys):
    arguments = ["labels/a.png", "--paste", "sky from labels/b.png at 0,0", "--out", "out"]
    assert run(*arguments) == 0
    assert capsys.readouterr().err == "1 label map edited into out/\n"


def test_out_of_memory_is_one_line_and_the_others_are_edited(capsys, monkeypatch):
    def full(*_):
        raise MemoryError

    monkeypatch.setattr(Translator, "compute", full)
    assert run("labels/a.png", "--replace", "sky=tree", "--out", "out") == 1
    assert "failed: labels/a.png: out of memory at 20x12 px" in capsys.readouterr().err
