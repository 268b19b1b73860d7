"""A clip with all its sides, and its frames read together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock

from i2icli.data.clips.sides import Extract, Side, Size
from i2icli.errors import UserError
from i2icli.image import Pixels
from i2icli.image.pixels import as_colours
from i2icli.task import Port

FRAMES, SOURCE, LABELS, INSTANCES = "frames", "source", "labels", "instances"
"""The sides of clips, as batches call them."""


@dataclass(frozen=True, eq=False)
class Footage:
    """A clip as a user has it: a folder of frames or a video, and what is translated to it."""

    name: str
    sides: Mapping[str, Side]  # FRAMES always; SOURCE, or LABELS and perhaps INSTANCES, unless extracted
    lock: Lock = field(default_factory=Lock)  # held while frames of a video are read ahead

    @property
    def frames(self) -> Side:
        """The ground truth."""
        return self.sides[FRAMES]

    @property
    def size(self) -> Size:
        """(height, width) of its frames, to which all sides are brought."""
        return self.frames.sizes()[0]


@dataclass(frozen=True)
class Reading:
    """How footage is read."""

    ports: Mapping[str, Port]
    extract: Extract | None  # makes SOURCE of the frames
    strict: bool

    def read(self, footage: Footage, wanted: Sequence[int], size: Size) -> list[dict[str, Pixels]]:
        """Frames, ascending, with all sides, prepared: (h, w, C) of one size.

        A frame that cannot be read is replaced by the one before it, or after. Raises UserError if none can.
        """
        found: list[dict[str, Pixels]] = [{} for _ in wanted]
        for name, side in footage.sides.items():
            pixels = side.read(wanted, self.ports[name], size, strict=self.strict)
            for frame, each in zip(found, pixels, strict=True):
                if each is not None:
                    frame[name] = each
        good = [index for index, frame in enumerate(found) if len(frame) == len(footage.sides)]
        if not good:
            raise UserError(f"{footage.name}: none of the frames can be read", exit_code=1)
        if self.extract is not None:
            for index in good:
                found[index][SOURCE] = self.extract(as_colours(found[index][FRAMES]))
        earlier = good[0]
        for index, frame in enumerate(found):
            if index in good:
                earlier = index
            else:
                frame.update(found[earlier])
        return found


@dataclass(frozen=True)
class Shot:
    """Frames of a clip without a scene cut."""

    footage: Footage
    frames: tuple[int, ...]  # numbers, ascending; repeated frames left out

    def __len__(self) -> int:
        return len(self.frames)
