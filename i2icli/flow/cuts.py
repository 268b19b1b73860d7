"""Scene cuts and repeated frames of a video, from thumbnails of its frames."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from i2icli.flow.warp import Frame

SIDE = 64  # pixels of a thumbnail
FLASH = 3  # frames that a flash may last

_PART, _STARTS = 32, ((16, 16), (0, 0), (0, 32), (32, 0), (32, 32))  # of a thumbnail, looked for in the other
_TEXTURE = 1.0  # standard deviation of the details of a part worth looking for
_OTHER_COLOURS = 0.12  # of the histogram: pans of 10 % of the width per frame give up to 0.1, cuts 0.1 to 0.9
_OTHER_STRUCTURE = 0.4  # correlation: cuts give up to 0.4, motion, fades and most flashes more
_STILL, _MOVING = 0.25, 1.0  # of 255: largest mean difference of a block of pixels
_BLOCK = 8  # thumbnail pixels
_LONGEST_RUN = 3  # repetitions of a frame; more are a scene at rest

Thumbnail: TypeAlias = NDArray[np.uint8]
"""(64, 64, 3)"""


def thumbnail(frame: Frame) -> Thumbnail:
    """A frame (H, W, 3) of any size as what cuts are found by."""
    import cv2

    return cv2.resize(frame, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


class SceneCuts:
    """Whether a frame begins a new scene, told at once.

    A cut has other colours and other structure. Pans and zooms keep the colours; fades and flashes keep the
    structure, but for a flash that saturates: without the frames behind it, it counts as two cuts. Frames
    without structure (black) begin none: the next one is compared with the last before them. Dissolves are
    not noticed.
    """

    def __init__(self) -> None:
        self._last: _Look | None = None

    def __call__(self, frame: Frame) -> bool:
        """Whether this frame, (H, W, 3) of any size, begins a scene other than that of the frames before."""
        look = _Look(thumbnail(frame))
        if look.flat:
            return False
        last, self._last = self._last, look
        return last is not None and last.differs(look)

    def state(self) -> dict[str, NDArray[Any]]:
        """What it remembers, for `load`."""
        return {} if self._last is None else {"thumbnail": self._last.pixels}

    def load(self, state: dict[str, NDArray[Any]]) -> None:
        """Go on where `state` was taken."""
        self._last = _Look(state["thumbnail"]) if "thumbnail" in state else None


@dataclass(frozen=True)
class Scenes:
    """What a pass over a video found."""

    length: int  # frames
    cuts: tuple[int, ...]  # first frames of scenes, without frame 0
    duplicates: tuple[int, ...]  # frames that repeat the one before, amid motion (telecine)

    @property
    def scenes(self) -> list[range]:
        """The frames of each scene."""
        edges = [0, *self.cuts, self.length]
        return [range(start, end) for start, end in pairwise(edges) if end > start]


def find_scenes(frames: Iterable[Frame]) -> Scenes:
    """The scenes of a video, whose frames (H, W, 3) or thumbnails are looked at one by one.

    As `SceneCuts`, but a flash of up to 3 frames, after which the scene goes on, is no cut.
    """
    cuts: list[int] = []
    waiting: list[int] = []  # cuts that may be a flash
    changes: list[float] = []
    before = last = shown = None
    for index, frame in enumerate(frames):
        look = _Look(thumbnail(frame))
        changes.append(look.change(shown))
        shown = look
        if waiting and index - waiting[0] > FLASH:
            cuts, waiting = cuts + waiting, []
        if look.flat:
            continue
        if waiting and before is not None and not before.differs(look):
            waiting = []
        elif last is not None and last.differs(look):
            before = before if waiting else last
            waiting.append(index)
        last = look
    return Scenes(len(changes), tuple(cuts + waiting), tuple(_duplicates(changes)))


def _duplicates(changes: Sequence[float]) -> list[int]:
    """Frames without change, in short runs between frames that move."""
    found: list[int] = []
    run: list[int] = []
    moving = False  # whether the frame before the run moves
    for index, change in enumerate(changes):
        if change < _STILL and index:
            run.append(index)
            continue
        if moving and change > _MOVING and len(run) <= _LONGEST_RUN:
            found += run
        run, moving = [], change > _MOVING
    return found


class _Look:
    """A thumbnail, and what it is compared by."""

    def __init__(self, pixels: Thumbnail) -> None:
        self.pixels = pixels

    def differs(self, later: "_Look") -> bool:
        """Whether a later frame is of another scene."""
        if 0.5 * float(np.abs(self.colours - later.colours).sum()) <= _OTHER_COLOURS:
            return False
        return self.correlation(later) < _OTHER_STRUCTURE

    def change(self, before: "_Look | None") -> float:
        """The largest mean difference of a block of pixels, of 255; the first frame is all change."""
        if before is None:
            return 255.0
        difference = np.abs(self.pixels.astype(np.float32) - before.pixels).mean(axis=2)  # (64, 64)
        number = SIDE // _BLOCK
        return float(difference.reshape(number, _BLOCK, number, _BLOCK).mean(axis=(1, 3)).max())

    def correlation(self, later: "_Look") -> float:
        """How well parts of this frame are found in a later one, wherever they have moved: at most 1."""
        import cv2

        found = [
            float(cv2.matchTemplate(later.details, part, cv2.TM_CCOEFF_NORMED).max()) for part in self.parts
        ]
        return sum(found) / len(found) if found else 1.0

    @property
    def flat(self) -> bool:
        """Whether it is without structure."""
        return not self.parts

    @cached_property
    def parts(self) -> list[NDArray[np.float32]]:
        """Parts of the details that hold some."""
        parts = [self.details[y : y + _PART, x : x + _PART] for y, x in _STARTS]
        return [part for part in parts if part.std() >= _TEXTURE]

    @cached_property
    def details(self) -> NDArray[np.float32]:
        """(64, 64): brightness less that around it, so that smooth areas do not resemble each other."""
        import cv2

        grey = cv2.cvtColor(self.pixels, cv2.COLOR_RGB2GRAY).astype(np.float32)
        details: NDArray[np.float32] = grey - cv2.GaussianBlur(grey, (0, 0), 3)
        return details

    @cached_property
    def colours(self) -> NDArray[np.float64]:
        """(8, 8, 8): a histogram in Lab of sum 1, blurred, so that a colour near a limit does not jump."""
        import cv2

        lab = cv2.cvtColor(self.pixels, cv2.COLOR_RGB2LAB)  # 8 bit each
        bins = lab.reshape(-1, 3).astype(np.intp) >> 5
        counts = np.bincount((bins[:, 0] * 8 + bins[:, 1]) * 8 + bins[:, 2], minlength=512)
        blurred: NDArray[np.float64] = counts.reshape(8, 8, 8) / counts.sum()
        for axis in range(3):
            blurred = np.moveaxis(blurred, axis, 0)
            wide = np.concatenate([blurred[:1], blurred, blurred[-1:]])
            blurred = np.moveaxis(0.25 * wide[:-2] + 0.5 * wide[1:-1] + 0.25 * wide[2:], 0, axis)
        return blurred
