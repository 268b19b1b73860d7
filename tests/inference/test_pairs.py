"""Of pairs the source is translated, and its output is scored against the ground truth."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from i2icli.__main__ import main
from i2icli.config import RunOptions
from i2icli.image import read_image
from i2icli.inference.pairs import PairSearch
from i2icli.inference.search import Search
from i2icli.inference.truth import score
from i2icli.metadata import read_metadata
from i2icli.reading import Reading
from i2icli.task import PairSide, Port
from i2icli.training.run import train
from tests.data.files import fill, put
from tests.tiny import tiny_config

SIDE = 32


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """runs/back, trained on pairs side by side from B to A, and runs/two, on folders A and B."""
    folder = tmp_path_factory.mktemp("models")
    beside = fill(folder / "beside", *(f"{number}.png" for number in range(4)), size=(SIDE, 2 * SIDE))
    for side in "AB":
        fill(folder / "two" / side, *(f"{number}.png" for number in range(4)), size=(SIDE, SIDE))
    for name, data, direction in (("back", beside, "BtoA"), ("two", folder / "two", "AtoB")):
        config = tiny_config("pix2pix", steps=1, direction=direction)
        train("pix2pix", [data], config, RunOptions(out=folder / "runs" / name))
    return folder / "runs"


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(model, *arguments):
    return main(["translate", *map(str, arguments), "--model", str(model), "--runtime", "torch"])


def files(folder):
    return sorted(
        str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file() and path.name[0] != "."
    )


# -- side by side ----------------------------------------------------------------------------------


def test_a_model_remembers_the_shapes_of_pairs_side_by_side(models):
    back, two = (read_metadata(models / name / "model.safetensors").config for name in ("back", "two"))
    assert (back["pair_aspects"], two["pair_aspects"]) == ([2.0], [])


def test_the_half_that_the_direction_says_is_translated_and_scored(models, place, capsys):
    whole = put(place / "both/x.png", (48, 96))
    put(place / "both/photo.png", (48, 64))
    pixels = read_image(whole).pixels
    (place / "alone").mkdir()
    Image.fromarray(pixels[:, 48:]).save(place / "alone/x.png")
    assert run(models / "back", "both", "--out", "out", "--json") == 0
    shown = capsys.readouterr()
    assert "1 image is a pair side by side, as in training: the right half is translated" in shown.err
    assert run(models / "back", "alone", "--out", "out2") == 0
    made, same = (read_image(place / out / "x.png") for out in ("out", "out2"))
    assert np.array_equal(made.pixels, same.pixels)
    assert read_image(place / "out/photo.png").pixels.shape == (48, 64, 3)
    rows = {Path(row["source"]).name: row for row in map(json.loads, shown.out.splitlines())}
    expected = score(made, pixels[:, :48])
    assert (rows["x.png"]["psnr"], rows["x.png"]["ssim"]) == (expected.psnr, expected.ssim)
    assert rows["photo.png"]["psnr"] is None
    assert f"against the ground truth: {expected}\n" in shown.err
    assert files(place / "out") == ["compare/0001.png", "photo.png", "x.png"]


def test_what_stands_keeps_its_scores(models, place, capsys):
    put(place / "x.png", (32, 64))
    lines = []
    for _ in range(2):
        assert run(models / "back", "x.png", "--out", "out") == 0
        lines += [line for line in capsys.readouterr().err.splitlines() if line.startswith("against")]
    assert lines[0] == lines[1]


def test_whole_images_where_that_is_asked_for_or_what_was_learned(models, place, capsys):
    put(place / "x.png", (32, 64))
    assert run(models / "back", "x.png", "--out", "out", "--no-pairs") == 0
    assert run(models / "two", "x.png", "--out", "out2") == 0
    for out in ("out", "out2"):
        assert read_image(place / out / "x.png").pixels.shape == (32, 64, 3)
    assert "ground truth" not in capsys.readouterr().err
    assert run(models / "back", "x.png", "--out", "out") == 2
    assert "out holds results made with another --no-pairs" in capsys.readouterr().err


# -- two folders -----------------------------------------------------------------------------------


def test_the_truth_is_not_translated_but_shown(models, place, capsys):
    for side in "AB":
        fill(place / "data" / f"test{side}", "1.png", "2.png", size=(32, 32))
    put(place / "data/testB/3.png", (32, 32))
    assert run(models / "two", "data", "--out", "out") == 0
    error = capsys.readouterr().err
    assert "data holds both sides: translating A (2 images), B as ground truth of 2; " in error
    assert "(mean of 2 images)" in error
    assert files(place / "out") == ["compare/0001.png", "testA/1.png", "testA/2.png"]
    put(place / "data/testB/1.png", (32, 32), value=7)
    assert run(models / "two", "data", "--out", "out") == 0
    assert "1 result was made again, as the input had changed" in capsys.readouterr().err


def test_a_truth_that_cannot_be_read_costs_its_score_alone(models, place, capsys):
    for side in "AB":
        fill(place / "data" / side, "1.png", "2.png", size=(32, 32))
    (place / "data/B/1.png").write_bytes(b"hello")
    assert run(models / "two", "data", "--out", "out", "--json") == 1
    shown = capsys.readouterr()
    warning = "warning: data/A/1.png is not scored: cannot read data/B/1.png: not an image"
    assert shown.err.count(warning) == 1
    assert [json.loads(row)["psnr"] is None for row in shown.out.splitlines()] == [True, False]
    assert "2 images translated into out/" in shown.err


def test_a_truth_that_lies_on_its_side_gives_no_scores(models, place, capsys):
    put(place / "data/A/1.png", (32, 48))
    put(place / "data/B/1.png", (96, 64))
    assert run(models / "two", "data", "--out", "out", "--json") == 1
    shown = capsys.readouterr()
    assert json.loads(shown.out)["psnr"] is None
    expected = "data/B/1.png of 64x96 px lies on its side against 48x32 px; rotate it"
    assert f"warning: data/A/1.png is not scored: {expected}\n" in shown.err


LAYOUTS = {
    "two folders": ("A", "B"),
    "splits in folders": ("A/train", "B/train"),
    "folders in splits": ("train/A", "train/B"),
    "glued": ("trainA", "trainB"),
    "apart": ("test_a", "test_b"),
    "deep": ("set/valA/x", "set/valB/x"),
}


@pytest.mark.parametrize("index", [0, 1], ids=["AtoB", "BtoA"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_sides_are_known_by_the_names_of_their_folders(layout, index, tmp_path):
    own, other = LAYOUTS[layout][:: 1 - 2 * index]
    fill(tmp_path, f"{own}/1.png", f"{own}/2.png", f"{other}/1.jpg", f"{other}/3.png", "else/1.png")
    images = sorted(path for path in tmp_path.rglob("*") if path.is_file())
    search = PairSearch(PairSide(index))
    sources = {str(path.relative_to(tmp_path)) for path in search.sources(tmp_path, images)}
    assert sources == {f"{own}/1.png", f"{own}/2.png", "else/1.png"}
    assert {str(path.relative_to(tmp_path)) for path in search.truths} == {f"{own}/1.png"}
    assert search.truths[tmp_path / own / "1.png"].name == str(tmp_path / other / "1.jpg")


def test_names_that_the_model_learned_from(tmp_path):
    fill(tmp_path, "Photos/1.png", "labels/1.png")
    images = sorted(path for path in tmp_path.rglob("*") if path.is_file())
    assert PairSearch(PairSide(0)).sources(tmp_path, images) == images
    known = PairSearch(PairSide(0, ("labels", "photos")))
    assert known.sources(tmp_path, images) == [tmp_path / "labels/1.png"]


def test_albums_that_happen_to_be_called_so_are_no_pairs(tmp_path):
    fill(tmp_path, "A/anna.png", "B/ben.png", "C/carl.png")
    images = sorted(path for path in tmp_path.rglob("*") if path.is_file())
    assert PairSearch(PairSide(0)).sources(tmp_path, images) == images


def test_domains_are_scored_only_where_all_images_have_partners(tmp_path):
    fill(tmp_path, "trainA/1.png", "trainA/2.png", "trainB/1.png", "trainB/3.png")
    fill(tmp_path, "testA/1.png", "testA/2.png", "testB/1.png", "testB/2.png")
    fill(tmp_path, "valA/1.png", "valB/1.png")
    put(tmp_path / "valB/1.png", (20, 20))
    images = sorted(path for path in tmp_path.rglob("*") if path.is_file())
    search = PairSearch(PairSide(0, aligned=False))
    sources = {path.parent.name for path in search.sources(tmp_path, images)}
    assert sources == {"trainA", "testA", "valA"}
    assert {path.parent.name for path in search.truths} == {"testA"}


# -- one folder, by names --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "names", "expected"),
    [
        ("{}_A.png:{}_B.png", ("1_A.png", "1_B.png", "2_A.png", "3_B.png"), {"1_A.png", "2_A.png"}),
        ("{}.jpg:{}_mask.png", ("1.jpg", "1_mask.png", "2.jpg"), {"1.jpg", "2.jpg"}),
        ("a/{}.png:b/{}_x.png", ("test/a/1.png", "test/b/1_x.png"), {"test/a/1.png"}),
    ],
)
def test_sides_are_known_by_how_names_differ(pattern, names, expected, tmp_path):
    images = [tmp_path / name for name in names]
    search = PairSearch(PairSide(0, ("left", "right"), pattern=pattern))
    assert {str(path.relative_to(tmp_path)) for path in search.sources(tmp_path, images)} == expected
    assert {path.name: Path(truth.name).name for path, truth in search.truths.items()} == {
        images[0].name: images[1].name
    }


def test_names_that_differ_in_two_folders(tmp_path):
    names = ("testA/1_photo.png", "testA/2_photo.png", "testB/1_map.png", "testB/2_map.png")
    images = [tmp_path / name for name in names]
    search = PairSearch(PairSide(1, pattern="{}_photo.png:{}_map.png"))
    assert search.sources(tmp_path, images) == images[2:]
    assert [truth.name for truth in search.truths.values()] == [str(image) for image in images[:2]]


def test_a_model_remembers_how_names_differ(place):
    for number in range(4):
        for side in "ab":
            put(place / f"data/{number}_{side}.png", (SIDE, SIDE))
    config = tiny_config("pix2pix", steps=1)
    train("pix2pix", [place / "data"], config, RunOptions(out=place / "run"))
    assert run("run", "data", "--out", "out") == 0
    assert files(place / "out") == [*(f"{number}_a.png" for number in range(4)), "compare/0001.png"]


# -- what lies beside an input ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("data/testA", "data/testB/1.jpg"),
        ("data/testA/1.png", "data/testB/1.jpg"),
        ("data/both/1_A.png", "data/both/1_B.png"),
    ],
)
def test_the_truth_beside_an_input_is_found(given, expected, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    fill(Path("data"), "testA/1.png", "testB/1.jpg", "both/1_A.png", "both/1_B.png")
    search = Search(pairs=PairSearch(PairSide(0, pattern="{}_A.png:{}_B.png")))
    search.look([given], Path("out"), "image")
    ((source, _),) = search.found
    truth = search.truth(source)
    assert truth is not None
    assert Path(truth.name).absolute() == tmp_path / expected
    assert search.notes()[-1].startswith("ground truth of 1 image found beside, e.g. ")


def test_equal_names_beside_an_input_are_no_pairs_for_a_model_of_two_domains(tmp_path):
    fill(tmp_path, "A/1.png", "B/1.png")
    search = Search(pairs=PairSearch(PairSide(0, aligned=False)))
    search.look([str(tmp_path / "A/1.png")], tmp_path / "out", "image")
    assert search.pairs is not None
    assert search.pairs.truths == {}


@pytest.mark.parametrize("given", ["data/testB", "data/testB/1.png"])
def test_the_wrong_side_is_named(given, models, place, capsys):
    fill(place / "data", "testA/1.png", "testB/1.png", size=(SIDE, SIDE))
    assert run(models / "two", given, "--out", "out") == 0
    error = capsys.readouterr().err
    assert "note: testB/ is named like B, which this model makes from A; expected A\n" in error
    assert "ground truth" not in error


def test_halves_are_known_as_the_model_reads_them(tmp_path):
    pixels = np.zeros((3, 32, 64), np.uint8)
    np.save(tmp_path / "x.npy", pixels)
    port = Port(reading=Reading(channels_first=True))
    search = PairSearch(PairSide(0, aspects=(2.0,)), port)
    search.find_halves([tmp_path / "x.npy"])
    assert [item.read().pixels.shape for item in search.halves.values()] == [(32, 32, 3)]


def test_splits_between_the_words_of_a_side(tmp_path):
    fill(tmp_path, "x_val_day/1.png", "x_val_night/1.png")
    images = sorted(tmp_path.rglob("*.png"))
    search = PairSearch(PairSide(1, ("x_day", "x_night")))
    assert search.sources(tmp_path, images) == images[1:]
    assert len(search.truths) == 1


# -- lists -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("index", [0, 1])
def test_a_list_names_sources_and_truths(index, tmp_path):
    fill(tmp_path, "a/1.png", "a/2.png", "b/1.png")
    (tmp_path / "list.csv").write_text("a/1.png,b/1.png,val\na/2.png,b/gone.png\n")
    search = Search(pairs=PairSearch(PairSide(index)))
    search.look([str(tmp_path / "list.csv")], tmp_path / "out", "image")
    expected = [["a/1.png", "a/2.png"], ["b/1.png", "b/gone.png"]][index]
    assert [str(relative) for _, relative in search.found] == expected
    assert len(search.pairs.truths) == 2


def test_a_list_of_sources_alone_is_translated(models, place, capsys):
    fill(place / "data", "x/1.png", "x/2.png", size=(SIDE, SIDE))
    (place / "data/list.txt").write_text("source\nx/1.png\nx/gone.png\n")
    assert run(models / "two", "data/list.txt", "--out", "out") == 1
    shown = capsys.readouterr().err
    assert files(place / "out") == ["x/1.png"]
    assert "failed: " in shown
    assert "gone.png" in shown
    (place / "data/list.txt").write_text("../x/1.png\n")
    assert run(models / "two", "data/list.txt", "--out", "out") == 2
    assert "data/list.txt, line 1: ../x/1.png lies outside" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["", "taken in May\nby Ann\n", "a,b\nc,d\n"])
def test_a_text_that_is_no_list_fails_alone(text, models, place, capsys):
    fill(place / "data", "1.png", size=(SIDE, SIDE))
    (place / "data/notes.txt").write_text(text)
    assert run(models / "two", "data/*", "--out", "out") == 1
    assert capsys.readouterr().err.count("failed: ") == 1
    assert files(place / "out") == ["1.png"]


def test_a_list_is_scored(models, place, capsys):
    fill(place / "data", "x/1.png", "y/one.png", size=(SIDE, SIDE))
    (place / "data/list.csv").write_text("input;mask\nx/1.png;y/one.png\n")
    assert run(models / "two", "data/list.csv", "--out", "out") == 0
    shown = capsys.readouterr().err
    assert "note: data/list.csv lists pairs: translating A, B as ground truth of 1\n" in shown
    assert "against the ground truth: PSNR" in shown
    assert files(place / "out") == ["compare/0001.png", "x/1.png"]


# -- label maps ------------------------------------------------------------------------------------


def labels_and_photos(folder, *splits):
    for split in splits:
        fill(folder / split / "images", "1.png", "2.png", size=(SIDE, SIDE))
        for number in (1, 2):
            ids = np.zeros((SIDE, SIDE), np.uint8)
            ids[: 8 * number] = 1
            (folder / split / "labels").mkdir(parents=True, exist_ok=True)
            Image.fromarray(ids).save(folder / split / "labels" / f"{number}.png")


@pytest.mark.parametrize("system", ["spade", "pix2pixhd"])
def test_photos_of_label_maps_are_their_ground_truth(system, place, capsys):
    labels_and_photos(place / "data", "train", "test")
    config = tiny_config(system, steps=1, crop_size=(SIDE, SIDE), classes=None, instances=False)
    train(system, [place / "data"], config, RunOptions(out=place / "run", segmenter=False))
    capsys.readouterr()
    assert run("run", "data", "--out", "out") == 0
    shown = capsys.readouterr().err
    assert "data holds both sides: translating label maps (4 images), photos as ground truth of 4" in shown
    assert "(mean of 4 images)" in shown
    made = [f"{split}/labels/{number}.png" for split in ("test", "train") for number in (1, 2)]
    assert files(place / "out") == ["compare/0001.png", *made]
    assert run("run", "data/test/labels/1.png", "--out", "out2") == 0
    assert "against the ground truth: PSNR" in capsys.readouterr().err
    assert run("run", "data", "--out", "out3", "--no-pairs") == 0
    assert files(place / "out3") == made
