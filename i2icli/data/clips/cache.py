"""Decoded frames of clips, kept as far as memory is allowed."""

from collections import OrderedDict
from collections.abc import Sequence
from threading import Lock

from i2icli.data.clips.footage import Footage, Reading, Shot
from i2icli.data.clips.sides import Size
from i2icli.image import Pixels

Frame = dict[str, Pixels]
"""The sides of a frame, prepared."""

_BLOCK = 128  # frames of a video that are decoded together where all will be kept


class FrameCache:
    """The frames used last, up to a number of bytes. Safe to use from several threads."""

    def __init__(self, reading: Reading, allowed: int, *, everything: bool) -> None:
        """allowed: bytes; everything: whether all frames fit, so that reading ahead pays."""
        self._reading = reading
        self._allowed = allowed
        self._everything = everything
        self._memory: OrderedDict[tuple[int, Size, int], Frame] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()

    def read(self, shot: Shot, places: Sequence[int], size: Size) -> list[Frame]:
        """The frames at some places of a shot, ascending. Raises UserError as `Reading.read`."""
        footage, wanted = shot.footage, [shot.frames[place] for place in places]
        found = self._kept(footage, size, wanted)
        if len(found) == len(wanted):
            return [found[index] for index in wanted]
        if not (self._everything and any(side.sequential for side in footage.sides.values())):
            return self._loaded(footage, size, wanted, found, wanted)
        with footage.lock:  # another thread may be decoding the same frames
            found = self._kept(footage, size, wanted)
            return self._loaded(footage, size, wanted, found, self._blocks(shot, places))

    def _loaded(
        self, footage: Footage, size: Size, wanted: list[int], found: dict[int, Frame], ahead: list[int]
    ) -> list[Frame]:
        missing = [index for index in ahead if index not in found]
        if missing:
            fresh = dict(zip(missing, self._reading.read(footage, missing, size), strict=True))
            self._keep(footage, size, fresh)
            found = found | fresh
        return [found[index] for index in wanted]

    @staticmethod
    def _blocks(shot: Shot, places: Sequence[int]) -> list[int]:
        start = places[0] // _BLOCK * _BLOCK
        end = (places[-1] // _BLOCK + 1) * _BLOCK
        return list(shot.frames[start:end])

    def _kept(self, footage: Footage, size: Size, wanted: list[int]) -> dict[int, Frame]:
        with self._lock:
            found = {}
            for index in wanted:
                key = (id(footage), size, index)
                if key in self._memory:
                    self._memory.move_to_end(key)
                    found[index] = self._memory[key]
            return found

    def _keep(self, footage: Footage, size: Size, frames: dict[int, Frame]) -> None:
        with self._lock:
            for index, frame in frames.items():
                key = (id(footage), size, index)
                if key not in self._memory:
                    self._memory[key] = frame
                    self._bytes += _bytes(frame)
            while self._bytes > self._allowed:
                _, oldest = self._memory.popitem(last=False)
                self._bytes -= _bytes(oldest)


def _bytes(frame: Frame) -> int:
    return sum(pixels.nbytes for pixels in frame.values())
