"""Images through pipes: `cat a.png | i2i translate - --model M > b.png`.

An image on standard input becomes a temporary file, and so does a result that goes to standard output, so
that all that is true of files is true of them.
"""

import os
import re
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BufferedReader
from pathlib import Path
from tempfile import TemporaryDirectory

from i2icli.errors import UserError

STREAM = "-"
STDIN, STDOUT = "stdin", "stdout"  # what messages call them
_PREFIX = "i2i-"  # of the folders of temporary files
_EARLIER = re.compile(rf"[^ ,;:]*{_PREFIX}[^/\\ ]+[/\\]{STDIN}\.\w+")  # an image that was piped in before
_NETPBM = re.compile(rb"P(7\n|[1-6](\s|#[^\n]*\n)+\d+\s)")


@dataclass
class Pipes:
    """What a command reads and writes in the place of standard input and output."""

    inputs: list[str]
    out: Path
    to_stdout: bool
    _names: dict[str, str] = field(default_factory=dict)  # of temporary files -> what they stand for

    def named(self, text: str) -> str:
        """A message, in which temporary files are called what they stand for."""
        for path, name in self._names.items():
            text = text.replace(path, name)
        return _EARLIER.sub(STDIN, text)

    def check(self, count: int) -> None:
        """Raise UserError if there is not one result for standard output."""
        if self.to_stdout and count != 1:
            raise UserError(f"--out -: standard output takes one result, here are {count:,}; choose a folder")

    def deliver(self, target: Path) -> None:
        """Write a result to standard output, if results go there."""
        if not self.to_stdout:
            return
        with target.open("rb") as file:
            shutil.copyfileobj(file, sys.stdout.buffer)
        sys.stdout.buffer.flush()


@contextmanager
def piped(inputs: Sequence[str], out: Path | None, default: Path) -> Iterator[Pipes]:
    """Inputs with the image on standard input, if there is one, as a file; and where results go.

    out: --out, None if it was not given; then the result of an image that was piped in goes out likewise.
    Raises UserError if it would go to a terminal.
    """
    with image_as_file(inputs) as (words, image), TemporaryDirectory(prefix=_PREFIX) as place:
        to_stdout = out == Path(STREAM) or (out is None and image is not None)
        if to_stdout and sys.stdout.isatty():
            raise UserError(
                "an image would go to the terminal; send it on, as in > result.png, or give --out FOLDER"
            )
        names = {str(image): STDIN} if image is not None else {}
        yield Pipes(words, Path(place) if to_stdout else out or default, to_stdout, {**names, place: STDOUT})


@contextmanager
def image_as_file(inputs: Sequence[str]) -> Iterator[tuple[list[str], Path | None]]:
    """Inputs with what is on standard input: the image there as a file, and that file, or the lines there.

    Raises UserError for bytes that are neither an image nor a list.
    """
    stream = getattr(sys.stdin, "buffer", None)
    if STREAM not in inputs or not isinstance(stream, BufferedReader) or sys.stdin.isatty():
        yield list(inputs), None
        return
    with TemporaryDirectory(prefix=_PREFIX) as place:
        image, lines = _spooled(stream, Path(place))
        found = [str(image)] if image is not None else lines or [STREAM]  # an empty list is one, too
        yield [each for word in inputs for each in (found if word == STREAM else [word])], image


def _spooled(stream: BufferedReader, folder: Path) -> tuple[Path | None, list[str]]:
    """The image that a stream holds as a file; None if it holds a list, and its lines."""
    from i2icli.image.decoded import ImageError
    from i2icli.image.read import HEAD, format_of

    head = stream.read(HEAD)  # waits for as much: some programs write the first few bytes alone
    if not (b"\0" in head or head.startswith(b"\xff\xd8\xff") or _NETPBM.match(head)):
        lines = os.fsdecode(head + stream.read()).split("\n")  # "BMW.jpg" begins as a BMP file does,
        return None, [line.rstrip("\r") for line in lines if line.strip()]  # but no text holds zeros
    try:
        format = format_of(head)
    except ImageError as error:
        raise UserError(f"cannot read {STDIN}: {error}, or a list of files") from None
    path = folder / f"{STDIN}.{_SUFFIXES.get(format, format)}"
    with path.open("wb") as file:
        file.write(head)
        shutil.copyfileobj(stream, file)
    return path, []


_SUFFIXES: dict[str, str] = {"jpeg": "jpg", "tiff": "tif"}
