"""One bad file, or a full disk, never stops the others; what is interrupted goes on."""

import errno
import json
import os
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from i2icli.__main__ import main
from i2icli.config import RunOptions
from i2icli.image import read_image
from i2icli.inference.options import TranslateOptions
from i2icli.inference.record import Origin, Record
from i2icli.inference.translator import Translator
from i2icli.runtime.torch_backend import TorchBackend
from i2icli.training.run import train
from tests.data.files import fill, put
from tests.tiny import tiny_config

LONG = "x" * 251  # with its suffix as long as a name can be


@pytest.fixture(scope="module")
def model(tmp_path_factory, toy):
    folder = tmp_path_factory.mktemp("model")
    train("cyclegan", [toy("cyclegan")], tiny_config("cyclegan", steps=1), RunOptions(out=folder / "run"))
    return folder / "run"


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A working folder with photos/1.png to 5.png."""
    monkeypatch.chdir(tmp_path)
    fill(tmp_path / "photos", *(f"{number}.png" for number in range(1, 6)), size=(20, 24))
    return tmp_path


def run(model, *arguments):
    return main(["translate", *map(str, arguments), "--model", str(model), "--runtime", "torch", "--to", "B"])


def names(folder):
    return sorted(path.name for path in folder.rglob("*") if path.is_file() and path.name[0] != ".")


# -- memory ----------------------------------------------------------------------------------------


@pytest.fixture
def memory(monkeypatch):
    """Room for a number of pixels in a forward pass, and how many images each one had."""
    room = SimpleNamespace(pixels=10**9, rows=[])
    forward = TorchBackend.forward

    def bounded(self, task, inputs, kept):
        image = inputs["image"]
        room.rows.append(len(image))
        if image[:, 0].size > room.pixels:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate")
        return forward(self, task, inputs, kept)

    monkeypatch.setattr(TorchBackend, "forward", bounded)
    return room


def test_batches_that_do_not_fit_are_halved(model, place, memory):
    memory.pixels = 2 * 20 * 24
    assert run(model, "photos", "--batch-size", 5, "--out", "out") == 0
    assert memory.rows == [5, 2, 3, 1, 2]
    assert run(model, "photos", "--out", "alone", "--batch-size", 1) == 0
    for name in names(place / "photos"):
        together, alone = (read_image(place / out / name).pixels.astype(int) for out in ("out", "alone"))
        assert np.abs(together - alone).max() <= 1


def test_an_image_that_does_not_fit_alone_is_named_with_its_size(model, place, memory, capsys):
    put(place / "photos/3.png", (200, 240))
    memory.pixels = 2 * 20 * 24
    assert run(model, "photos", "--batch-size", 2, "--out", "out") == 1
    error = capsys.readouterr().err
    line = "failed: photos/3.png: out of memory at 240x200 px; try a smaller --size, such as 120x100\n"
    assert line in error
    assert "4 images translated into out/, 1 failed" in error


def test_batches_that_cannot_even_be_made(model, place, monkeypatch):
    def stacked(arrays):
        if len(arrays) > 2:
            raise MemoryError
        return np.concatenate(arrays)

    together = SimpleNamespace(concatenate=stacked, split=np.split)
    monkeypatch.setattr("i2icli.inference.batching.np", together)
    assert run(model, "photos", "--batch-size", 5, "--out", "out") == 0
    assert names(place / "out") == names(place / "photos")


def test_memory_that_is_missing_elsewhere(model, place, monkeypatch, capsys):
    from i2icli.inference import pipeline

    def tight(path, image):
        if path.name == "2.png":
            raise MemoryError
        pipeline_write(path, image)

    pipeline_write = pipeline.write_image
    monkeypatch.setattr(pipeline, "write_image", tight)
    assert run(model, "photos", "--out", "out") == 1
    assert "failed: photos/2.png: not enough memory; try a smaller --size" in capsys.readouterr().err
    assert names(place / "out") == ["1.png", "3.png", "4.png", "5.png"]


# -- names and folders -----------------------------------------------------------------------------


@pytest.mark.parametrize("options", [(), ("--format", "webp"), ("--compare",)], ids=str)
def test_a_name_as_long_as_it_can_be(options, model, place):
    put(place / "photos" / f"{LONG}.png", (20, 24))
    assert run(model, "photos", *options, "--out", "out") == 0
    assert len([name for name in names(place / "out") if name.startswith("xxx")]) == 1


def test_names_that_are_not_utf8(model, place, capsys):
    odd = os.fsdecode(b"photos/m\xfcller.png")
    (place / "photos/1.png").rename(place / odd)
    assert run(model, "photos", "--compare", "--json", "--out", "out") == 0
    sources = [json.loads(line)["source"] for line in capsys.readouterr().out.splitlines()]
    assert odd in sources
    assert (place / odd.replace("photos", "out")).exists()
    assert run(model, "photos", "--compare", "--out", "out") == 0
    assert "5 already done" in capsys.readouterr().err


def test_links_to_nothing_and_closed_folders_are_a_line_each(model, place, monkeypatch, capsys):
    (place / "photos/loop").symlink_to("loop")
    (place / "photos/6.png").symlink_to("6.png")
    (place / "photos/7.png").symlink_to("gone.png")
    (place / "photos/closed").mkdir()
    scandir = os.scandir

    def closed(path):
        if Path(path).name == "closed":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", closed)
    assert run(model, "photos", "--out", "out") == 1
    error = capsys.readouterr().err
    for line in (
        "failed: photos/loop: a link to itself",
        "failed: photos/6.png: cannot be read (a link to itself)",
        "failed: photos/7.png: cannot be read (a link to nothing, or gone since it was listed)",
        "failed: cannot open photos/closed: permission denied",
        "5 images translated into out/, 4 failed",
    ):
        assert line in error.splitlines()


def test_an_input_that_vanishes(model, place):
    results = Translator.load(model).run(["photos"], place / "out", TranslateOptions(to="B"))
    (place / "photos/2.png").unlink()
    status = {Path(result.source).name: result.status for result in results}
    assert status == {"1.png": "done", "2.png": "failed", "3.png": "done", "4.png": "done", "5.png": "done"}


def test_a_hidden_file_that_is_named_is_translated(model, place):
    (place / "photos/1.png").rename(place / "photos/.secret.png")
    assert run(model, "photos/.secret.png", "--out", "out") == 0
    assert (place / "out/.secret.png").exists()
    assert run(model, "photos", "--out", "rest") == 0
    assert names(place / "rest") == ["2.png", "3.png", "4.png", "5.png"]


def test_subfolders_on_request_only(model, place, capsys):
    put(place / "photos/deep/6.png", (20, 24))
    (place / "photos/notes.txt").touch()
    assert run(model, "photos", "--no-recursive", "--out", "out") == 0
    assert "note: left out: 1 text file, 1 subfolder (--recursive)\n" in capsys.readouterr().err
    assert names(place / "out") == ["1.png", "2.png", "3.png", "4.png", "5.png"]


# -- writing ---------------------------------------------------------------------------------------


def test_results_that_cannot_be_written(model, place, capsys):
    (place / "out/3.png").mkdir(parents=True)
    assert run(model, "photos", "--out", "out", "--overwrite") == 1
    error = capsys.readouterr().err
    assert "failed: photos/3.png: cannot write out/3.png: Is a directory" in error
    assert "4 images translated into out/, 1 failed" in error


def test_a_disk_that_is_full_for_a_while(model, place, monkeypatch, capsys):
    begin = Record.begin

    def full(self, targets):
        targets = list(targets)
        if targets[0].name == "2.png":
            raise OSError(errno.ENOSPC, "No space left on device", str(self.path))
        begin(self, targets)

    monkeypatch.setattr(Record, "begin", full)
    assert run(model, "photos", "--out", "out") == 1
    error = capsys.readouterr().err
    assert "out/.i2i-inputs.jsonl: cannot be written (no space left on device)" in error
    assert "4 images translated into out/, 1 failed" in error
    monkeypatch.undo()
    os.chdir(place)
    assert run(model, "photos", "--out", "out") == 0
    assert "1 image translated into out/, 4 already done" in capsys.readouterr().err


def test_contact_sheets_that_cannot_be_written_are_named_at_the_end(model, place, capsys):
    assert run(model, "photos", "--out", "out") == 0
    (place / "out/compare/0001.png").mkdir(parents=True)
    assert run(model, "photos", "--out", "out", "--compare") == 1
    error = capsys.readouterr().err
    assert "warning: a contact sheet in out/compare cannot be written (is a directory)" in error
    assert "5 already done" in error


def test_what_a_kill_left_of_a_sheet_is_cleared(model, place):
    from tests.training.test_run_folder import of_killed

    (place / "out/compare").mkdir(parents=True)
    left, mine = place / "out/compare" / of_killed(".png"), place / "out/compare/.mine.writing.md"
    for path in (left, mine):
        path.write_text("half")
    assert run(model, "photos", "--out", "out") == 0
    assert (left.exists(), mine.exists()) == (False, True)


def test_a_line_of_the_record_that_was_cut_off_costs_itself_alone(tmp_path):
    out, source = tmp_path / "out", put(tmp_path / "a.png")
    origin = Origin((source,))
    Record(out, {}).made([put(out / "a.png")], origin, origin.read())
    with (out / ".i2i-inputs.jsonl").open("a") as file:
        file.write('{"result": "cut o')
    Record(out, {}).made([put(out / "b.png")], origin, origin.read())
    again = Record(out, {})
    assert [again.standing(out / name, origin) for name in ("a.png", "b.png")] == ["there", "there"]


def test_ctrl_c_keeps_what_is_done_and_says_what_is_left(model, place, monkeypatch, capsys):
    forward, seen = TorchBackend.forward, []

    def interrupted(self, task, inputs, kept):
        seen.append(1)
        if len(seen) == 4:
            raise KeyboardInterrupt
        return forward(self, task, inputs, kept)

    monkeypatch.setattr(TorchBackend, "forward", interrupted)
    assert run(model, "photos", "--batch-size", 1, "--out", "out") == 130
    done = len(names(place / "out"))
    line = f"interrupted: {5 - done} of 5 are left; the same command goes on with them\n"
    assert line in capsys.readouterr().err
    assert run(model, "photos", "--out", "out") == 0
    assert f"{5 - done} images translated into out/, {done} already done" in capsys.readouterr().err


def test_a_record_that_cannot_be_written_fails_only_what_was_made(model, place, monkeypatch):
    translator = Translator.load(model, runtime="torch")
    options, out = TranslateOptions(to="all"), place / "out"
    first = list(translator.run(["photos/1.png"], out, options))
    first[0].target.unlink()

    def full(*_given, **_more):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Record, "made", full)
    again = list(translator.run(["photos/1.png"], out, options))
    assert sorted(each.status for each in again) == ["failed", "there"]
