"""Names of files as disks allow them: messages are one line each, what is written can be read."""

import io
import os
import sys
import tomllib
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PIL import Image
from rich.console import Console

from i2icli.__main__ import main
from i2icli.cli.translate import report
from i2icli.errors import UserError, readable
from i2icli.inference.inputs import plan_jobs
from i2icli.inference.results import Result
from tests.detector.images import photograph

HOSTILE = ["new\nline.png", "\x1b[31mred.png", os.fsdecode(b"not utf-8 \xff.png"), "日本.png"]
SPELLED = ["new\\nline.png", "\\x1b[31mred.png", "not utf-8 \\udcff.png", "日本.png"]


@pytest.mark.parametrize(
    "name",
    [
        "Screenshot 9.41\u202fAM.png",
        "写真\u3000一.png",
        "می\u200cکنم.png",
        "👨\u200d👩\u200d👧.png",
        "e\u0301.png",
    ],
)
def test_names_of_any_language_stay_as_they_are(name, capsys):
    assert readable(name) == name
    assert main(["spectrum", f"two  spaces {name}"]) == 2
    assert capsys.readouterr().err == f"error: no such file or folder: two  spaces {name}\n"


def test_what_could_be_taken_for_another_name_is_spelled_out():
    hostile = "\u202egnp.exe\u2028\x85\x00\xad"
    assert readable(hostile) == "\\u202egnp.exe\\u2028\\x85\\x00\\xad"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A picture of each name, and a damaged one."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").mkdir()
    for name in HOSTILE:
        Image.fromarray(photograph(0, 64)).save(tmp_path / "in" / name)
    (tmp_path / "in" / "broken\x1b\n.png").write_text("hello")
    return tmp_path


@pytest.mark.parametrize("suffix", [".svg", ".png", ".html"])
def test_spectra_have_legends_that_can_be_written(suffix, folder, capsys):
    out = folder / f"spectra{suffix}"
    assert main(["spectrum", *map(str, sorted((folder / "in").iterdir())), "--out", str(out)]) == 1
    printed = capsys.readouterr()
    assert all(name in printed.out for name in SPELLED)
    assert "\x1b" not in printed.out + printed.err
    assert "error: left out: cannot read" in printed.err
    if suffix == ".svg":
        words = "|".join(ElementTree.parse(out).getroot().itertext())
        assert all(name in words for name in SPELLED)


@pytest.mark.usefixtures("folder")
def test_verdicts_are_a_line_each_in_any_encoding(monkeypatch):
    stdout = io.TextIOWrapper(io.BytesIO(), encoding="ascii", errors="strict", write_through=True)
    monkeypatch.setattr(sys, "stdout", stdout)
    assert main(["detect-fake", "in"]) == 1
    lines = stdout.buffer.getvalue().decode("ascii").splitlines()
    assert len(lines) == 5
    for name in (*SPELLED[:3], "\\u65e5\\u672c.png", "broken\\x1b\\n.png"):
        assert sum(name in line for line in lines) == 1


@pytest.mark.usefixtures("folder")
def test_what_was_written_is_one_line(capsys):
    assert main(["spectrum", "in/日本.png", "--out", "new\n\x1b[31mline.png"]) == 0
    assert capsys.readouterr().err == "written: new\\n\\x1b[31mline.png\n"


@pytest.mark.usefixtures("folder")
def test_a_plan_is_a_recipe_whatever_files_are_called(capsys):
    Path("in/broken\x1b\n.png").rename("in/broken\nsteps = 7.png")
    assert main(["train", "spectral_dcgan", "in", "--crop-size", "32", "--steps", "1", "--dry-run"]) == 0
    recipe = capsys.readouterr().out
    assert "broken\\nsteps = 7.png" in recipe
    assert tomllib.loads(recipe)["steps"] == 1


def test_a_file_like_an_option_is_told_how_to_be_named(folder, capsys):
    (folder / "-f.png").touch()
    for command in ("translate -f.png --model m", "detect-fake -f.png", "spectrum -f.png"):
        assert main(command.split()) == 2
        error = capsys.readouterr().err
        assert error.endswith("the file of that name is ./-f.png\n")
        assert error.count("\n") == 1
    assert main(["spectrum", "-" + 5000 * "f"]) == 2
    assert capsys.readouterr().err == "error: no such option: -f; see i2i spectrum --help\n"


@pytest.mark.usefixtures("folder")
def test_an_empty_name_is_not_the_folder_one_stands_in(capsys):
    assert main(["spectrum", "", "--csv"]) == 2
    assert "error: an empty name" in capsys.readouterr().err
    assert main(["detect-fake", ""]) == 2
    assert "error: an empty name" in capsys.readouterr().err
    with pytest.raises(UserError, match="an empty name"):
        plan_jobs([""], Path("out"), None)


def test_a_failed_input_is_one_line(capsys):
    report([Result("in/a\n\x1b.png", None, "failed", "damaged")], Console(file=io.StringIO()), as_json=False)
    assert capsys.readouterr().err == "failed: in/a\\n\\x1b.png: damaged\n"


def test_a_run_folder_is_named_in_utf8(folder, capsys):
    out = os.fsdecode(b"run \xff")
    assert main(["train", "spectral_dcgan", "in", "--crop-size", "32", "--steps", "1", "--out", out]) == 2
    assert "error: --out run \\udcff: cannot be a run folder (its name is not in UTF-8); choose another" in (
        capsys.readouterr().err
    )
    assert not (folder / out).exists()
