"""Writing files so that a kill at any moment leaves the old one or the new one, never half of one."""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

FULL = 100_000  # bytes left of a disk on which a file did not fit


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Yield a temporary path in the same folder; on leaving without an error it takes the place of `path`.

    The temporary name keeps the suffix, as writers choose formats by it. Missing folders are made. An
    OSError of the system names `path`; what libraries say in words of their own is one when the disk is full.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{uuid4().hex[:12]}.writing{path.suffix}")
    try:
        yield beside
        with beside.open("rb+") as file:
            os.fsync(file.fileno())
        beside.replace(path)
    except Exception as error:
        if isinstance(error, OSError) and error.errno:  # libraries raise some without, in words alone
            if str(error.filename) in ("None", str(beside)):
                error.filename = str(path)
        elif _is_full(path.parent):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path)) from error
        raise
    finally:
        with suppress(FileNotFoundError):
            beside.unlink()


def _is_full(folder: Path) -> bool:
    try:
        return shutil.disk_usage(folder).free < FULL
    except OSError:  # the folder has gone
        return False
