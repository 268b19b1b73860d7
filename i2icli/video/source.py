"""Videos and image sequences as streams of frames."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Protocol

from i2icli.errors import UserError
from i2icli.image import Item
from i2icli.video.damage import Damage
from i2icli.video.decoding import decode
from i2icli.video.info import VideoInfo
from i2icli.video.items import DecodedFrame
from i2icli.video.probing import probe


@dataclass(frozen=True)
class Frame:
    """A frame of a source."""

    index: int  # in the source, from 0
    time: Fraction  # seconds, in the source
    item: Item
    damaged: bool = False


class Source(Protocol):
    """A video or an image sequence to read."""

    @property
    def name(self) -> str:
        """What messages call it."""

    @property
    def info(self) -> VideoInfo:
        """What it says about itself."""

    @property
    def damage(self) -> Damage:
        """What was damaged in the last reading; complete when its frames have ended."""

    def frames(
        self, start: Fraction | None = None, end: Fraction | None = None, every: int = 1, after: int = -1
    ) -> AbstractContextManager[Iterator[Frame]]:
        """The frames from `start` up to `end` (seconds in the source; the frame at `end` is left out).

        Of them those whose number is a multiple of `every`, and greater than `after`: to resume. Numbers
        and times do not depend on where reading begins.
        """


@dataclass
class FilmSource:
    """A video file. See `Source` for the methods."""

    info: VideoInfo
    damage: Damage

    @property
    def name(self) -> str:
        """Its path."""
        return str(self.info.path)

    @contextmanager
    def frames(
        self, start: Fraction | None = None, end: Fraction | None = None, every: int = 1, after: int = -1
    ) -> Iterator[Iterator[Frame]]:
        """See `Source`."""
        self.damage = Damage()
        deep = self.info.bits > 8
        decoded = decode(
            self.info, self.damage, first=after + 1, start=start, alpha=self.info.alpha, deep=deep
        )

        def stream() -> Iterator[Frame]:
            for each in decoded:
                time = each.ticks * self.info.time_base
                if end is not None and time >= end:
                    return
                if each.index % every == 0:
                    item = DecodedFrame(each.pixels, f"{self.name}, frame {each.index}")
                    yield Frame(each.index, time, item, each.damaged)

        with closing(decoded):  # type: ignore[type-var]
            yield stream()


def open_source(text: str, rate: Fraction | None = None) -> Source:
    """A video file, a folder of images, a glob or a pattern such as frame_%05d.png.

    `rate`: frames per second of an image sequence, by default 25. Raises UserError.
    """
    if rate is not None:
        raise UserError(f"{text}: image sequences cannot be read yet")
    return FilmSource(probe(Path(text)), Damage())
