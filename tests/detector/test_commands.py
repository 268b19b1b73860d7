"""`i2i detect-fake` and `i2i detector` end to end."""

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from i2icli.__main__ import main
from i2icli.detector.detector import Detector
from i2icli.image import read_image
from i2icli.video import write_video
from tests.detector.images import faked, photograph, write_folders
from tests.training.commands import i2i as i2i_process

ROOT = Path(__file__).parents[2]


class Result:
    """The output and exit code of a command."""

    def __init__(self, returncode, stdout, stderr):
        self.returncode, self.stdout, self.stderr = returncode, stdout, stderr


@pytest.fixture
def i2i(capsys, monkeypatch, tmp_path):
    """Runs a command in this process, with `tmp_path` as its working folder."""

    def run(*words):
        monkeypatch.chdir(tmp_path)
        capsys.readouterr()
        code = main([str(word) for word in words])
        return Result(code, *capsys.readouterr())

    return run


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with real.png and fake.png."""
    folder = tmp_path_factory.mktemp("kinds")
    pixels = photograph(0, 160)
    Image.fromarray(pixels).save(folder / "real.png")
    Image.fromarray(faked(pixels, 1)).save(folder / "fake.png")
    return folder


def lines(done):
    return {row["file"].split("/")[-1]: row for row in map(json.loads, done.stdout.splitlines())}


def test_verdicts_come_with_explanations_and_exit_codes(i2i, folder):
    both = i2i_process("detect-fake", "real.png", "fake.png", "--json", cwd=folder)
    assert both.returncode == 3, both.stderr
    found = lines(both)
    assert found["fake.png"]["verdict"] == "fake"
    assert found["fake.png"]["probability"] > 0.95
    assert "dB above its neighbours" in found["fake.png"]["reason"]
    assert found["real.png"]["verdict"] != "fake"
    assert found["real.png"]["probability"] < 0.5
    table = i2i("detect-fake", folder / "fake.png")
    assert table.stdout.split()[0] == "fake"
    assert table.returncode == 3


def test_csv_is_a_table_for_spreadsheets(i2i, folder):
    done = i2i("detect-fake", folder, "--csv")
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert {row["verdict"] for row in rows} >= {"fake"}
    assert all(0 <= float(row["probability"]) <= 1 for row in rows)


def test_every_kind_of_image_gets_a_verdict_or_a_one_line_error(i2i, tmp_path):
    pixels = faked(photograph(3, 128), 2)
    image = Image.fromarray(pixels)
    image.convert("CMYK").save(tmp_path / "cmyk.jpg", quality=95)
    image.convert("L").save(tmp_path / "grey.png")
    image.convert("RGBA").save(tmp_path / "alpha.png")
    Image.fromarray(pixels[..., 0].astype(np.uint16) * 257).save(tmp_path / "deep.png")
    image.resize((12, 12)).save(tmp_path / "tiny.png")
    Image.new("RGB", (200, 200), "red").save(tmp_path / "flat.png")
    image.save(tmp_path / "moving.webp", save_all=True, append_images=[image.rotate(90)])
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n damaged")
    (tmp_path / "empty.jpg").write_bytes(b"")
    done = i2i("detect-fake", tmp_path, "--json")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    found = lines(done)
    assert len(found) == 9
    assert {name for name, row in found.items() if row["verdict"] == "failed"} == {
        "moving.webp",
        "broken.png",
        "empty.jpg",
    }
    assert (
        found["grey.png"]["verdict"]
        == found["alpha.png"]["verdict"]
        == found["deep.png"]["verdict"]
        == "fake"
    )
    assert found["tiny.png"]["verdict"] == "uncertain"
    assert "too small" in found["tiny.png"]["reason"]
    assert "not photographic" in found["flat.png"]["doubts"][0]
    assert all("\n" not in row["reason"] for row in found.values())


def test_the_frames_of_a_video_vote(i2i, tmp_path):
    frames = [faked(photograph(seed, 128), 5) for seed in range(6)]
    write_video(tmp_path / "video.mp4", frames, 6)
    done = i2i("detect-fake", tmp_path / "video.mp4", "--json")
    row = lines(done)["video.mp4"]
    assert sum(row["frames"].values()) == 6
    assert row["verdict"] == "fake"
    calm = photograph(0, 128) // 8 + 100
    write_video(tmp_path / "calm.mp4", [calm] * 12, 6)
    calm_result = lines(i2i("detect-fake", tmp_path / "calm.mp4", "--json"))["calm.mp4"]
    assert calm_result["verdict"] == "uncertain"
    drawn = np.full((128, 128, 3), 200, np.uint8)
    drawn[40:60, 40:60] = photograph(1, 20)
    write_video(tmp_path / "drawn.mp4", [drawn] * 6, 6)
    cartoon = lines(i2i("detect-fake", tmp_path / "drawn.mp4", "--json"))["drawn.mp4"]
    assert cartoon["verdict"] == "uncertain"
    assert "not photographic" in cartoon["doubts"][0]
    whole = Image.fromarray(photograph(0, 256))
    parts = [whole.crop((0, 0, side, side)) for side in range(215, 155, -10)]
    zoom = [np.asarray(each.resize((256, 256), Image.Resampling.BILINEAR)) for each in parts]
    write_video(tmp_path / "zoom.mp4", zoom, 6)
    enlarged = lines(i2i("detect-fake", tmp_path / "zoom.mp4", "--json"))["zoom.mp4"]
    assert "most frames are uncertain: resized" in enlarged["doubts"][0]
    (tmp_path / "no.mp4").write_bytes(b"nothing")
    broken = i2i("detect-fake", tmp_path / "no.mp4")
    assert broken.returncode == 1
    assert "not a video" in broken.stdout


def test_usage_errors_are_reported_in_one_line(i2i, tmp_path, folder):
    for words, expected in (
        (["nothing.png"], "no such file"),
        ([tmp_path], "no images or videos"),
        ([str(tmp_path / "*.png")], "*.png: matches no file"),
        ([folder / "real.png", "--mode", "magic"], "expected one of traces, profile"),
        ([folder / "real.png", "--json", "--csv"], "choose one"),
        ([folder / "real.png", "--model", folder / "real.png"], "not a readable detector"),
    ):
        done = i2i("detect-fake", *words)
        assert done.returncode in (1, 2), words
        assert expected in done.stderr + done.stdout, (words, done.stderr)
        assert "Traceback" not in done.stderr


def test_only_inputs_that_match_no_file_are_a_usage_error(i2i, tmp_path):
    (tmp_path / "broken.png").write_text("hello")
    for words, code in (
        (["none.png"], 2),
        (["*.xyz", "none.png", "no.jpg"], 2),
        (["none.png", "broken.png"], 1),
    ):
        done = i2i("detect-fake", *words)
        assert done.returncode == code, words
        assert "none.png" in done.stderr + done.stdout
        assert code == 1 or done.stderr.startswith("error: ")


def test_missing_inputs_do_not_stop_the_others(i2i, tmp_path, folder):
    (tmp_path / "none").mkdir()
    done = i2i("detect-fake", "nothing.png", "none", "*.gif", folder / "fake.png", "--json")
    assert done.returncode == 1
    found = {name: row["verdict"] for name, row in lines(done).items()}
    assert found == {"nothing.png": "failed", "none": "failed", "*.gif": "failed", "fake.png": "fake"}


def test_usage_errors_are_reported_before_torch_is_loaded(folder):
    image = str(folder / "real.png")
    for words in (
        ["detect-fake", image, "--mode", "magic"],
        ["detect-fake", image, "--json", "--csv"],
        ["detect-fake", image, "--plot", image],
        ["detector", "fit", "a", "b", "--classifier", "oracle"],
        ["detector", "evaluate", "a", "b", "--mode", "magic"],
        ["spectrum", image, "--json", "--csv"],
        ["spectrum", image, "--out", "curves.txt"],
        ["spectrum", image, "--out", image],
    ):
        script = (
            f"import sys; from i2icli.__main__ import main; print(main({words!r}), 'torch' in sys.modules)"
        )
        done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True)
        assert done.stdout == "2 False\n", (words, done.stderr)


def test_a_plot_shows_the_spectrum(i2i, folder, tmp_path):
    done = i2i("detect-fake", folder / "fake.png", "--plot", tmp_path / "plots")
    assert done.returncode == 3
    with Image.open(tmp_path / "plots" / "fake-spectrum.png") as image:
        assert image.width > 300
    Image.new("RGB", (20, 20)).save(tmp_path / "tiny.png")
    again = i2i("detect-fake", folder / "fake.png", tmp_path / "tiny.png", "--plot", tmp_path / "plots")
    assert f"not plotted: {tmp_path / 'tiny.png'}: no features" in again.stderr
    assert "fake-spectrum-2.png" in again.stderr
    profile = i2i("detect-fake", folder / "real.png", "--plot", tmp_path / "plots", "--mode", "profile")
    assert "plotted: " in profile.stderr
    with Image.open(tmp_path / "plots" / "real-spectrum.png") as image:
        assert image.size == (900, 568)  # a chart of two lines: the image and photographs


def test_existing_files_are_kept(i2i, folder, tmp_path):
    for name, words in (
        ("d.safetensors", ["fit", folder, folder, "--out", tmp_path / "d.safetensors"]),
        ("curves.png", ["evaluate", folder, folder, "--out", tmp_path]),
    ):
        (tmp_path / name).write_text("mine")
        done = i2i("detector", *words)
        assert done.returncode == 2
        assert f"{name} exists already" in done.stderr
        assert (tmp_path / name).read_text() == "mine"


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    return write_folders(tmp_path_factory.mktemp("folders"), 14)


def test_a_detector_is_fitted_evaluated_and_used(i2i, folders, tmp_path):
    pytest.importorskip("sklearn")
    real, fake = folders
    done = i2i("detector", "fit", real, fake, "--classifier", "svm", "--json", "--out", "d.safetensors")
    assert done.returncode == 0, done.stderr
    printed = json.loads(done.stdout)
    assert printed["leaks"] == []
    assert printed["scores"]["accuracy"] > 0.8
    used = i2i("detect-fake", fake / "0.png", real / "0.png", "--model", "d.safetensors", "--json")
    found = lines(used)
    assert len(used.stdout.splitlines()) == 2, found
    words = ["--model", "d.safetensors", "--conditions", "as they are,JPEG 90", "--out", "report", "--json"]
    measured = i2i("detector", "evaluate", real, fake, *words)
    assert measured.returncode == 0, measured.stderr
    rows = json.loads(measured.stdout)
    assert [row["condition"] for row in rows] == ["as they are", "JPEG 90"]
    assert (rows[0]["reals"], rows[0]["fakes"], rows[0]["false_alarms"]) == (14, 14, 0)
    assert rows[0]["auc"] > 0.9
    assert {path.name for path in (tmp_path / "report").iterdir()} == {
        "scores.csv",
        "curves.png",
        "calibration.png",
    }


def test_leaks_are_reported_and_equalised(i2i, tmp_path):
    pytest.importorskip("sklearn")
    real, fake = write_folders(tmp_path, 11)
    for index in range(11):  # photographs in both folders, of different size and format
        (fake / f"{index}.png").unlink()
        Image.fromarray(photograph(2000 + index, 120)).save(fake / f"{index}.jpg", quality=60)
    done = i2i("detector", "fit", real, fake, "--json", "--out", "a.safetensors")
    leaks = " ".join(json.loads(done.stdout)["leaks"])
    assert "image size" in leaks
    assert "file format" in leaks
    assert "--equalise" in done.stderr
    words = ["--equalise", "--json", "--out", "b.safetensors"]
    equal = i2i("detector", "fit", real, fake, *words)
    assert equal.returncode == 0, equal.stderr
    assert Detector.load(tmp_path / "b.safetensors").info.equal_side == 88
    assert Detector.load(tmp_path / "b.safetensors").predict(photograph(9, 200)).probability is not None
    assert "image size alone" in equal.stderr
    assert equal.stderr.count("cannot undo compression") == 3  # format, quality, grid


def test_evaluation_preprocesses_as_prediction_does(i2i, tmp_path):
    pytest.importorskip("sklearn")
    real, fake = write_folders(tmp_path, 11)
    for index in range(11):
        Image.fromarray(photograph(index, 130)).convert("L").save(real / f"{index}.png")
    words = ["--features", "traces", "--equalise", "--out", "e.safetensors"]
    assert i2i("detector", "fit", real, fake, *words).returncode == 0
    detector = Detector.load(tmp_path / "e.safetensors")
    assert detector.info.equal_channels == 1  # as colour would separate the folders
    rows = np.stack([detector.extract(read_image(file).pixels) for file in real.iterdir()])
    assert detector.reference is not None
    np.testing.assert_allclose(
        detector.reference.location, rows.mean(0), atol=1e-9
    )  # fitted to equalised images
    measured = i2i(
        *("detector", "evaluate", real, fake, "--model", "e.safetensors", "--out", "report", "--json"),
        *("--conditions", "as they are,0.5x"),
    )
    assert measured.returncode == 0, measured.stderr
    assert "not evaluated: 0.5x" in measured.stderr
    (row,) = json.loads(measured.stdout)
    probabilities = {
        file: detector.predict_file(file).probability for folder in (real, fake) for file in folder.iterdir()
    }
    right = [
        np.mean([(each > 0.5) == is_fake for file, each in probabilities.items() if file.parent == folder])
        for folder, is_fake in ((real, False), (fake, True))
    ]
    assert row["accuracy"] == pytest.approx(np.mean(right))
    errors = i2i("detector", "evaluate", real, fake, "--model", "e.safetensors", "--conditions", "0.5x")
    assert errors.returncode == 2
    assert "too small" in errors.stderr


def test_a_detector_of_raw_profiles_refuses_other_sizes(i2i, tmp_path):
    """Also if it was fitted to landscape and portrait images of one length."""
    pytest.importorskip("sklearn")
    real, fake = write_folders(tmp_path, 11, 64)
    for index, file in enumerate([*real.iterdir(), *fake.iterdir()]):
        with Image.open(file) as image:
            image.crop((0, 0, 64, 48) if index % 2 else (0, 0, 48, 64)).save(file)
    words = ["--features", "raw-profile", "--out", "raw.safetensors"]
    assert i2i("detector", "fit", real, fake, *words).returncode == 0
    Image.fromarray(photograph(0, 128)).save(tmp_path / "other.png")
    done = i2i("detect-fake", "other.png", "real/0.png", "--model", "raw.safetensors", "--json")
    found = lines(done)
    assert found["other.png"]["probability"] is None
    assert "reads only" in found["other.png"]["reason"]
    assert found["0.png"]["probability"] is not None


def test_folders_that_cannot_be_fitted_are_refused(i2i, folders, tmp_path):
    pytest.importorskip("sklearn")
    real, fake = folders
    few, tiny, empty = (tmp_path / name for name in ("few", "tiny", "empty"))
    for folder in (few, tiny, empty):
        folder.mkdir()
    Image.fromarray(photograph(0, 96)).save(few / "a.png")
    (few / "broken.png").write_text("hello")
    for number in range(3):
        Image.fromarray(photograph(0, 4)).save(tiny / f"{number}.png")
    for words, expected in (
        ([real, real], "the same folder"),
        ([real.parent, fake], f"{fake}: inside {real.parent}, so its images would be photographs and fakes"),
        ([real, real.parent, "--equalise"], f"{real}: inside {real.parent}, so"),
        ([real, few], "at least 10"),
        ([few, empty], f"{empty}: no images; expected a folder of fakes: PNG, JPEG, "),
        ([few, tiny], f"{tiny}: none of 3 images can be used; expected fakes; choose another folder"),
        ([few, tiny], f"the first: {tiny / '0.png'}: "),
        ([tiny, few], "expected photographs; choose"),
        ([real, tmp_path / "none"], "no such folder"),
        ([real, real / "none"], "no such folder"),
        ([real, fake, "--out", "d.pkl"], "safetensors"),
        ([real, fake, "--classifier", "oracle"], "expected one of logistic"),
    ):
        done = i2i("detector", "fit", *words)
        assert done.returncode == 2, (words, done.stderr)
        assert expected in done.stderr, done.stderr
        assert "Traceback" not in done.stderr


@pytest.mark.parametrize("form", [[], ["--json"], ["--csv"]])
def test_every_run_says_once_what_real_means(i2i, folder, form):
    for files, count in (([folder / "fake.png"], "1 file: 1 fake; "), ([folder], "2 files: 1 fake, 1 ")):
        done = i2i("detect-fake", *files, *form)
        (line,) = [line for line in done.stderr.splitlines() if "diffusion and StyleGAN leave none" in line]
        assert line.startswith(count)
        assert "real means no up-convolution lattice" in line
        assert "StyleGAN" not in done.stdout
    profile = i2i("detect-fake", folder, "--mode", "profile", *form)
    assert profile.stderr.count("real means like the photographs it was fitted to") == 1


def test_what_files_leave_open_is_read_as_asked(i2i, tmp_path):
    pages = np.stack([photograph(number, 96)[..., 0] for number in range(2)])
    tifffile.imwrite(tmp_path / "pages.tif", pages, photometric="minisblack")
    Image.fromarray(pages[1]).save(tmp_path / "second.png")
    done = i2i("detect-fake", "pages.tif", "--json")
    assert done.returncode == 1
    assert "--pages" in done.stdout
    done = i2i("detect-fake", "pages.tif", "second.png", "--json", "--pages", "2")
    asked, second = lines(done).values()
    assert asked["probability"] == second["probability"]
    done = i2i("detect-fake", "pages.tif", "--pages", "images")
    assert done.returncode == 2
    assert "--pages images: a file has one verdict; expected channels or the number" in done.stderr
