"""What is decided and how long it takes, for who asks: by `-v`, or by logging in Python. No torch here."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

LOG = logging.getLogger("i2icli")


@contextmanager
def timed(what: str) -> Iterator[None]:
    """Log how long the block, or the function it decorates, took: "saving: 0.52 s"."""
    started = time.perf_counter()
    try:
        yield
    finally:
        LOG.info("%s: %.2f s", what, time.perf_counter() - started)
