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
from i2icli.inference.truth import score
from i2icli.metadata import read_metadata
from i2icli.task import PairSide
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
    assert "data holds both sides: A is translated (2 images), B is the ground truth of 2; " in error
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
    assert "warning: data/A/1.png is not scored: cannot read data/B/1.png: not an image" in shown.err
    assert [json.loads(row)["psnr"] is None for row in shown.out.splitlines()] == [True, False]
    assert "2 images translated into out/" in shown.err


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
