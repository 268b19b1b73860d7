"""`i2i export --to safetensors`: where it writes, and what it refuses."""

from pathlib import Path

import pytest

from i2icli.__main__ import main
from i2icli.errors import UserError
from i2icli.export import weights_file
from i2icli.runtime.checkpoint import load_model, write_model
from tests.export.models import lively


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A small model in a file."""
    system = lively("spectral_dcgan")
    path = tmp_path / "gan.safetensors"
    write_model(path, system, "spectral_dcgan", {"G": system.G})
    return path


def refused(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    """The one line that a command ends with."""
    assert main(["export", *map(str, words)]) == 2
    [line] = capsys.readouterr().err.splitlines()
    return line


def test_weights_are_written_into_a_file_or_a_folder(model: Path, tmp_path: Path):
    out, folder = tmp_path / "named.safetensors", tmp_path / "new"
    for place, written in ((out, out), (folder, folder / "gan.safetensors")):
        assert main(["export", str(model), "--to", "safetensors", "--out", str(place)]) == 0
        assert load_model(written).config == lively("spectral_dcgan").config


def test_weights_in_a_file_of_another_name_are_refused(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    line = refused(capsys, model, "--to", "safetensors", "--out", tmp_path / "a.onnx")
    assert "--to safetensors writes .safetensors files" in line
    assert not (tmp_path / "a.onnx").exists()


def test_the_model_itself_is_never_replaced(model: Path, capsys: pytest.CaptureFixture[str]):
    before = model.stat().st_ino
    for more in ([], ["--overwrite"]):
        line = refused(capsys, model, "--to", "safetensors", *more)
        assert (
            line == f"error: {model}: the model itself, which is a .safetensors already; choose another --out"
        )
    assert model.stat().st_ino == before


@pytest.mark.parametrize("option", ["--target", "--source", "--images"])
def test_options_of_graphs_alone_are_refused(option: str, model: Path, capsys: pytest.CaptureFixture[str]):
    line = refused(
        capsys, model, "--to", "safetensors", option, "x", "--out", model.with_name("b.safetensors")
    )
    assert f"{option} is not for --to safetensors" in line


def test_weights_that_come_back_changed_leave_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def changed(path: Path):
        system = load_model(path)
        next(system.parameters()).mul_(2)
        return system

    monkeypatch.setattr(weights_file, "load_model", changed)
    path = tmp_path / "a.safetensors"
    path.write_bytes(b"older")
    with pytest.raises(UserError, match="came back changed"):
        weights_file.convert(lively("spectral_dcgan"), path)
    assert path.read_bytes() == b"older"
    assert list(tmp_path.iterdir()) == [path]
