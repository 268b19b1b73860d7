"""Forwards warnings about images and file systems, from any thread, to the callbacks of a run."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from i2icli.chatter import without_chatter
from i2icli.data.images import BrokenImageWarning
from i2icli.errors import I2IWarning
from i2icli.files import FileSystemWarning
from i2icli.training.callbacks import Callbacks

REPORTED = (BrokenImageWarning, FileSystemWarning)


@contextmanager
def report_warnings(callbacks: Callbacks) -> Iterator[None]:
    """Inside the block warnings that are meant for users are reported through `Callbacks.warn`, no others."""
    with without_chatter():
        for category in (*REPORTED, I2IWarning):
            warnings.simplefilter("always", category)
        default = warnings.showwarning

        def show(
            message: Warning | str,
            category: type[Warning],
            filename: str,
            lineno: int,
            file: TextIO | None = None,
            line: str | None = None,
        ) -> None:
            if issubclass(category, REPORTED):
                callbacks.warn(str(message))
            else:
                default(message, category, filename, lineno, file, line)

        warnings.showwarning = show
        yield
