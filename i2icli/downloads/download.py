"""Downloading a file: resumed where it broke off, bounded, checked, and there whole or not at all."""

import hashlib
import json
import re
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPResponse
from pathlib import Path
from typing import Protocol

from filelock import FileLock, Timeout

from i2icli.downloads.web import BrokenError, RefusedError, opened, read_some
from i2icli.errors import UserError, readable
from i2icli.files import atomic_write, locks_work

CHUNK = 2**20  # bytes
PAUSE_S = 10.0  # between lines of progress
RETRY_AFTER_S = (1.0, 2.0, 4.0)  # pauses between attempts that brought nothing
MOST_ATTEMPTS = 20  # also of those that each bring a little
SLOWEST, SLOW_S = 1000, 60.0  # bytes per second over so many seconds: slower is a broken connection
LARGEST = 20 * 10**9  # bytes of a file whose size nobody has said
RANGE_NOT_SATISFIABLE = 416
SPARE = 100 * 10**6  # bytes that a download leaves free on the disk


@dataclass(frozen=True)
class Wanted:
    """A file to be downloaded, and what is known of it."""

    url: str
    sha256: str = ""  # its first digits; "": unknown
    size: int | None = None  # bytes, about; twice as many are refused
    headers: Mapping[str, str] = field(default_factory=dict)
    allow_http: bool = False


class Progress(Protocol):
    """What a download reports to."""

    def note(self, text: str) -> None:
        """One line."""

    def moved(self, name: str, done: int, total: int | None) -> None:
        """So many bytes of a file are here, of how many, if that is known."""


class Lines:
    """Progress as a line every few seconds."""

    def __init__(self, note: Callable[[str], None]) -> None:
        self.note = note
        self.told_at = time.monotonic()

    def moved(self, name: str, done: int, total: int | None) -> None:
        """A line, if the last one is some time ago."""
        if time.monotonic() - self.told_at > PAUSE_S:
            self.told_at = time.monotonic()
            share = f"{done / total:.0%} of {megabytes(total)}" if total else megabytes(done)
            self.note(f"downloading {name}: {share}")


