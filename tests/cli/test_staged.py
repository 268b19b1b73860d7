"""Progressive GAN and LAPGAN as users run them: killed, resumed, sampled, filmed, projected."""

import time

import imageio_ffmpeg
import numpy as np
import pytest
import torch
from PIL import Image

from i2icli.__main__ import main
from i2icli.config import RunOptions
from i2icli.errors import UserError
from i2icli.inference.options import TranslateOptions
from i2icli.inference.translator import Translator
from i2icli.metadata import read_metadata
from i2icli.recipe import resolve_config
from i2icli.systems.progan.system import ProGAN
from i2icli.training.run import train
from tests.tiny import tiny_config
from tests.training.commands import here, start
from tests.training.synthetic import assert_same
from tests.training.test_growth import staged
from tests.training.test_resume import final_state

TINY = {"width": 4, "num_latents": 4, "start_size": 8, "crop_size": 16, "batch_size": 2, "precision": "fp32"}
FADE = "16 px, fading in"
PATIENCE = 100  # seconds, for a busy machine


@pytest.fixture(scope="module")
def faces(toy, tmp_path_factory):
    """A finished run of Progressive GAN, of 16 px."""
    out = tmp_path_factory.mktemp("staged") / "faces"
    return train("progan", [toy("progan")], staged(), RunOptions(out=out)).folder


@pytest.fixture(scope="module")
def scenes(toy, tmp_path_factory):
    """A finished run of LAPGAN, of 16 and 32 px."""
    out = tmp_path_factory.mktemp("staged") / "scenes"
    config = tiny_config("lapgan", sides="16,32", steps=4)
    return train("lapgan", [toy("lapgan")], config, RunOptions(out=out)).folder


def ok(done):
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    return done


def pixels(path):
    return np.asarray(Image.open(path)).astype(int)


def reached(folder):
    """The stage that the saved model stands in."""
    try:
        return read_metadata(folder / "model.safetensors").stage
    except UserError:
        return None


def killed_in(stage, folder, *command, cwd):
    """Start a command and kill it once it has saved in that stage."""
    process = start(*command, cwd=cwd)
    deadline = time.monotonic() + PATIENCE
    while reached(folder) != stage and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.005)
    process.kill()
    process.communicate()
    assert reached(folder) == stage, "it was over before it could be killed"


@pytest.mark.slow
def test_killed_in_the_middle_of_a_fade_it_goes_on_to_the_bit(toy, tmp_path):
    settings = TINY | {"stage_images": 4, "fade_images": 120}
    options = [
        f"--{name.replace('_', '-')}={value}" for name, value in settings.items() if name != "crop_size"
    ]
    command = ["grow", toy("progan"), "--to", 16, *options, "--out", "run", "--save-every", "0.001s"]
    killed_in(FADE, tmp_path / "run", *command, cwd=tmp_path)
    assert 2 < final_state(tmp_path / "run")["clock"]["total"] < 62
    resumed = ok(here(*command, cwd=tmp_path))
    lines = resumed.stderr.splitlines()
    plan = next(line for line in lines if line.startswith(FADE))
    assert "%" in plan
    assert lines.index(plan) < next(n for n, line in enumerate(lines) if "resuming run at step" in line)
    whole = train("progan", [toy("progan")], resolve_config("progan", None, settings))
    assert_same(final_state(whole.folder), final_state(tmp_path / "run"))


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_samples_follow_from_the_seed_and_truncating_changes_them(faces, tmp_path):
    asked = ["translate", "--model", faces, "--count", 3, "--seed", 5]
    ok(here(*asked, "--out", "a", cwd=tmp_path))
    ok(here(*asked, "--truncate", 0.05, "--out", "b", cwd=tmp_path))
    results = list(Translator.load(faces, "cpu").sample(tmp_path / "c", TranslateOptions(samples=3, seed=5)))
    first, same, drawn = (
        [pixels(path / f"000{n}.png") for n in (1, 2, 3)] for path in map(tmp_path.joinpath, "acb")
    )
    assert len(results) == 3
    assert first[0].shape == (16, 16, 3)
    assert all(np.array_equal(*pair) for pair in zip(first, same, strict=True))
    assert not np.array_equal(first[0], first[1])
    assert not any(np.array_equal(*pair) for pair in zip(first, drawn, strict=True))
    assert (tmp_path / "a" / "compare" / "0001.png").is_file()


def test_a_film_leads_from_sample_to_sample(faces, tmp_path):
    ok(here("translate", "--model", faces, "--count", 3, "--interpolate", 4, "--out", "out", cwd=tmp_path))
    (film,) = (tmp_path / "out").glob("*.mp4")
    assert imageio_ffmpeg.count_frames_and_secs(str(film))[0] == 7


