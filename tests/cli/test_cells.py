"""Names of files in tables for spreadsheets are texts, never formulas; nor do terminals obey them."""

import csv
import io
from pathlib import Path

import pytest
from PIL import Image

from i2icli.__main__ import main
from i2icli.errors import cell
from tests.detector.images import photograph

FORMULAS = ["=1+1.png", "+1.png", "-1.png", "@SUM(A1).png", "\tx.png", "\rx.png", "\uff1d1.png", " =1.png"]
STARTS = tuple("=+-@\t\r\uff1d\uff0b\uff0d\uff20")


@pytest.mark.parametrize("text", [*FORMULAS, "=cmd|' /C calc'!A0", "\n=1"])
def test_texts_are_no_formulas(text: str) -> None:
    assert not cell(text).lstrip().startswith(STARTS)
    assert cell(text).isprintable()


@pytest.mark.parametrize("text", ["a=1.png", "photos/-1.png", "日本.png", "", "1-2.png"])
def test_other_texts_stay(text: str) -> None:
    assert cell(text) == text


@pytest.fixture
def names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.chdir(tmp_path)
    found = [*FORMULAS, "\x1b[31mred.png"]
    for name in found:
        Image.fromarray(photograph(0, 64)).save(name)
    return [f"./{name}" if name.startswith("-") else name for name in found]


@pytest.mark.parametrize(
    "command", [["detect-fake", "--csv"], ["spectrum", "--csv"]], ids=lambda words: words[0]
)
def test_tables_hold_no_formulas(
    command: list[str], names: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    main([*command, *names, "=missing.png"])
    printed = capsys.readouterr()
    assert "\x1b" not in printed.out + printed.err
    rows = list(csv.reader(io.StringIO(printed.out)))
    assert len(rows) > len(FORMULAS)
    assert not any(row[0].lstrip().startswith(STARTS) for row in rows)
    numbers = [text for row in rows[1:] for text in row[2:3] if text]
    assert numbers
    assert all(float(text) is not None for text in numbers)  # numbers stay numbers, negative ones too
