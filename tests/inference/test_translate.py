"""Files in, files out: what is found, kept, refused and left alone."""

import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import i2icli
from i2icli.__main__ import main
from i2icli.config import RunOptions
from i2icli.errors import UserError
from i2icli.image import DecodedImage, read_image, write_image
from i2icli.inference.options import TranslateOptions
from i2icli.inference.translator import Translator
from i2icli.report.sheet import SheetWriter
from i2icli.task import names_of
from i2icli.training.run import train
from tests.tiny import tiny_config

ROOT = Path(__file__).parents[2]
SIZE = (37, 50)  # height, width: of no network's liking


@pytest.fixture(scope="module")
def models(tmp_path_factory, toy):
    """runs/pix2pix and runs/cyclegan, trained for two steps."""
    folder = tmp_path_factory.mktemp("models")
    for name, changes in (("pix2pix", {}), ("cyclegan", {"domains": ("day", "dusk")})):
        train(
            name, [toy(name)], tiny_config(name, steps=2, **changes), RunOptions(out=folder / "runs" / name)
        )
    return folder


@pytest.fixture
def place(models, tmp_path, monkeypatch):
    """A working folder with photos/ in it and the runs beside."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs").symlink_to(models / "runs")
    rng = np.random.default_rng(0)
    for name in ("a.png", "nested/b.JPG", "nested/deep/c.webp"):
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (*SIZE, 3), np.uint8)).save(path)
    return tmp_path


def run(*arguments):
    return main(["translate", *map(str, arguments)])


def files(folder):
    return sorted(
        str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file() and path.name[0] != "."
    )


def test_a_folder_keeps_its_structure_names_and_sizes(place):
    assert run("photos", "--model", "cyclegan", "--out", "out") == 0
    assert files(place / "out") == ["a.png", "nested/b.JPG", "nested/deep/c.webp"]
    for name, kind in (("a.png", "png"), ("nested/b.JPG", "jpeg"), ("nested/deep/c.webp", "webp")):
        before, after = (read_image(place / folder / name) for folder in ("photos", "out"))
        assert (after.format, after.pixels.shape) == (kind, (*SIZE, 3))
        assert not np.array_equal(before.pixels, after.pixels)


def test_globs_files_and_a_list_on_stdin(place, monkeypatch):
    assert run("photos/*.png", "photos/**/*.webp", "--model", "runs/cyclegan", "--out", "globs") == 0
    assert files(place / "globs") == ["a.png", "c.webp"]
    monkeypatch.setattr(sys, "stdin", io.StringIO("photos/a.png\n\nphotos/nested/b.JPG\r\n"))
    assert run("-", "--model", "runs/cyclegan", "--out", "listed") == 0
    assert files(place / "listed") == ["a.png", "b.JPG"]
    assert run("photos/a.png", "photos/a.png", "photos/./a.png", "--model", "cyclegan", "--out", "once") == 0


def test_missing_and_broken_files_do_not_stop_the_others(place):
    (place / "photos" / "broken.png").write_bytes((place / "photos" / "a.png").read_bytes()[:200])
    (place / "photos" / "text.png").write_text("hello")
    command = [
        sys.executable,
        "-m",
        "i2icli",
        "translate",
        "photos",
        "photos/none.jpg",
        "--model",
        "cyclegan",
    ]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [*command, "--out", "out", "--json"], cwd=place, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 1, done.stderr
    rows = {row["source"]: row for row in map(json.loads, done.stdout.splitlines())}
    assert {Path(name).name: row["status"] for name, row in rows.items()} == {
        "a.png": "done", "b.JPG": "done", "c.webp": "done",
        "broken.png": "failed", "text.png": "failed", "none.jpg": "failed",
    }  # fmt: skip
    assert "3 images translated into out/, 3 failed" in done.stderr
    for name, reason in (
        ("broken", "damaged or truncated"),
        ("text", "not an image"),
        ("none", "no such file"),
    ):
        (line,) = [line for line in done.stderr.splitlines() if name in line]
        assert line.startswith("failed: ")
        assert line.count(f"photos/{name}.") == 1
        assert reason in line
    assert files(place / "out") == ["a.png", "nested/b.JPG", "nested/deep/c.webp"]


def test_only_names_of_nothing_are_wrong_use(place, capsys):
    (place / "empty").mkdir()
    (place / "broken.png").write_text("hello")
    for words, code in ((["none.png"], 2), (["empty"], 2), (["none.png", "empty", "*.xyz"], 2),
                        (["broken.png"], 1), (["none.png", "broken.png"], 1),
                        (["empty", "photos/a.png"], 1)):  # fmt: skip
        assert run(*words, "--model", "pix2pix", "--out", "out") == code, words
        error = capsys.readouterr().err
        assert all(word in error for word in words[:1])
        assert error.startswith("error: " if code == 2 else "failed: ")
        assert code == 1 or error.count("\n") == 1
    assert files(place / "out") == ["a.png"]


def test_results_never_land_on_inputs(place, capsys):
    before = (place / "photos" / "a.png").read_bytes()
    for inputs in (["photos"], ["photos/a.png"], ["photos/*.png"]):
        assert run(*inputs, "--model", "cyclegan", "--out", "photos", "--overwrite") == 2
    assert "would replace the input photos/a.png" in capsys.readouterr().err
    (place / "link").symlink_to(place / "photos")
    assert run("photos/a.png", "--model", "cyclegan", "--out", "link") == 2
    assert (place / "photos" / "a.png").read_bytes() == before


def test_two_inputs_cannot_share_a_result(place, capsys):
    shutil.copy(place / "photos" / "a.png", place / "photos" / "nested" / "a.png")
    assert run("photos/a.png", "photos/nested/a.png", "--model", "cyclegan", "--out", "out") == 1
    assert "its result would be out/a.png, as that of photos/a.png" in capsys.readouterr().err


def test_files_of_the_user_in_the_out_folder_stay(place, capsys):
    (place / "out").mkdir()
    (place / "out" / "a.png").write_text("mine")
    for _ in range(2):  # nor does the second run take it for its own
        assert run("photos/a.png", "--model", "cyclegan", "--out", "out") == 1
        assert "out/a.png exists and was not made with this model" in capsys.readouterr().err
    assert (place / "out" / "a.png").read_text() == "mine"
    assert run("photos/a.png", "--model", "cyclegan", "--out", "out", "--overwrite") == 0


def test_a_second_run_leaves_what_is_there_and_does_the_rest(place, capsys):
    assert run("photos", "--model", "cyclegan", "--out", "out") == 0
    (place / "out" / "nested" / "b.JPG").unlink()
    times = {path: path.stat().st_mtime_ns for path in (place / "out").rglob("[!.]*.*")}
    assert run("photos", "--model", "cyclegan", "--out", "out", "--to", "dusk") == 0  # dusk is the default
    assert "1 image translated into out/, 2 already done (--overwrite to redo)" in capsys.readouterr().err
    assert {path: path.stat().st_mtime_ns for path in times} == times
    assert (place / "out" / "nested" / "b.JPG").exists()


@pytest.mark.usefixtures("place")
def test_without_a_target_the_first_is_said(capsys):
    assert run("photos/a.png", "--model", "cyclegan", "--out", "out") == 0
    assert "translating to dusk (default); --to day for the other way\n" in capsys.readouterr().err
    assert run("photos/a.png", "--model", "cyclegan", "--to", "dusk", "--out", "out") == 0
    assert run("photos/a.png", "--model", "pix2pix", "--out", "other") == 0
    assert "--to" not in capsys.readouterr().err


def test_rows_of_one_name_are_told_apart_by_their_folders(place, monkeypatch):
    (place / "photos" / "b.JPG").write_bytes((place / "photos" / "nested" / "b.JPG").read_bytes())
    for name in ("x/same/d.png", "y/same/d.png"):
        (place / "photos" / name).parent.mkdir(parents=True)
        shutil.copy(place / "photos" / "a.png", place / "photos" / name)
    shown = []
    monkeypatch.setattr(SheetWriter, "add", lambda _writer, _row, caption: shown.append(caption))
    plan = Translator.load("pix2pix", "cpu").run(["photos"], place / "out", TranslateOptions(compare=True))
    assert all(result.status == "done" for result in plan)
    assert sorted(shown) == [
        "a.png",
        "c.webp",
        "nested/b.JPG",
        "photos/b.JPG",
        "x/same/d.png",
        "y/same/d.png",
    ]


@pytest.mark.usefixtures("place")
def test_an_out_folder_inside_the_inputs_is_no_input(capsys):
    for expected in ("3 images translated into photos/out/", "3 already done"):
        assert run("photos", "--model", "cyclegan", "--out", "photos/out") == 0
        assert expected in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (["--to", "day"], "--to"),
        (["--model", "pix2pix"], "--model"),
        (["--size", "32"], "--size"),
        (["--seed", "1"], "--seed"),
    ],
)
def test_another_making_needs_another_folder(change, named, place, capsys):
    assert run("photos/a.png", "--model", "cyclegan", "--out", "out") == 0
    first = (place / "out" / "a.png").read_bytes()
    again = [
        "photos/a.png",
        *([] if "--model" in change else ["--model", "cyclegan"]),
        "--out",
        "out",
        *change,
    ]
    capsys.readouterr()
    assert run(*again) == 2
    error = capsys.readouterr().err
    assert f"out holds results made with another {named}" in error
    assert "--overwrite" in error
    assert error.count("\n") == 1
    assert (place / "out" / "a.png").read_bytes() == first
    assert run(*again, "--overwrite") == 0


@pytest.mark.usefixtures("place")
def test_results_of_an_abandoned_overwrite_are_not_mixed_up(capsys):
    assert run("photos", "--model", "cyclegan", "--out", "out") == 0
    assert run("photos/a.png", "--model", "cyclegan", "--out", "out", "--to", "day", "--overwrite") == 0
    capsys.readouterr()
    assert run("photos", "--model", "cyclegan", "--out", "out", "--to", "day") == 1
    error = capsys.readouterr().err
    assert "1 already done (--overwrite to redo), 2 failed" in error
    assert "not made with this model" in error


def test_format_and_size(place, capsys):
    assert run("photos", "--model", "cyclegan", "--out", "out", "--format", "tif", "--size", "64x48") == 0
    assert files(place / "out") == ["a.tif", "nested/b.tif", "nested/deep/c.tif"]
    assert {read_image(place / "out" / name).pixels.shape for name in files(place / "out")} == {(48, 64, 3)}
    assert run("photos", "--model", "cyclegan", "--out", "x", "--format", "gif") == 2
    assert "--format gif: read but not written; expected png" in capsys.readouterr().err
    (place / "file").write_text("")
    assert run("photos", "--model", "cyclegan", "--out", "file") == 2
    assert "cannot write to --out file" in capsys.readouterr().err


def test_compare_writes_sheets_of_everything(place):
    assert run("photos", "--model", "cyclegan", "--out", "out") == 0
    assert run("photos", "--model", "cyclegan", "--out", "out", "--compare") == 0  # all there already
    with Image.open(place / "out" / "compare" / "0001.png") as sheet:
        height, width = SIZE
        assert sheet.width > 2 * 2 * width  # small images are shown twice as large
        assert sheet.height > 3 * 2 * height
        pixels = np.asarray(sheet)
    before = read_image(place / "photos" / "a.png").pixels
    found = [
        (y, x)
        for y in range(pixels.shape[0] - height)
        for x in range(8)
        if np.array_equal(pixels[y : y + 8 : 2, x : x + 8 : 2], before[:4, :4])
    ]
    assert found  # the input, unharmed, in the first column


KINDS = {
    "grey.png": ((*SIZE,), np.uint8),
    "deep.png": ((*SIZE,), np.uint16),
    "deep.tif": ((*SIZE, 3), np.uint16),
    "float.npy": ((*SIZE, 3), np.float32),
    "flat.npy": ((*SIZE,), np.float32),
}


def test_depth_and_alpha_are_kept(place):
    rng = np.random.default_rng(0)
    folder = place / "kinds"
    folder.mkdir()
    for name, (shape, dtype) in KINDS.items():
        noise = rng.random(shape)
        pixels = (
            (noise * 2 - 1).astype(dtype)
            if dtype is np.float32
            else (noise * np.iinfo(dtype).max).astype(dtype)
        )
        write_image(folder / name, DecodedImage(pixels.reshape(*SIZE, -1), None, "png"))
    alpha = rng.integers(0, 256, SIZE, np.uint8)
    Image.fromarray(np.dstack([np.full((*SIZE, 3), 9, np.uint8), alpha])).save(folder / "alpha.png")
    assert run("kinds", "--model", "cyclegan", "--out", "out") == 0
    for name, (_, dtype) in KINDS.items():
        after = read_image(place / "out" / name).pixels
        assert (after.shape[:2], after.dtype) == (SIZE, dtype), name
    after = read_image(place / "out" / "alpha.png")
    assert np.array_equal(after.alpha, alpha)
    assert after.pixels.std() > 0


@pytest.mark.parametrize("name", ["pix2pix", "cyclegan"])
def test_batches_of_any_size_give_the_same_answers(name, place):
    folder = place / "many"
    folder.mkdir()
    rng = np.random.default_rng(1)
    for index, size in enumerate([SIZE, SIZE, (32, 32), SIZE, SIZE, SIZE, SIZE, (64, 20)]):
        np.save(folder / f"{index}.npy", rng.random((*size, 3), np.float32) * 2 - 1)
    for count in (1, 4):
        assert (
            run("many", "--model", name, "--out", f"by{count}", "--batch-size", count, "--precision", "fp32")
            == 0
        )
    for index in range(8):
        single, batched = (np.load(place / f"by{count}" / f"{index}.npy") for count in (1, 4))
        np.testing.assert_allclose(single, batched, atol=1e-5)


@pytest.mark.usefixtures("place")
def test_low_precision_is_close():
    image = np.random.default_rng(2).random((64, 64, 3), np.float32) * 2 - 1
    exact, low = (i2icli.load("cyclegan", precision=each).translate(image) for each in ("fp32", "bf16"))
    assert np.abs(exact - low).max() > 0
    assert np.square((exact - low) / 2).mean() < 1e-4  # 40 dB


def test_from_python(place):
    model = i2icli.load("runs/cyclegan")
    path = place / "photos" / "a.png"
    with Image.open(path) as image:
        answers = [model.translate(path), model.translate(str(path)), model.translate(image)]
        pixels = np.asarray(image)
    assert all(isinstance(answer, Image.Image) and answer.size == SIZE[::-1] for answer in answers)
    assert np.array_equal(np.asarray(answers[0]), model.translate(pixels))
    assert all(np.array_equal(np.asarray(answers[0]), np.asarray(answer)) for answer in answers)
    assert not np.array_equal(model.translate(pixels, to="day"), model.translate(pixels, to="dusk"))
    with pytest.raises(UserError, match=r"cannot read the image: shape \(2,\); expected height x width"):
        model.translate(np.zeros(2, np.uint8))
    with pytest.raises(
        UserError, match=r"cannot read the image: values of type int64; expected uint8, uint16"
    ):
        model.translate(np.zeros((8, 8), np.int64))


@pytest.mark.usefixtures("place")
def test_a_model_is_found_by_path_run_system_and_file(capsys):
    for model in (
        "runs/cyclegan",
        "runs/cyclegan/best.safetensors",
        "runs/cyclegan/model.safetensors",
        "cyclegan",
    ):
        assert names_of(Translator.load(model).outputs().tasks) == ("dusk", "day")
    assert run("photos", "--model", "horses") == 2
    assert "no model 'horses': no such file, run or system; runs under runs: " in capsys.readouterr().err


@pytest.mark.usefixtures("place")
def test_info_says_what_the_model_is(capsys):
    assert main(["info", "cyclegan"]) == 0
    told = capsys.readouterr().out
    for text in (
        "2 of 2 steps",
        "to dusk (default)",
        "to day",
        "psnr/day_to_dusk",
        "G_AB",
        "--width",
        "best.safetensors",
    ):
        assert text in told
    assert main(["info", "runs/pix2pix", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["system"], facts["step"], facts["changed"]["width"]) == ("pix2pix", 2, 4)


def test_a_huge_picture_is_refused_and_the_rest_go_on(place, capsys):
    np.lib.format.open_memmap(place / "photos" / "huge.npy", "w+", np.uint8, (40_000, 40_000)).flush()
    assert run("photos", "--model", "cyclegan", "--out", "out") == 1
    assert "3 images translated into out/, 1 failed" in capsys.readouterr().err
