"""What libraries write about themselves does not reach the terminal, from any thread."""

import logging
import struct
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from PIL import Image
from tifffile import imwrite

from i2icli.cli.console import run
from i2icli.files import FileSystemWarning
from i2icli.report.sheet import sample_sheet
from i2icli.training.callbacks import NoCallbacks
from i2icli.training.reported_warnings import report_warnings


def _chatter() -> None:
    warnings.warn("Corrupt EXIF data", UserWarning, stacklevel=1)
    warnings.warn("Image size exceeds limit", Image.DecompressionBombWarning, stacklevel=1)
    _ = np.array([np.nan]).astype(np.uint8)
    logging.getLogger("tifffile").warning("strange tag")
    logging.getLogger("other.library").error("strange as well")


def _app(work: Any) -> typer.Typer:
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(work)
    return app


def test_only_our_own_lines_are_printed(capfd: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def work() -> None:
        _chatter()
        with ThreadPoolExecutor(2) as threads:
            list(threads.map(lambda _: _chatter(), range(4)))
        warnings.warn("no locks here", FileSystemWarning, stacklevel=1)
        with report_warnings(NoCallbacks()):
            _chatter()

    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [])  # as in a program of its own
    assert run(_app(work), []) == 0
    assert capfd.readouterr() == ("", "warning: no locks here\n")
    assert root.handlers == []


def test_who_asks_for_warnings_gets_them(capfd: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "warnoptions", ["always"])

    def work() -> None:
        warnings.warn("look here", UserWarning, stacklevel=1)

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.showwarning = lambda message, *_: sys.stderr.write(f"{message}\n")  # type: ignore[assignment]
        assert run(_app(work), []) == 0
    assert "look here" in capfd.readouterr().err


def test_tracebacks_hold_nothing_that_a_terminal_obeys(capfd: Any) -> None:
    def work() -> None:
        raise RuntimeError("\x1b[31mred\x07")

    assert run(_app(work), []) == 1
    shown = capfd.readouterr().err
    assert "\\x1b[31mred" in shown
    assert "\x1b" not in shown
    assert "please report the lines above" in shown


def test_odd_tiffs_in_python_are_quiet(tmp_path: Path, capfd: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from i2icli.image import read_image

    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    path = tmp_path / "a.tif"
    imwrite(path, np.zeros((8, 8), np.uint8), metadata=None, extratags=[(42113, "s", 0, "nothing", True)])
    data = bytearray(path.read_bytes())
    at = data.find(struct.pack("<H", 42113))
    read_image(bytes(data))
    struct.pack_into("<H", data, at + 2, 77)
    read_image(bytes(data))
    assert capfd.readouterr() == ("", "")


def test_sheets_show_what_is_no_number_as_grey(recwarn: pytest.WarningsRecorder) -> None:
    sheet = sample_sheet([{"output": np.full((3, 128, 128), np.nan)}])
    assert sheet.getpixel((sheet.width // 2, sheet.height - 20)) == (128, 128, 128)
    assert [str(each.message) for each in recwarn.list] == []
