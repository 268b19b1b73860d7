"""`i2i env`."""

import json
from pathlib import Path

import torch

from i2icli import __version__
from i2icli.__main__ import main
from i2icli.runtime.device import device_memory
from i2icli.written import print_bytes


def test_it_names_versions_and_no_user(capsys, monkeypatch):
    monkeypatch.setenv("I2I_HOME", str(Path.home() / "secret"))
    assert main(["env", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["i2icli"] == __version__
    assert found["torch"].split("+")[0] == torch.__version__.split("+")[0]
    assert found["variables"] == "I2I_HOME"
    assert "secret" not in json.dumps(found)
    assert "scikit-learn" in found
    assert "pytest" not in found


def test_it_prints_a_line_for_each(capsys):
    assert main(["env"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["i2icli", __version__]
    assert any(line.startswith("ffmpeg") for line in lines)


def test_memory_is_in_the_unit_of_all_other_lines(capsys):
    """As `train` prints it: "of the 25 GB of this machine"."""
    bytes_there = device_memory(torch.device("cpu"))
    assert main(["env", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["memory"] == print_bytes(bytes_there)


def test_info_tells_what_a_detector_was_fitted_to(capsys):
    from i2icli.detector.detector import SHIPPED

    assert main(["info", str(SHIPPED["traces"])]) == 0
    shown = capsys.readouterr().out
    for text in ("for i2i detect-fake --model", "real and", "held-out scores"):
        assert text in shown
    assert main(["info", "--json", str(SHIPPED["profile"])]) == 0
    assert json.loads(capsys.readouterr().out)["kind"]
