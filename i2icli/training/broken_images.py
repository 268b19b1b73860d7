"""What the threads that read images warn of, told where the user looks."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from i2icli.data.images import BrokenImageWarning
from i2icli.training.callbacks import Callbacks


@contextmanager
def broken_images_told(callbacks: Callbacks) -> Iterator[None]:
    """Inside the block every skipped image is a warning of the callbacks, from whichever thread it comes."""
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
                callbacks.warn(str(message))
            else:
                usual(message, category, filename, lineno, file, line)

        warnings.showwarning = show
        yield
