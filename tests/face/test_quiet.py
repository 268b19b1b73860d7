"""Output of native code to stderr."""

import os

import pytest

from i2icli.face.quiet import quiet


def test_output_is_dropped_inside_the_context_only(capfd: pytest.CaptureFixture[str]) -> None:
    with quiet():
        os.write(2, b"INFO: created a delegate\n")
    os.write(2, b"a note\n")
    assert capfd.readouterr().err == "a note\n"


def test_output_before_an_exception_is_shown(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ZeroDivisionError), quiet():
        os.write(2, b"a file is missing\n") / 0
    os.write(2, b"a note\n")
    assert capfd.readouterr().err == "a file is missing\na note\n"
