"""Image sequences read as videos: a folder, a glob, or a pattern such as frame_%05d.png."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from i2icli.errors import UserError
from i2icli.image import FileItem
from i2icli.image.finding import find_images, is_image_name, listing, named, natural_key
from i2icli.reading import AS_FOUND, Reading
from i2icli.video.damage import Damage
from i2icli.video.info import Colour, VideoInfo
from i2icli.video.source import Frame

RATE = Fraction(25)  # frames per second where none is given
_PATTERN = re.compile(r"%(0?)(\d{0,2})d")


def is_sequence(text: str) -> bool:
    """Whether a word names an image sequence: a folder, a pattern with %d, or a glob of images."""
    path = Path(text)
    if path.is_dir():
        return True
    return not path.exists() and bool(_PATTERN.search(path.name) or any(mark in text for mark in "*?["))


def sequence_files(text: str) -> list[Path]:
    """The images of a sequence in natural order. Raises UserError where there is none."""
    path = Path(text)
    if path.is_dir():
        files = find_images(path)
    elif not path.exists() and (pattern := _PATTERN.search(path.name)):
        files = _numbered(path, pattern)
    else:
        files = sorted((each for each in named(text) if is_image_name(each)), key=natural_key)
    if not files:
        near = path if path.is_dir() else path.parent
        inside = f"; {near} contains {listing(near)}" if near.is_dir() else ""
        raise UserError(f"{text}: no frames: there are no images of that name{inside}")
    return files


def _numbered(path: Path, pattern: re.Match[str]) -> list[Path]:
    """The files that a pattern with one %d names, in the order of their numbers."""
    before, behind = path.name[: pattern.start()], path.name[pattern.end() :]
    width = int(pattern[2] or 0) if pattern[1] else 0
    folder = path.parent
    found: dict[int, Path] = {}
    for each in folder.iterdir() if folder.is_dir() else ():
        digits = each.name[len(before) : len(each.name) - len(behind)]
        fits = each.name == f"{before}{digits}{behind}" and digits.isascii() and digits.isdigit()
        if fits and digits == f"{int(digits):0{width}d}":
            found[int(digits)] = each
    return [found[number] for number in sorted(found)]


@dataclass
class SequenceSource:
    """Images as frames at a constant rate; the first is at 0 s. See `Source` for the methods."""

    name: str
    files: list[Path]
    info: VideoInfo
    reading: Reading = AS_FOUND
    damage: Damage = field(default_factory=Damage)

    @property
    def named(self) -> bool:
        """See `Source`."""
        return len({each.stem for each in self.files}) == len(self.files)

    @contextmanager
    def frames(
        self, start: Fraction | None = None, end: Fraction | None = None, every: int = 1, after: int = -1
    ) -> Iterator[Iterator[Frame]]:
        """See `Source`. The items are the files themselves, read by whoever needs them."""
        self.damage = Damage()
        yield self._frames(start, end, every, after)

    def _frames(
        self, start: Fraction | None, end: Fraction | None, every: int, after: int
    ) -> Iterator[Frame]:
        for index in range(0, len(self.files), every):
            time = index * self.info.time_base
            if end is not None and time >= end:
                return
            if index > after and (start is None or time >= start):
                item = FileItem(self.files[index], self.reading)
                yield Frame(index, time, item, duration=self.info.time_base)


def open_sequence(text: str, rate: Fraction | None = None, reading: Reading = AS_FOUND) -> SequenceSource:
    """An image sequence; `rate`: frames per second, by default 25; `reading`: of its images.

    Raises UserError.
    """
    files = sequence_files(text)
    rate = rate or RATE
    first = FileItem(files[0], reading).header()
    info = VideoInfo(
        path=Path(text),
        container="images",
        size=first.size,
        rate=rate,
        time_base=1 / rate,
        start=Fraction(0),
        duration=len(files) / rate,
        frames=len(files),
        codec=first.format,
        pixel_format="",
        bits=8 * min(2, first.dtype.itemsize),
        alpha=first.alpha,
        colour=Colour(),
        rotation=0,
        tracks=(),
        index=0,
        chapters=0,
        variable=False,
    )
    return SequenceSource(text, files, info, reading)
