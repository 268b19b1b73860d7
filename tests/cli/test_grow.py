"""`i2i grow`: the plan, growing on, growing a translator; and how it refuses."""

import json

import pytest
from PIL import Image

from i2icli.__main__ import main
from i2icli.config import RunOptions
from i2icli.metadata import read_metadata
from i2icli.training.run import train
from tests.tiny import tiny_config

SMALL = {"crop_size": 16, "num_layers": 1, "depth": 2, "steps": 2, "batch_size": 2}


@pytest.fixture
def i2i(tmp_path, monkeypatch, capsys):
    """`i2i` as a function, in a folder of its own: what it printed, with the exit code that is expected."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments, code=0):
        assert main([str(each) for each in arguments]) == code
        printed = capsys.readouterr()
        assert "Traceback" not in printed.err
        return printed

    return run


@pytest.fixture(scope="module")
def small(toy, tmp_path_factory):
    """A run of pix2pix at 16 px."""
    out = tmp_path_factory.mktemp("grow") / "small"
    return train("pix2pix", [toy("pix2pix")], tiny_config("pix2pix", **SMALL), RunOptions(out=out)).folder


def test_images_are_learned_stage_by_stage_and_a_finished_run_grows_on(i2i, toy, tmp_path):
    options = ["--width", 4, "--num-latents", 4, "--start-size", 8, "--batch-size", 2, "--precision", "fp32"]
    options += ["--stage-images", 4, "--fade-images", 4, "--sample-every", 1]
    command = ["grow", toy("progan"), "--out", "runs/faces"]
    first = i2i(*command, "--to", 16, *options)
    plan = [line.split() for line in first.err.splitlines()]
    header = plan.index(["stage", "resolution", "images", "batch", "memory", "done"])
    assert [row[:2] for row in plan[header + 1 : header + 4]] == [["8", "px"], ["16", "px,"], ["16", "px"]]
    assert plan[header + 1][2:6] == ["8", "px", "4", "2"]
    assert "finished 6 steps (spectral_distance" in first.out
    assert "i2i translate --model runs/faces --count 16 --out translated" in first.out

    again = i2i(*command, "--to", 32, "--time-limit", "0.001s")
    assert "resuming runs/faces at step 6 of 10" in again.err
    assert "in stage 32 px, fading in (alpha 0.50)" in again.err
    assert "stopped (time limit) after 7 of 10 steps" in again.out
    last = i2i(*command)
    assert "100%" in last.err
    assert "50%" in last.err
    assert "finished 10 steps (spectral_distance" in last.out
    assert len(list((tmp_path / "runs" / "faces" / "samples").iterdir())) == 8  # 1 to 6, 7 as it stopped, 10

    refused = i2i(*command, "--to", 16, code=2).err
    assert "error: --to 16: runs/faces is a run that grows to 32 px; it cannot grow to a smaller" in refused
    i2i("translate", "--model", "runs/faces", "--count", 1, "--out", "samples")
    assert Image.open(tmp_path / "samples" / "0001.png").size == (32, 32)


def test_a_run_grows_on_past_the_widths_of_its_recipe(i2i, toy, tmp_path):
    (tmp_path / "mine.toml").write_text(
        "widths = [6, 6, 4]\nstart_size = 16\nstage_images = 2\nfade_images = 2\n"
    )
    command = ["grow", toy("progan"), "--out", "run", "--to"]
    first = i2i(*command, 16, "--recipe", "mine.toml", "--batch-size", 2, "--num-latents", 4)
    assert "halving" not in first.err
    line = "--widths ends at 16 px; the next levels get: 2 at 32 px"
    assert f"# {line}" in i2i(*command, 32, "--dry-run").out.splitlines()
    grown = i2i(*command, 32)
    assert line in grown.err.splitlines()
    assert "finished 3 steps" in grown.out


@pytest.mark.parametrize("how", ["fade", "residual", "scratch"])
def test_a_translator_grows_to_twice_its_size(how, i2i, small, toy, tmp_path):
    command = ["grow", toy("pix2pix"), "--from", small, "--to", 32, "--how", how, "--steps", 4]
    command += ["--out", "runs/large"]
    stopped = i2i(*command, "--time-limit", "0.001s")
    assert "stopped (time limit) after 1 of 4 steps" in stopped.out
    assert ("starting from" in stopped.err) == (how != "scratch")
    assert "finished 4 steps (psnr" in i2i(*command).out
    model = read_metadata(tmp_path / "runs" / "large" / "model.safetensors")
    assert (model.system, model.config["crop_size"], model.config["grown"]) == ("pix2pix", 32, 1)
    i2i("translate", toy("pix2pix") / "test" / "A", "--model", "runs/large", "--out", "out")
    assert Image.open(next((tmp_path / "out").rglob("*.png"))).size == (40, 40)


def test_a_run_begun_in_another_way_goes_on_as_it_is_told(i2i, small, toy, tmp_path):
    data, out = str(toy("pix2pix")), str(tmp_path / "large")
    grow = ["grow", data, "--from", small, "--to", 32, "--out", out]
    i2i(*grow, "--time-limit", "0.001s")
    error = i2i(*grow, "--how", "residual", code=2).err.splitlines()[-1]
    assert "was started with --how fade, not with --how residual" in error
    advised = error.partition("resume with: i2i ")[2].partition(" (new run")[0]
    assert "finished 2 steps" in i2i(*advised.replace("DATA", data).split()).out


def test_the_grown_run_goes_beside_the_small_one_and_is_as_long(i2i, small, toy):
    assert "finished 2 steps" in i2i("grow", toy("pix2pix"), "--from", small).out
    rows = [json.loads(line) for line in (small.with_name("small-32") / "log.jsonl").read_text().splitlines()]
    assert {row["stage"] for row in rows if "stage" in row} <= {"32 px, fading in", "32 px"}


def test_a_dry_run_prints_the_plan_and_trains_nothing(i2i, small, toy, tmp_path):
    done = i2i("grow", toy("pix2pix"), "--from", small, "--out", "runs/x", "--dry-run")
    assert "grown = 1" in done.out
    assert "32 px, fading in" in done.err
    assert not (tmp_path / "runs").exists()


def test_a_stage_without_a_size_of_its_own_has_that_of_the_crops(i2i, small, toy):
    done = i2i("grow", toy("pix2pix"), "--from", small, "--how", "scratch", "--dry-run")
    (row,) = [line.split() for line in done.err.splitlines() if line.startswith("main")]
    assert row[1:3] == ["32", "px"]


def test_the_shortest_stages_have_a_plan(i2i, toy):
    options = "--to 8 --batch-size 2 --stage-images 2 --fade-images 2 --width 4 --num-latents 4 --dry-run"
    assert "8 px, fading in" in i2i("grow", toy("progan"), *options.split()).err


def test_a_broken_picture_is_told_in_a_line(i2i, tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    for number in range(4):
        Image.new("RGB", (16, 16), (60 * number, 99, 9)).save(data / f"{number}.png")
    whole = (data / "0.png").read_bytes()
    (data / "0.png").write_bytes(whole[: len(whole) // 2 + 10])
    options = ["--width", 4, "--num-latents", 4, "--start-size", 8, "--batch-size", 2, "--stage-images", 4]
    done = i2i("grow", data, "--to", 8, *options, "--holdout", 0, "--out", "run")
    told = [line for line in done.err.splitlines() if "0.png" in line]
    assert told
    assert all(line.startswith("warning: cannot read") for line in told)
    assert "BrokenImageWarning" not in done.err


WRONG = [
    ("--to nothing", "error: --to nothing: expected pixels like 256"),
    ("--how fade", "error: --how is for growing a trained translator; give that with --from"),
    ("--from nowhere", "error: no model 'nowhere'"),
    ("--from SMALL --widths 3", "error: --widths is an option of progan"),
    ("--from SMALL --recipe x", "error: --recipe: with --from the settings are those of the trained model"),
    ("--from SMALL --init-from x", "error: --init-from and --from both name a model"),
    ("--from SMALL --to 24", "it grows by doubling; choose one of 32, 64, 128"),
    ("--from SMALL --to 8", "it cannot grow to a smaller size"),
    ("--from SMALL --how fast", "error: --how fast: expected one of fade, residual, scratch"),
    ("--from SMALL --fade 2", "error: --fade 2: expected a number, more than 0, less than 1"),
    ("--from SMALL --out SMALL", "the trained model is there; choose another folder for the grown one"),
    ("--out SMALL", "holds a run of pix2pix; to grow it: i2i grow DATA --from"),
    ("--to 48", "choose a power of two"),
    ("--start-size 64 --to 32", "it cannot grow to a smaller size"),
    ("--from SMALL --to 64", "smaller than the 64x64 pixels to be learned"),
]


@pytest.mark.parametrize(("options", "message"), WRONG, ids=[options for options, _ in WRONG])
def test_wrong_use_is_one_line(options, message, i2i, small, toy):
    error = i2i("grow", toy("pix2pix"), *options.replace("SMALL", str(small)).split(), code=2).err
    assert message in error
    assert error.count("\n") == 1
