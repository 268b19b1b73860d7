"""`i2i export`: what it prints, and one line per error."""

import os
import signal
import time
from pathlib import Path

import pytest
import typer
from safetensors.numpy import load_file

from i2icli.cli.app import app
from i2icli.cli.console import INTERRUPTED, run
from i2icli.export.files import beside
from i2icli.files import process_mark
from i2icli.graphs.graph_file import open_graph
from i2icli.runtime.checkpoint import write_model
from tests.export.models import SMALLER, lively


def i2i(*words: object) -> int:
    return run(app, ["export", *map(str, words)])


def published(name: str, folder: Path) -> Path:
    """A run folder with a model."""
    system = lively(name, **SMALLER.get(name, {}))
    modules = {each: system.get_submodule(each) for each in system.inference_modules}
    write_model(folder / "model.safetensors", system, name, modules)
    return folder


def test_a_run_becomes_a_proven_graph(tmp_path, capsys):
    folder = published("spectral_dcgan", tmp_path / "faces")
    assert i2i(folder) == 0
    printed = capsys.readouterr()
    path = folder / "faces.onnx"
    assert printed.out.startswith(f"{path} (0.0 MB): proven: largest difference ")
    assert "on drawn scenes" in printed.out
    assert printed.out.splitlines()[-1] == f"use it:  i2i translate --samples 16 --model {path}"
    assert [line.split(":")[0] for line in printed.err.splitlines()] == [
        "tracing forward",
        "writing forward",
        "proving forward",
    ]
    assert open_graph(path).metadata.system == "spectral_dcgan"
    assert i2i(folder) == 2
    assert "faces.onnx: there already" in capsys.readouterr().err


def test_a_model_as_a_file_that_describes_itself(tmp_path, capsys):
    folder = published("cyclegan", tmp_path / "run")
    assert i2i(folder, "--to", "safetensors", "--out", tmp_path / "copy.safetensors") == 0
    printed = capsys.readouterr().out
    assert "proven: all weights and the outputs are equal" in printed
    first, second = (
        load_file(path) for path in (folder / "model.safetensors", tmp_path / "copy.safetensors")
    )
    assert first.keys() == second.keys()
    assert all((first[name] == second[name]).all() for name in first)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--half", "--int8"], "--half and --int8 are both about"),
        (["--int8"], "--int8 needs images like those to be translated: --calibrate DIR"),
        (["--to", "tflite"], "--to tflite: expected one of onnx, openvino, pt2, safetensors"),
        (["--target", "zebra"], "unknown target 'zebra'; this model knows: B, A"),
        (["--source", "A"], "do not depend on the source"),
        (["--out", "a.onnx"], "2 graphs; choose a folder, or one --target"),
        (["--to", "safetensors", "--out", "a.onnx"], "--to safetensors writes .safetensors files"),
        (["--images", "none"], "--images none: no such folder"),
        (["--images", "."], "--images .: holds no images"),
    ],
)
def test_what_cannot_be_is_one_line(options, says, tmp_path, monkeypatch, capsys):
    folder = published("cyclegan", tmp_path / "run")
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    assert i2i(folder, *options) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert says in line
    assert list(folder.iterdir()) == [folder / "model.safetensors"]


def test_a_graph_is_no_model_to_export(tmp_path, capsys):
    (tmp_path / "a.onnx").write_bytes(b"")
    assert i2i(tmp_path / "a.onnx") == 2
    assert "a.onnx: a graph already" in capsys.readouterr().err


def test_a_file_where_a_folder_is_needed_is_one_line(tmp_path, capsys):
    folder = published("spectral_dcgan", tmp_path / "faces")
    (tmp_path / "a.onnx").write_bytes(b"a graph")
    out = tmp_path / "a.onnx" / "b.onnx"
    assert i2i(folder, "--out", out) == 2
    error = capsys.readouterr().err
    assert error == f"error: --out {out}: {out.parent} is a file, not a folder; choose another --out\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_program_that_is_told_to_end_leaves_nothing_half_written(number, tmp_path):
    ended = typer.Typer()

    @ended.command()
    def command() -> None:
        with beside(tmp_path / "a.onnx") as folder:
            (folder / "half.onnx").write_bytes(b"half")
            os.kill(os.getpid(), number)
            time.sleep(1)

    before = signal.getsignal(number)
    assert run(ended, []) == INTERRUPTED
    assert list(tmp_path.iterdir()) == []
    assert signal.getsignal(number) == before


def test_what_a_killed_export_left_is_cleared_by_the_next(tmp_path):
    killed = tmp_path / f".{process_mark()[:8]}{2**22 + 1:08x}{0:08x}.writing"
    mine = tmp_path / ".mine.writing"
    for each in (killed, mine):
        each.mkdir()
        (each / "half.onnx").write_bytes(b"half")
    with beside(tmp_path / "a.onnx"):
        pass
    assert list(tmp_path.iterdir()) == [mine]