def test_a_given_picture_is_projected_and_shown_beside_what_was_found(faces, tmp_path):
    (made,) = Translator.load(faces, "cpu").sample(tmp_path / "made", TranslateOptions(samples=1, seed=7))
    done = ok(here("translate", made.target, "--model", faces, "--out", "found", cwd=tmp_path))
    assert "1 image translated into found/" in done.stderr
    found = tmp_path / "found" / made.target.name
    assert np.load(found.with_suffix(".npy")).shape == (1, 8)
    others = Translator.load(faces, "cpu").sample(tmp_path / "others", TranslateOptions(samples=8, seed=8))
    wanted = pixels(made.target)
    near = [np.abs(pixels(each.target) - wanted).mean() for each in others]
    assert np.abs(pixels(found) - wanted).mean() < 0.9 * min(near)
    sheet = pixels(tmp_path / "found" / "compare" / "0001.png")
    assert sheet.shape[1] > 2 * 128  # both, enlarged


def test_a_projection_takes_no_options_about_drawing(faces, toy, tmp_path, capsys):
    picture = next((toy("progan")).rglob("*.png"))
    for option in ("--truncate=0.5", "--count=2"):
        assert main(["translate", str(picture), "--model", str(faces), option, "--out", "found"]) == 2
        assert "finds the codes of given images itself" in capsys.readouterr().err
    assert not (tmp_path / "found").exists()


def test_out_of_memory_leaves_the_resolutions_that_are_learned(toy, tmp_path, monkeypatch):
    step = ProGAN.training_step

    def fail(self, batch):
        if batch["image"].shape[-1] == 16 and batch["image"].device.type == "cpu":  # not while planning
            raise torch.OutOfMemoryError("CUDA out of memory.")
        yield from step(self, batch)

    options = ["--width=4", "--num-latents=4", "--start-size=8", "--batch-size=2", "--precision=fp32"]
    command = ["grow", str(toy("progan")), "--to", "16", *options, "--stage-images=4", "--out", "run"]
    monkeypatch.setattr(ProGAN, "training_step", fail)
    failed = here(*command, cwd=tmp_path)
    assert failed.returncode == 1
    assert f"error: out of memory in stage {FADE} at batch size 2" in failed.stderr
    assert "the model of stage 8 px is saved in the run folder and usable" in failed.stderr
    assert "Traceback" not in failed.stderr
    ok(here("translate", "--model", "run", "--count", 1, "--out", "out", cwd=tmp_path))
    assert pixels(tmp_path / "out" / "0001.png").shape == (8, 8, 3)


def test_pictures_smaller_than_the_last_resolution_are_refused_in_a_line(toy, capsys):
    assert main(["grow", str(toy("progan")), "--to", "64"]) == 2
    error = capsys.readouterr().err
    note, line = error.splitlines()
    assert "with --to all other settings are the paper's" in note
    assert "40x40" in line
    assert "64" in line


# -- LAPGAN ----------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_killed_lapgan_goes_on_to_the_bit(toy, tmp_path):
    settings = {"sides": "16,32", "crop_size": 32, "steps": 60, "batch_size": 2, "optimizer": "adam"}
    settings |= {"width": 4, "discriminator_width": 4, "dense_width": 8, "dense_discriminator_width": 8}
    settings |= {"precision": "fp32"}
    options = [f"--{name.replace('_', '-')}={value}" for name, value in settings.items()]
    command = ["train", "lapgan", toy("lapgan"), *options, "--out", "run", "--save-every", "0.001s"]
    killed_in("32 px", tmp_path / "run", *command, cwd=tmp_path)
    ok(here(*command, cwd=tmp_path))
    whole = train("lapgan", [toy("lapgan")], resolve_config("lapgan", None, settings))
    assert_same(final_state(whole.folder), final_state(tmp_path / "run"))


def test_lapgan_makes_pictures_up_and_enlarges_given_ones(scenes, tmp_path):
    ok(
        here(
            "translate",
            "--model",
            scenes,
            "--count",
            2,
            "--seed",
            3,
            "--truncate",
            1,
            "--out",
            "a",
            cwd=tmp_path,
        )
    )
    assert pixels(tmp_path / "a" / "0002.png").shape == (32, 32, 3)
    Image.new("RGB", (20, 24), "teal").save(tmp_path / "small.png")
    ok(here("translate", "small.png", "--model", scenes, "--out", "large", cwd=tmp_path))
    assert pixels(tmp_path / "large" / "small.png").shape == (48, 40, 3)


def test_a_film_of_lapgan(scenes, tmp_path):
    ok(here("translate", "--model", scenes, "--count", 2, "--interpolate", 3, "--out", "out", cwd=tmp_path))
    (film,) = (tmp_path / "out").glob("*.mp4")
    assert imageio_ffmpeg.count_frames_and_secs(str(film))[0] == 3
