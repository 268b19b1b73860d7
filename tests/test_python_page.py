"""docs/python.md: its examples run, in order, in a folder of their own, with tiny networks."""

import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import i2icli
from tests.tiny import TINY

PAGE = Path(__file__).parents[1] / "docs" / "python.md"
TINY_RUN = TINY["pix2pix"] | {"crop_size": 32, "load_size": 32, "steps": 2}


def test_the_examples_run(toy_pairs, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("pairs").symlink_to(toy_pairs, target_is_directory=True)
    Path("photos").mkdir()
    for name in "ab":
        pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
        Image.fromarray(pixels).save(f"photos/{name}.png")
    train = i2icli.train
    monkeypatch.setattr(i2icli, "train", lambda *given, **named: train(*given, **(named | TINY_RUN)))
    names: dict[str, object] = {}
    for block in re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL):
        exec(compile(block, str(PAGE), "exec"), names)
    shown = capsys.readouterr().out
    assert shown.startswith("<TrainResult finished, 2 of 2 steps, psnr ")
    assert "<Description pix2pix, 2 steps, psnr " in shown
    assert shown.endswith("pix2pix has no setting stepss; did you mean steps?\n")
    assert repr(names["model"]) == "<Translator Pix2Pix, runs/mine/model.safetensors>"
    assert len(names["images"]) == 2
    assert Path("results/a.png").is_file()
    assert Path("spectra.png").is_file()


def test_images_come_back_in_the_form_in_which_they_were_given(toy_pairs, tmp_path):
    i2icli.train("pix2pix", toy_pairs, quiet=True, out=tmp_path / "run", **TINY_RUN)
    model = i2icli.load(tmp_path / "run", device="cpu", runtime="torch")
    batch = torch.rand(2, 3, 32, 32) * 2 - 1
    made = model.translate(batch)
    assert made.shape == batch.shape
    assert torch.equal(made[1], model.translate(batch[1]))
    arrays = np.zeros((2, 32, 36, 3), np.uint8)
    assert model.translate(arrays).shape == arrays.shape
    assert [each.shape for each in model.translate(tuple(arrays))] == [(32, 36, 3)] * 2
    pixels = np.random.default_rng(0).integers(0, 256, (96, 96, 3), np.uint8)
    assert i2icli.detect(pixels).verdict == i2icli.detect([pixels])[0].verdict


def test_warnings_are_pythons_and_name_the_line_of_the_caller(toy_pairs, tmp_path):
    settings = TINY_RUN | {"out": tmp_path / "run", "quiet": True}
    i2icli.train("pix2pix", toy_pairs, **settings)
    copy = shutil.copytree(toy_pairs, tmp_path / "copy")
    with pytest.warns(i2icli.I2IWarning, match="this run was started on") as caught:
        i2icli.train("pix2pix", copy, **(settings | {"steps": 3}))
    assert caught[0].filename == __file__
    with pytest.raises(i2icli.UserError, match="has no setting gpu_ids; here: `device`"):
        i2icli.train("pix2pix", toy_pairs, gpu_ids="0")
