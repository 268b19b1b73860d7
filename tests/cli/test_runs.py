"""`i2i runs`, and several models in `i2i info`."""

import json
import shutil

import pytest
from safetensors.torch import save_file

from i2icli.__main__ import main
from i2icli.config import RunOptions
from i2icli.training.run import train
from tests.originals.references import NumberedResnet
from tests.tiny import tiny_config


@pytest.fixture(scope="module")
def trained(tmp_path_factory, toy_pairs):
    """A folder of two runs, the second with other settings, and of a third that is damaged."""
    folder = tmp_path_factory.mktemp("runs")
    for name, changes in (("first", {}), ("second", {"width": 8, "lr": 1e-3})):
        train(
            "pix2pix", [toy_pairs], tiny_config("pix2pix", steps=2, **changes), RunOptions(out=folder / name)
        )
    (folder / "broken").mkdir()
    (folder / "broken" / "model.safetensors").write_bytes(b"nothing")
    return folder


def test_runs_are_listed_newest_first_and_damaged_ones_named(trained, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    assert main(["runs", str(trained)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:5] for line in lines[1:3]] == [
        ["second", "pix2pix", "2", "of", "2"],
        ["first", "pix2pix", "2", "of", "2"],
    ]
    assert "psnr" in lines[1]
    assert "just now" in lines[1]
    assert "broken" in lines[3]


def test_runs_deeper_below_are_found_and_models_inside_runs_are_none(trained, tmp_path, capsys):
    shutil.copytree(trained / "first", tmp_path / "work" / "runs" / "first")
    shutil.copytree(trained / "second", tmp_path / "work" / "runs" / "first" / "stages" / "second")
    assert main(["runs", str(tmp_path), "--json"]) == 0
    assert [row["run"] for row in json.loads(capsys.readouterr().out)] == ["work/runs/first"]


def test_a_model_of_another_program_has_no_steps(tmp_path, capsys):
    (tmp_path / "theirs").mkdir()
    save_file(NumberedResnet(4, 1).state_dict(), tmp_path / "theirs" / "model.safetensors")
    assert main(["runs", str(tmp_path)]) == 0
    assert capsys.readouterr().out.splitlines()[1].split()[:2] == ["theirs", "pix2pix"]


def test_runs_as_json(trained, capsys):
    assert main(["runs", str(trained), "--json"]) == 0
    first, second = json.loads(capsys.readouterr().out)
    assert (first["run"], second["run"]) == ("second", "first")
    assert first["scores"]["psnr"] > 0


def test_a_folder_without_runs_says_how_to_get_one(tmp_path, capsys):
    assert main(["runs", str(tmp_path)]) == 0
    assert "i2i train SYSTEM DATA" in capsys.readouterr().out
    assert main(["runs", str(tmp_path / "none")]) == 2


def test_before_the_first_run_there_is_no_error(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["runs"]) == 0
    assert "i2i train SYSTEM DATA" in capsys.readouterr().out


def test_two_models_are_compared_by_what_differs(trained, capsys):
    assert main(["info", str(trained / "first"), str(trained / "second")]) == 0
    rows = {line.split()[0]: line.split()[1:] for line in capsys.readouterr().out.splitlines()[1:]}
    assert rows["--width"] == ["4", "8"]
    assert rows["--lr"] == ["0.0002", "0.001"]
    assert "--depth" not in rows
    assert len(rows["psnr"]) == 2


def test_a_setting_that_is_left_open_has_an_empty_cell(trained, toy_pairs, capsys):
    own = trained.parent / "seeded"
    train("pix2pix", [toy_pairs], tiny_config("pix2pix", steps=2, max_grad_norm=3), RunOptions(out=own))
    assert main(["info", str(trained / "first"), str(own)]) == 0
    out = capsys.readouterr().out
    assert next(line for line in out.splitlines() if "--max-grad-norm" in line).split()[1:] == ["3"]


def test_several_models_as_json_are_a_list(trained, capsys):
    assert main(["info", str(trained / "first"), str(trained / "second"), "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == 2
