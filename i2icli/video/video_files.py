"""A video file as a source of frames."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from fractions import Fraction

from i2icli.video.damage import Damage
from i2icli.video.decoding import decode
from i2icli.video.info import VideoInfo
from i2icli.video.items import DecodedFrame
from i2icli.video.source import Frame


@dataclass
class VideoFile:
    """A video file. See `Source` for the methods."""

    info: VideoInfo
    damage: Damage = field(default_factory=Damage)

    @property
    def name(self) -> str:
        """Its path."""
        return str(self.info.path)

    @property
    def named(self) -> bool:
        """See `Source`."""
        return False

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
                time = each.ticks * self.info.time_base - self.info.zero
                if end is not None and time >= end:
                    return
                if each.index % every == 0:
                    item = DecodedFrame(each.pixels, f"{self.name}, frame {each.index}")
                    lasting = each.duration * self.info.time_base if each.duration else None
                    yield Frame(each.index, time, item, each.damaged, lasting)

        with closing(decoded):  # type: ignore[type-var]
            yield stream()
