"""Lines that libraries write about themselves: no business of whoever uses the command line."""

import logging
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

_SILENT = logging.NullHandler()


@contextmanager
def without_chatter() -> Iterator[None]:
    """Inside the block libraries' warnings and log lines are not printed, in any thread.

    Categories that are to be shown are added to the filters inside. Who asks Python for warnings (-W) gets
    all.
    """
    root = logging.getLogger()
    root.addHandler(_SILENT)  # without any handler Python prints what is logged
    with warnings.catch_warnings():
        if not sys.warnoptions:
            warnings.simplefilter("ignore")
        try:
            yield
        finally:
            root.removeHandler(_SILENT)