def download(wanted: Wanted, path: Path, progress: Progress) -> str:
    """Download a file, and return its SHA-256. What broke off is resumed, now or by the next call.

    Other processes that want the same file wait. A server that does not resume, or whose file has changed, is
    asked for all of it again. Raises UserError if it cannot be had, is larger than it should be or than the
    disk, or is another file than promised; then nothing is left at `path`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with locked(path, progress):
        if not path.is_file():  # else another process was faster
            part = _Part(path)
            _fetch(wanted, part, progress)
            digest = sha256_of(part.path)
            if not digest.startswith(wanted.sha256.lower()):
                part.remove()
                raise UserError(
                    f"{wanted.url}: what came is not the file that its name promises (SHA-256 begins with "
                    f"{digest[: len(wanted.sha256)]}, not {wanted.sha256}); it was not kept",
                    exit_code=1,
                )
            part.path.replace(path)
            part.remove()
            return digest
    return sha256_of(path)


@contextmanager
def locked(path: Path, progress: Progress) -> Iterator[None]:
    """Hold a lock beside a file; if another process holds it, that is said and waited for."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not locks_work(path.parent):
        yield
        return
    lock = FileLock(path.with_name(f".{path.name}.lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        progress.note(f"another process is downloading {path.name}; waiting for it")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, as 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def megabytes(size: int) -> str:
    """12,345,678 -> "12 MB"."""
    return f"{size / 1e6:,.0f} MB" if size >= 1e6 else f"{size / 1e3:,.0f} kB"


class _Part:
    """The part of a file that is here, and what the server called that version of it."""

    def __init__(self, path: Path) -> None:
        self.path = path.with_name(f".{path.name}.part")
        self.about = path.with_name(f".{path.name}.part.json")
        self.name = path.name

    @property
    def size(self) -> int:
        return self.path.stat().st_size if self.path.is_file() else 0

    def version(self, url: str) -> tuple[str | None, int | None]:
        """The version that is being downloaded from this address, and its size; None if not known."""
        try:
            found = json.loads(self.about.read_text(encoding="utf-8"))
            return (found["version"], found["total"]) if found["url"] == url else (None, None)
        except (OSError, ValueError, TypeError, KeyError):
            return None, None

    def begin(self, url: str, version: str | None, total: int | None) -> None:
        """Forget what is here; the next bytes are the first ones of a version."""
        self.path.unlink(missing_ok=True)
        with atomic_write(self.about) as beside:
            beside.write_text(json.dumps({"url": url, "version": version, "total": total}), encoding="utf-8")

    def remove(self) -> None:
        for path in (self.path, self.about):
            path.unlink(missing_ok=True)


def _fetch(wanted: Wanted, part: _Part, progress: Progress) -> None:
    """Attempt after attempt until all is here. Raises UserError when going on does not help."""
    size = f" ({megabytes(wanted.size)})" if wanted.size else ""
    here = f", of which {megabytes(part.size)} are here," if part.size else ""
    progress.note(f"downloading {wanted.url}{size}{here} to {part.path.parent}")
    idle = 0  # attempts in a row that brought nothing
    for _ in range(MOST_ATTEMPTS):
        before = part.size
        try:
            _attempt(wanted, part, progress)
            return
        except BrokenError as error:
            reason = readable(str(error))
        idle = 0 if part.size > before else idle + 1
        if idle > len(RETRY_AFTER_S):
            break
        progress.note(f"{part.name}: {reason}; trying again")
        time.sleep(RETRY_AFTER_S[max(0, idle - 1)])
    kept = f"; {megabytes(part.size)} are kept, the same command goes on from there" if part.size else ""
    raise UserError(f"{wanted.url}: cannot be downloaded ({reason}){kept}", exit_code=1)


def _attempt(wanted: Wanted, part: _Part, progress: Progress) -> None:
    """Ask for what is missing, and write what comes."""
    have, (version, whole) = part.size, part.version(wanted.url)
    if version and have and have == whole:  # all but the new name was done
        return
    headers = dict(wanted.headers)
    if have and version:  # If-Range: all of the file comes if it is another one now
        headers |= {"Range": f"bytes={have}-", "If-Range": version}
    try:
        with opened(wanted.url, headers, allow_http=wanted.allow_http) as response:
            _receive(response, have, wanted, part, progress)
    except RefusedError as error:
        if error.code != RANGE_NOT_SATISFIABLE:
            raise
        part.remove()
        raise BrokenError("the server cannot go on where it was asked to") from None


def _receive(response: HTTPResponse, have: int, wanted: Wanted, part: _Part, progress: Progress) -> None:
    """Append what comes to the `have` bytes that are here, or begin again."""
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise UserError(f"{wanted.url}: comes compressed, although it was asked for as it is", exit_code=1)
    start, total = _extent(response, have)
    if start is None:
        part.remove()
        raise BrokenError("the server went on at another place than it was asked to")
    if not start:
        part.begin(wanted.url, _version(response), total)
    _check_size(wanted, part, start, total)
    most = _most(wanted) if total is None else total
    with part.path.open("ab") as file:
        for chunk in _chunks(response, start, most):
            file.write(chunk)
            progress.moved(part.name, file.tell(), total)
        done = file.tell()
    if total is None and done >= most:
        part.remove()
        raise _too_large(wanted, f"more than {megabytes(most)}")
    if total is not None and done < total:
        raise BrokenError(f"the connection broke off at {megabytes(done)} of {megabytes(total)}")


def _extent(response: HTTPResponse, have: int) -> tuple[int | None, int | None]:
    """Where the bytes that come begin, None if that is of no use; and the size of the whole file, if told."""
    length = response.headers.get("Content-Length", "")
    if response.status != 206:
        return 0, int(length) if length.isdecimal() else None
    match = re.fullmatch(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18})", response.headers.get("Content-Range", ""))
    if match is None:
        return None, None
    first, last, total = map(int, match.groups())
    fits = first == have and last == total - 1 and length == str(total - first)
    return (first, total) if fits else (None, None)


def _version(response: HTTPResponse) -> str | None:
    """What tells this version of the file from others. Weak tags do not: equal ones may differ in bytes."""
    tag = response.headers.get("ETag")
    if tag and not tag.startswith("W/"):
        return str(tag)
    return response.headers.get("Last-Modified")


def _check_size(wanted: Wanted, part: _Part, start: int, total: int | None) -> None:
    """Raise UserError for a file that is not the one wanted by its size, or does not fit on the disk."""
    if total is None:
        return
    if total > _most(wanted):
        part.remove()
        raise _too_large(wanted, megabytes(total))
    free = shutil.disk_usage(part.path.parent).free - SPARE
    if total - start > free:
        raise UserError(
            f"{wanted.url}: {megabytes(total - start)} do not fit into {part.path.parent}, where "
            f"{megabytes(max(0, free))} are free; make room and run the same command again",
            exit_code=1,
        )


def _most(wanted: Wanted) -> int:
    return 2 * wanted.size if wanted.size else LARGEST


def _too_large(wanted: Wanted, size: str) -> UserError:
    expected = f"about {megabytes(wanted.size)}" if wanted.size else f"at most {megabytes(LARGEST)}"
    return UserError(
        f"{wanted.url}: not the file that its name promises ({size} instead of {expected}); it was not kept",
        exit_code=1,
    )


def _chunks(response: HTTPResponse, start: int, most: int) -> Iterator[bytes]:
    """What comes, up to `most` bytes of the file. Raises BrokenError where it comes too slowly."""
    done, since, done_then = start, time.monotonic(), start
    while done < most and (chunk := read_some(response, min(CHUNK, most - done))):
        done += len(chunk)
        yield chunk
        if time.monotonic() - since > SLOW_S:
            if done - done_then < SLOWEST * SLOW_S:
                raise BrokenError(f"less than {SLOWEST} bytes a second came")
            since, done_then = time.monotonic(), done
