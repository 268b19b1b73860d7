"""Writing files so that a kill at any moment leaves the old one or the new one, never half of one."""

import errno
import os
import re
import shutil
import socket
import sys
import time
import warnings
import zlib
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from functools import cache
from pathlib import Path
from uuid import uuid4

FULL = 100_000  # bytes left of a disk on which a file did not fit
UNSUPPORTED = frozenset({errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOLCK})
"""What file systems answer that have no locks, or cannot be asked to write at once."""
NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""What systems say when a disk or a share of it is full, or a file larger than allowed."""
LONGEST_NAME = 255  # bytes of a file's name
OLD = 24 * 3600  # seconds after which nobody still writes a temporary file

_warned: set[tuple[str, int]] = set()  # what is known to be lacking, and the device
_TEMPORARY = re.compile(r"\.([0-9a-f]{8})([0-9a-f]{8})[0-9a-f]{8}\.writing(\.\w+)?")  # machine, process, draw
_EARLIER = re.compile(r"\.[0-9a-f]{12}\.writing(\.\w+)?")  # as earlier versions called them


class FileSystemWarning(UserWarning):
    """A file system lacks something that keeps files safe; work goes on without it."""


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Yield a temporary path in the same folder; on leaving without an error it takes the place of `path`.

    The temporary name keeps the suffix, as writers choose formats by it. Missing folders are made. An
    OSError of the system names `path`; what libraries say in words of their own is one when the disk is full.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(temporary_name(path.suffix))
    try:
        yield beside
        write_through(beside)
        beside.replace(path)
    except Exception as error:
        if isinstance(error, OSError) and error.errno:  # libraries raise some without, in words alone
            if str(error.filename) in ("None", str(beside)):
                error.filename = str(path)
        elif number := _refused(beside):
            raise OSError(number, os.strerror(number), str(path)) from error
        raise
    finally:
        with suppress(FileNotFoundError):
            beside.unlink()


def write_through(path: Path) -> None:
    """Have the system write what it holds of a file to the disk. Raises OSError if it fails.

    A file system that refuses to be asked is warned about once.
    """
    with path.open("rb+") as file:
        try:
            os.fsync(file.fileno())
        except OSError as error:
            if error.errno not in UNSUPPORTED:
                raise
            _warn_once(
                "fsync",
                path.parent,
                f"{path.parent}: this file system cannot be asked to write at once ({_why(error)}), so a "
                "power cut may lose what was written last",
            )


def _warn_once(what: str, folder: Path, text: str) -> None:
    """A `FileSystemWarning` about something that the file system of a folder lacks, once in a process."""
    lacking = (what, folder.stat().st_dev)
    if lacking not in _warned:
        _warned.add(lacking)
        warnings.warn(text, FileSystemWarning, stacklevel=3)


def real(path: Path) -> Path:
    """Where a path leads; a link to itself, which leads nowhere, is no error."""
    return Path(os.path.realpath(path))


def fitting(stem: str, end: str) -> str:
    """The name `stem` + `end`, with the stem cut where a file system would not take it."""
    while len(os.fsencode(stem + end)) > LONGEST_NAME and stem:
        stem = stem[:-1]
    return stem + end


# -- temporary files -------------------------------------------------------------------------------


def temporary_name(suffix: str = "") -> str:
    """A name that no other file has, hidden, which tells who writes it."""
    return f".{process_mark()}{uuid4().hex[:8]}.writing{suffix}"


def process_mark() -> str:
    """16 digits that tell this process from others, on this machine and elsewhere."""
    return f"{_machine():08x}{os.getpid():08x}"


def is_running(mark: str, since: float) -> bool:
    """Whether the process of a mark is there; of one on another machine, whether it may be, by its age.

    since: when the mark was left, as `time.time` has it.
    """
    if not re.fullmatch(r"[0-9a-f]{16}", mark):
        return False
    if int(mark[:8], 16) == _machine() and sys.platform != "win32":
        return _is_running(int(mark[8:], 16))
    return time.time() - since <= OLD


def clear_temporary(folders: Iterable[Path], *, alone: bool = False) -> None:
    """Remove what killed processes left half written in some folders; other hidden files stay.

    A file, or a folder of files that belong together, goes if its process has ended, or if it is a day old
    where that cannot be known. alone: nobody else writes here, so that those of unknown processes go at once.
    """
    for folder in folders:
        with suppress(OSError), os.scandir(folder) as entries:
            for entry in entries:
                if _is_abandoned(entry, alone=alone):
                    with suppress(OSError):
                        shutil.rmtree(entry.path) if entry.is_dir() else Path(entry.path).unlink()


def _is_abandoned(entry: "os.DirEntry[str]", *, alone: bool) -> bool:
    match = _TEMPORARY.fullmatch(entry.name)
    if match is None and not _EARLIER.fullmatch(entry.name):
        return False
    if not entry.is_file(follow_symlinks=False) and not entry.is_dir(follow_symlinks=False):
        return False
    if match is not None and int(match[1], 16) == _machine() and sys.platform != "win32":
        return not _is_running(int(match[2], 16))
    return alone or time.time() - entry.stat(follow_symlinks=False).st_mtime > OLD


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        pass  # another user's
    return True


@cache
def _machine() -> int:
    """A number for the machine, or the container, in which the numbers of processes mean something."""
    space = ""
    with suppress(OSError):
        space = os.readlink("/proc/self/ns/pid")  # noqa: PTH115 - no path
    return zlib.crc32(f"{socket.gethostname()} {space}".encode())


# -- locks -----------------------------------------------------------------------------------------


def locks_work(folder: Path) -> bool:
    """Whether the file system of a folder has locks; if not, that is warned about.

    Raises OSError where no file can be made.
    """
    try:
        import fcntl
    except ImportError:  # Windows, where every file system has them
        return True
    tried = folder / temporary_name()
    number = os.open(tried, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in UNSUPPORTED:
            raise
        _warn_once(
            "locks",
            folder,
            f"{folder}: this file system has no locks ({_why(error)}), so nothing keeps a second process "
            "out; start only one",
        )
        return False
    finally:
        os.close(number)
        tried.unlink(missing_ok=True)
    return True


def file_lock(path: Path) -> AbstractContextManager[object]:
    """To be entered while no other process may; it waits for one that is inside. See `locks_work`."""
    from filelock import FileLock  # what only writes files need not load it

    return FileLock(path) if locks_work(path.parent) else nullcontext()


def _why(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


def _refused(path: Path) -> int:
    """Why no more can be written to a file, as a number of `errno`, if there is no room for it; else 0."""
    try:
        if shutil.disk_usage(path.parent).free < FULL:
            return errno.ENOSPC
        with path.open("ab") as file:  # there may be a quota
            file.write(bytes(FULL))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        return error.errno if error.errno in NO_ROOM else 0
    return 0
