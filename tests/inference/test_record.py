"""A result stands for the content it was made from, not for a name."""

import io
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from i2icli.__main__ import main
from i2icli.config import RunOptions
from i2icli.inference.record import Origin, Record
from i2icli.training.run import train
from tests.tiny import tiny_config


@pytest.fixture(scope="module")
def model(tmp_path_factory, toy):
    folder = tmp_path_factory.mktemp("model")
    train("cyclegan", [toy("cyclegan")], tiny_config("cyclegan", steps=1), RunOptions(out=folder / "run"))
    return folder / "run"


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A working folder with monday/ and tuesday/, other images of the same names."""
    monkeypatch.chdir(tmp_path)
    for number, folder in enumerate(("monday", "tuesday")):
        for name in ("a.png", "b.png"):
            draw(tmp_path / folder / name, number)
    return tmp_path


def draw(path, seed):
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (33, 40, 3), np.uint8)).save(path)


def run(*arguments, model):
    return main(["translate", *map(str, arguments), "--model", str(model), "--runtime", "torch", "--to", "B"])


def test_another_input_of_the_same_name_does_not_stand(place, model, capsys):
    assert run("monday", model=model) == 0
    before = (place / "translated/a.png").read_bytes()
    assert run("tuesday", model=model) == 1
    error = capsys.readouterr().err
    assert "translated/a.png is the result of another image, monday/a.png; choose another --out" in error
    assert "0 images translated into translated/, 2 failed" in error
    assert (place / "translated/a.png").read_bytes() == before
    assert run("tuesday", "--overwrite", model=model) == 0
    assert (place / "translated/a.png").read_bytes() != before
    assert run("tuesday", model=model) == 0
    assert "0 images translated into translated/, 2 already done" in capsys.readouterr().err


def test_a_changed_input_is_translated_again_and_that_is_said(place, model, capsys):
    assert run("monday", model=model) == 0
    before = (place / "translated/a.png").read_bytes()
    about = (place / "monday/a.png").stat()
    draw(place / "monday/a.png", 7)
    os.utime(place / "monday/a.png", ns=(about.st_atime_ns, about.st_mtime_ns))
    capsys.readouterr()
    assert run("monday", "--json", model=model) == 0
    told = capsys.readouterr()
    assert "1 result was made again, as the input had changed" in told.err
    assert "1 image translated into translated/, 1 already done" in told.err
    assert {row["source"]: row["again"] for row in map(json.loads, told.out.splitlines())} == {
        "monday/a.png": True,
        "monday/b.png": False,
    }
    assert (place / "translated/a.png").read_bytes() != before


def test_the_same_content_under_another_name_or_time_stands(place, model, capsys):
    assert run("monday", model=model) == 0
    shutil.copytree(place / "monday", place / "copy")
    os.utime(place / "monday/a.png")
    for folder in ("copy", "monday"):
        capsys.readouterr()
        assert run(folder, model=model) == 0
        assert "2 already done" in capsys.readouterr().err


def test_what_was_half_made_is_made_again(place, model, monkeypatch, capsys):
    class Killed(BaseException):
        pass

    def killed(*_):
        raise Killed

    assert run("monday", model=model) == 0
    whole = (place / "translated/a.png").read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(Record, "made", killed)
        with pytest.raises(Killed):
            run("monday", "--overwrite", model=model)
    (place / "translated/a.png").write_bytes(b"not the end of it")
    capsys.readouterr()
    assert run("monday", model=model) == 0
    assert (place / "translated/a.png").read_bytes() == whole


def test_results_of_earlier_versions_and_of_others_are_not_taken_for_ours(place, model, capsys):
    assert run("monday", model=model) == 0
    (place / "translated/.i2i-inputs.jsonl").unlink()
    assert run("monday", model=model) == 1
    assert "translated/a.png exists and was not made with this model" in capsys.readouterr().err


def test_a_link_to_nothing_is_not_replaced(place, model, capsys):
    (place / "translated").mkdir()
    (place / "translated/a.png").symlink_to("gone.png")
    assert run("monday", model=model) == 1
    assert "translated/a.png exists and was not made with this model" in capsys.readouterr().err
    assert (place / "translated/a.png").is_symlink()
    assert not (place / "translated/gone.png").exists()


def test_temporary_files_of_a_killed_translation_are_cleared(place, model):
    from tests.training.test_run_folder import of_killed

    (place / "translated").mkdir()
    left, mine = place / "translated" / of_killed(".png"), place / "translated/.chapter1.writing.md"
    for path in (left, mine):
        path.write_text("half")
    assert run("monday", model=model) == 0
    assert not left.exists()
    assert mine.exists()


@pytest.mark.usefixtures("place")
def test_inputs_on_a_pipe_and_files_that_vanish(model, monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", io.StringIO("monday/a.png\nmonday/gone.png\n"))
    assert run("-", model=model) == 1
    assert "1 image translated into translated/, 1 failed" in capsys.readouterr().err


def test_the_record_stays_short(tmp_path: Path, monkeypatch):
    monkeypatch.setattr("i2icli.inference.record.SPARE", 10)
    record = Record(tmp_path / "out", {"seed": 1})
    target = tmp_path / "out/a.png"
    for _ in range(20):
        record.begin([target])
        record.made([target], Origin(), Origin().read())
    target.write_text("")
    assert len((tmp_path / "out/.i2i-inputs.jsonl").read_text().splitlines()) < 20
    assert Record(tmp_path / "out", {"seed": 1}).standing(target, Origin()) == "there"
    assert Record(tmp_path / "out", {"seed": 2}).standing(target, Origin()) == "unknown"
