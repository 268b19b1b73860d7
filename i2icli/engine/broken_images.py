"""What the threads that read images warn of, told where the user looks."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from i2icli.data.images import BrokenImageWarning
from i2icli.engine.watch import Watcher


@contextmanager
def broken_images_told(watcher: Watcher) -> Iterator[None]:
    """Inside the block every skipped image is a warning of the watcher, from whichever thread it comes."""
    with warnings.catch_warnings():
        warnings.simplefilter("always", BrokenImageWarning)
        usual = warnings.showwarning

        def show(
            message: Warning | str,
            category: type[Warning],
            filename: str,
            lineno: int,
            file: TextIO | None = None,
            line: str | None = None,
        ) -> None:
            if issubclass(category, BrokenImageWarning):
                watcher.warn(str(message))
            else:
                usual(message, category, filename, lineno, file, line)

        warnings.showwarning = show
        yield
