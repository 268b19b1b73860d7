"""Forwards warnings of the data-loading threads to the callbacks of a run."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from i2icli.data.images import BrokenImageWarning
from i2icli.training.callbacks import Callbacks


@contextmanager
def report_broken_images(callbacks: Callbacks) -> Iterator[None]:
    """Inside the block every skipped image, from any thread, is reported through `Callbacks.warn`."""
    with warnings.catch_warnings():
        warnings.simplefilter("always", BrokenImageWarning)
        default = warnings.showwarning

        def show(
            message: Warning | str,
            category: type[Warning],
            filename: str,
            lineno: int,
            file: TextIO | None = None,
            line: str | None = None,
        ) -> None:
            if issubclass(category, BrokenImageWarning):
                callbacks.warn(str(message))
            else:
                default(message, category, filename, lineno, file, line)

        warnings.showwarning = show
        yield
