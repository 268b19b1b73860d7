"""Finding a folder again that was moved while it was in use."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

_GONE = " (deleted)"  # what Linux adds to the path of what was removed


@contextmanager
def followed(folder: Path) -> Iterator[Callable[[], Path | None]]:
    """Yields what tells where a folder is now; None once it was removed, or where no system tells."""
    number = _opened(folder)
    try:
        yield lambda: None if number is None else _path_of(number)
    finally:
        if number is not None:
            os.close(number)


def _opened(folder: Path) -> int | None:
    if sys.platform == "win32":  # where a folder in use cannot be moved
        return None
    try:
        return os.open(folder, os.O_RDONLY)
    except OSError:
        return None


def _path_of(number: int) -> Path | None:
    if sys.platform == "linux":
        try:
            path = os.readlink(f"/proc/self/fd/{number}")  # noqa: PTH115 - text, to see what was added to it
        except OSError:
            return None
    elif sys.platform == "darwin":
        import fcntl

        try:
            path = os.fsdecode(fcntl.fcntl(number, fcntl.F_GETPATH, bytes(1024)).rstrip(b"\0"))
        except OSError:
            return None
    else:
        return None
    return None if path.endswith(_GONE) or not Path(path).is_dir() else Path(path)
