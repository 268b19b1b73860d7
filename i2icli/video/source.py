"""Videos and image sequences as streams of frames."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

from i2icli.image import Item
from i2icli.video.damage import Damage
from i2icli.video.info import VideoInfo


@dataclass(frozen=True)
class Frame:
    """A frame of a source."""

    index: int  # in the source, from 0
    time: Fraction  # seconds, in the source
    item: Item
    damaged: bool = False
    duration: Fraction | None = None  # seconds; None: not known


class Source(Protocol):
    """A video or an image sequence to read."""

    @property
    def name(self) -> str:
        """What messages call it."""

    @property
    def named(self) -> bool:
        """Whether frames have names of their own, which differ."""

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
