"""Keeping the chatter of a library's native code off the user's screen."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryFile

STDERR = 2  # native code writes to the file descriptor, past sys.stderr


@contextmanager
def quiet() -> Iterator[None]:
    """What is written to stderr meanwhile, by any thread, is dropped; shown after all at an error."""
    sys.stderr.flush()
    try:
        kept = os.dup(STDERR)
    except OSError:  # it is closed: there is nothing to keep quiet
        yield
        return
    with TemporaryFile() as written:
        os.dup2(written.fileno(), STDERR)
        try:
            yield
        except BaseException:
            written.seek(0)
            os.write(kept, written.read())
            raise
        finally:
            sys.stderr.flush()
            os.dup2(kept, STDERR)
            os.close(kept)
