"""What a user does, from folders to pictures, with the real command."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

from i2icli import registry
from i2icli.recipe import write_recipe
from i2icli.task import Task
from tests.tiny import tiny_config, with_large_ones_slow
from tests.training.commands import here
from tests.training.commands import i2i as process


def ok(done):
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    return done


def default_task(name: str) -> Task:
    """What a tiny system is asked for by default, at the end of its training."""
    config = tiny_config(name)
    return config.tasks(config.stages()[-1])[0]


ALONE = ("pix2pix", "paired_cyclegan")
"""Run in processes of their own: the plainest command, and one that needs a reference."""
TRANSLATING = [name for name in registry.SYSTEMS if not default_task(name).generates]


@pytest.mark.parametrize("name", with_large_ones_slow(TRANSLATING))
def test_train_resume_translate_look(name, toy, tmp_path):
    i2i = process if name in ALONE else here
    data = toy(name)
    write_recipe(tmp_path / "tiny.toml", name, tiny_config(name, steps=6))
    command = [
        "train",
        name,
        data,
        "--recipe",
        "tiny.toml",
        "--log-every",
        2,
        "--sample-every",
        3,
        "--validate-every",
        3,
    ]

    stopped = ok(i2i(*command, "--time-limit", "0.001s", cwd=tmp_path))
    folder = tmp_path / "runs" / f"{name}-{data.name}"
    assert f"stopped (time limit) after 1 of 6 steps: runs/{name}-{data.name}" in stopped.stdout
    assert "run the same command again" in stopped.stdout

    resumed = ok(i2i(*command, cwd=tmp_path))
    assert "at step 1 of 6" in resumed.stderr
    assert "finished 6 steps (psnr" in resumed.stdout
    rows = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows if "validation" not in row] == [1, 2, 4, 6]  # 1: where it was stopped
    assert [row["step"] for row in rows if "validation" in row] == [3, 6]
    assert torch.load(folder / "resume.pt", weights_only=True)["clock"]["total"] == 6
    assert sorted(path.name for path in (folder / "samples").iterdir()) == [
        "000001.png",
        "000003.png",
        "000006.png",
    ]

    places = ("test/A", "testA", "test/source", "test/night", "test/labels", "test")
    photos = next(data / place for place in places if (data / place).is_dir())
    task = default_task(name)
    scale = task.output.scale
    look = ["--reference", next(photos.rglob("*.png"))] if "reference" in task.requires else []
    translate = ["translate", photos, "--model", name, "--out", "out", "--compare", *look]
    translated = ok(i2i(*translate, cwd=tmp_path))
    count = len(list(photos.rglob("*.png")))
    assert f"{count} images translated into out/" in translated.stderr
    for path in photos.rglob("*.png"):
        answer = tmp_path / "out" / path.relative_to(photos)
        with Image.open(path) as before, Image.open(answer) as after:
            assert after.size == (before.width * scale, before.height * scale)
            mode = (
                "RGB" if before.mode in ("P", "L") else before.mode
            )  # photos of label maps; colours of greys
            assert (mode, before.format) == (after.mode, after.format)
            assert not np.array_equal(np.asarray(before), np.asarray(after))
    assert (tmp_path / "out" / "compare" / "0001.png").is_file()

    told = ok(i2i("info", name, cwd=tmp_path)).stdout
    for text in (f"{name}: ", "6 of 6 steps", "psnr", "--width", "best.safetensors"):
        assert text in told
