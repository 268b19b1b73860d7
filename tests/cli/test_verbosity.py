"""`-q`, `-v`, and what variables of the environment stand for."""

import json
from pathlib import Path
from shutil import copytree

import numpy as np
import pytest
from PIL import Image

from i2icli.__main__ import main
from i2icli.registry import system_type
from i2icli.runtime.checkpoint import write_model
from tests.tiny import TINY, tiny_config

TRAIN = ["train", "pix2pix", "--crop-size", "32", "--load-size", "32", "--steps", "2"]
TRAIN += [f"--{name.replace('_', '-')}={value}" for name, value in TINY["pix2pix"].items()]


@pytest.fixture
def model(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "elsewhere" / "mine"
    folder.mkdir(parents=True)
    system = system_type("pix2pix")(tiny_config("pix2pix")).eval()
    write_model(folder / "model.safetensors", system, "pix2pix", {"G": system.G})
    Image.fromarray(np.zeros((32, 32, 3), np.uint8)).save("a.png")
    (tmp_path / "b.png").write_bytes(b"nothing")
    monkeypatch.setenv("I2I_RUNS", "elsewhere")
    monkeypatch.setenv("I2I_DEVICE", "cpu")
    return "mine"


def test_quiet_shows_results_and_errors_alone(model, toy_pairs, capsys):
    assert main(["translate", "a.png", "b.png", "--model", model, "-q"]) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("failed: cannot read b.png")
    assert shown.err.count("\n") == 1
    assert main([*TRAIN, str(toy_pairs), "--quiet"]) == 0
    shown = capsys.readouterr()
    assert shown.out.startswith("finished 2 steps")
    assert shown.err == ""
    broken = Path(copytree(toy_pairs, "broken"))
    next(broken.glob("train/A/*")).write_bytes(b"nothing")
    assert main([*TRAIN, "broken", "--quiet"]) == 0
    shown = capsys.readouterr()
    assert shown.err.startswith("warning: skipped 1 broken image: ")
    assert shown.err.count("\n") == 1
    assert main(["translate", "a.png", "--model", "none", "-q"]) == 2
    assert capsys.readouterr().err.startswith("error: no model 'none'")
    assert main(["translate", "a.png", "--model", model]) == 0
    assert capsys.readouterr().err != "", "quiet for one command alone"


def test_verbose_shows_decisions_and_times(model, toy_pairs, capsys):
    assert main([*TRAIN, str(toy_pairs), "-v"]) == 0
    shown = capsys.readouterr().err
    for line in ("scanning the data: ", "computing on cpu in fp32", "validating: ", "saving: ", "done"):
        assert line in shown
    assert main(["translate", "a.png", "--model", model, "-v"]) == 0
    assert "model: elsewhere/mine/model.safetensors" in capsys.readouterr().err
    assert main(["translate", "a.png", "--model", model, "-q", "-v"]) == 2
    assert "--quiet and --verbose: choose one" in capsys.readouterr().err


def test_variables_stand_for_options_and_options_win(model, toy_pairs, capsys, monkeypatch):
    monkeypatch.setenv("I2I_DEVICE", "cuda:77")
    assert main(["translate", "a.png", "--model", model, "--runtime", "torch"]) == 2
    assert capsys.readouterr().err.startswith("error: I2I_DEVICE=cuda:77: ")
    assert main(["translate", "a.png", "--model", model, "--runtime", "openvino"]) == 2
    assert capsys.readouterr().err.endswith("; leave out I2I_DEVICE=cuda:77\n")
    assert main(["translate", "a.png", "--model", model, "--runtime", "openvino", "--device=cuda:77"]) == 2
    assert capsys.readouterr().err.endswith("; leave out --device cuda:77\n")
    assert main(["translate", "a.png", "--model", model, "--device", "cpu"]) == 0
    assert main([*TRAIN, str(toy_pairs), "--device", "cpu"]) == 0
    assert capsys.readouterr().out.splitlines()[0].endswith(f": elsewhere/pix2pix-{toy_pairs.name}")
    monkeypatch.setenv("I2I_THREADS", "many")
    assert main(["info", model]) == 0
    assert main(["translate", "a.png", "--model", model, "--device", "cpu"]) == 2
    assert "many" in capsys.readouterr().err


def test_env_shows_the_variables_that_are_set(monkeypatch, capsys):
    monkeypatch.setenv("I2I_DEVICE", "cpu")
    monkeypatch.setenv("I2I_RUNS", "/secret")
    monkeypatch.setenv("I2I_DEVCE", "x")
    assert main(["env", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["variables"]
    assert found == "I2I_DEVCE (no such variable), I2I_DEVICE=cpu, I2I_HOME, I2I_RUNS"
