"""Suppressing what native libraries write to stderr."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryFile

STDERR = 2  # native code writes to the file descriptor, past sys.stderr


@contextmanager
def quiet() -> Iterator[None]:
    """Discard everything written to stderr meanwhile, by any thread; shown if an exception occurs."""
    sys.stderr.flush()
    try:
        original = os.dup(STDERR)
    except OSError:  # stderr is closed
        yield
        return
    with TemporaryFile() as written:
        os.dup2(written.fileno(), STDERR)
        try:
            yield
        except BaseException:
            written.seek(0)
            os.write(original, written.read())
            raise
        finally:
            sys.stderr.flush()
            os.dup2(original, STDERR)
            os.close(original)
