"""Native code that writes past sys.stderr."""

import os

import pytest

from i2icli.face.quiet import quiet


def test_chatter_is_dropped_and_what_follows_is_not(capfd: pytest.CaptureFixture[str]) -> None:
    with quiet():
        os.write(2, b"INFO: created a delegate\n")
    os.write(2, b"a note\n")
    assert capfd.readouterr().err == "a note\n"


def test_chatter_before_an_error_is_shown(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ZeroDivisionError), quiet():
        os.write(2, b"a file is missing\n") / 0
    os.write(2, b"a note\n")
    assert capfd.readouterr().err == "a file is missing\na note\n"
