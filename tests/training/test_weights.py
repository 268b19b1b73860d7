"""The best weights of a run are used where a score decided; resuming goes on from the last."""

import re
import shutil

import pytest

from i2icli.__main__ import main
from i2icli.config import RunOptions
from i2icli.errors import UserError
from i2icli.inference.translator import Translator
from i2icli.metadata import read_metadata
from i2icli.training.run import train
from i2icli.training.run_folder import RunFolder
from i2icli.weights import find_weights
from tests.tiny import tiny_config


@pytest.fixture(scope="module")
def run(tmp_path_factory, toy):
    """A run of four steps whose second is the best: its later scores are made worse in the log."""
    out = tmp_path_factory.mktemp("runs") / "pairs"
    config = tiny_config("pix2pix", steps=2)
    train("pix2pix", [toy("pix2pix")], config, RunOptions(out=out, validate_every=2, segmenter=False))
    best = (out / "best.safetensors").read_bytes()
    longer = tiny_config("pix2pix", steps=4)
    train("pix2pix", [toy("pix2pix")], longer, RunOptions(out=out, validate_every=2))
    (out / "best.safetensors").write_bytes(best)
    return out


def test_a_run_means_its_best_weights_and_says_which_score_decided(run, toy, tmp_path, capsys):
    path, line = find_weights(str(run))
    assert (path.name, read_metadata(path).step) == ("best.safetensors", 2)
    score = r"\(\d+(\.\d+)?\)"
    expected = rf"best weights, of step 2 by psnr {score}, not the last, of step 4 {score}; --weights last .*"
    assert re.fullmatch(expected, line)
    photo = next((toy("pix2pix") / "test/A").iterdir())
    assert main(["translate", str(photo), "--model", str(run), "--out", str(tmp_path / "a")]) == 0
    assert f"note: {line}\n" in capsys.readouterr().err
    last = ["--model", str(run), "--weights", "last"]
    assert main(["translate", str(photo), *last, "--out", str(tmp_path / "b")]) == 0
    assert "note: last weights, of step 4 (" in capsys.readouterr().err
    assert (tmp_path / "a" / photo.name).read_bytes() != (tmp_path / "b" / photo.name).read_bytes()


def test_a_file_is_that_file_and_python_chooses_too(run):
    assert find_weights(str(run / "model.safetensors")) == (run / "model.safetensors", "")
    for weights in ("best", "last"):
        with pytest.raises(UserError, match=f"--weights {weights}: .* is a file"):
            find_weights(str(run / "model.safetensors"), weights)
    assert Translator.load(run).model.name == "best.safetensors"
    assert Translator.load(run, weights="last").model.name == "model.safetensors"


def test_a_file_among_the_runs_is_that_file_wherever_runs_lie(run, monkeypatch):
    monkeypatch.setenv("I2I_RUNS", str(run.parent))
    assert find_weights(f"{run.name}/model.safetensors") == (run / "model.safetensors", "")
    assert find_weights(run.name)[0].name == "best.safetensors"


def test_best_is_last_where_it_is_of_the_same_step_or_unknown(run, tmp_path):
    shutil.copytree(run, tmp_path / "same")
    shutil.copy(run / "model.safetensors", tmp_path / "same/best.safetensors")
    assert find_weights(str(tmp_path / "same")) == (tmp_path / "same/model.safetensors", "")
    (tmp_path / "same/best.safetensors").write_bytes(b"broken")
    assert find_weights(str(tmp_path / "same")) == (tmp_path / "same/model.safetensors", "")
    damaged = tmp_path / "same/best.safetensors", ""
    assert find_weights(str(tmp_path / "same"), "best") == damaged, "who asks for it hears about it"
    (tmp_path / "same/best.safetensors").unlink()
    assert find_weights(str(tmp_path / "same"))[0].name == "model.safetensors"
    with pytest.raises(UserError, match=r"^--weights best: .* has none; a run keeps them once a score"):
        find_weights(str(tmp_path / "same"), "best")
    with pytest.raises(UserError, match=r"^--weights first: expected best or last"):
        find_weights(str(run), "first")


def test_resuming_goes_on_from_the_last_weights(run, toy, tmp_path):
    shutil.copytree(run, tmp_path / "resumed")
    config = tiny_config("pix2pix", steps=5)
    result = train("pix2pix", [toy("pix2pix")], config, RunOptions(out=tmp_path / "resumed"))
    assert result.step == 5
    assert RunFolder(tmp_path / "resumed").load_state()["clock"]["total"] == 5
