"""Downloading files of weights."""

import hashlib
import time
from collections.abc import Callable, Iterator
from http.client import HTTPException
from pathlib import Path
from urllib.request import Request, urlopen

from filelock import FileLock

from i2icli import __version__
from i2icli.errors import UserError
from i2icli.files import atomic_write

CHUNK = 2**20  # bytes
TIMEOUT_S = 30.0  # without any answer
PAUSE_S = 10.0  # between lines of progress


def download(url: str, path: Path, sha256: str, size: int, note: Callable[[str], None]) -> None:
    """Download a file of about `size` bytes, whose SHA-256 begins with some digits, and say how far it is.

    Other processes that want the same file wait. Raises UserError if there is no connection, or the file is
    another one; then nothing is left at `path`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.with_name(f".{path.name}.lock")):
        if path.is_file():  # another process was faster
            return
        note(f"downloading {url} ({_megabytes(size)}) to {path.parent}")
        digest, done, told_at = hashlib.sha256(), 0, time.monotonic()
        with atomic_write(path) as beside, beside.open("wb") as file:
            for chunk in _chunks(url):
                file.write(chunk)
                digest.update(chunk)
                done += len(chunk)
                if time.monotonic() - told_at > PAUSE_S:
                    note(f"downloading {path.name}: {min(done / size, 1):.0%} of {_megabytes(size)}")
                    told_at = time.monotonic()
                if done > 2 * size:
                    break
            if not digest.hexdigest().startswith(sha256):
                raise UserError(
                    f"{url}: what came is not the file that its name promises (SHA-256 begins with "
                    f"{digest.hexdigest()[: len(sha256)]}, not {sha256}); it was not kept"
                )


def _chunks(url: str) -> Iterator[bytes]:
    request = Request(url, headers={"User-Agent": f"i2icli/{__version__}"})
    try:
        with urlopen(request, timeout=TIMEOUT_S) as response:
            while chunk := response.read(CHUNK):
                yield chunk
    except (OSError, HTTPException, ValueError) as error:
        reason = getattr(error, "reason", None) or str(error) or type(error).__name__
        raise UserError(f"{url}: cannot be downloaded ({reason})") from None


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.0f} MB"
