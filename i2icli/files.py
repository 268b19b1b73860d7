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
def written_beside(path: Path) -> Iterator[Path]:
    """Yield a temporary path in the same folder; on leaving without an error it takes the place of `path`.

    The temporary name keeps the suffix, as writers choose formats by it. Missing folders are made. Raises
    OSError naming `path`, also for what libraries say in words of their own when the disk is full.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{uuid4().hex[:12]}.writing{path.suffix}")
    try:
        yield beside
        with beside.open("rb+") as file:
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as error:
        if str(error.filename) in ("None", str(beside)):
            error.filename = str(path)
        raise
    except Exception as error:
        if shutil.disk_usage(path.parent).free < FULL:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path)) from error
        raise
    finally:
        with suppress(FileNotFoundError):
            beside.unlink()
