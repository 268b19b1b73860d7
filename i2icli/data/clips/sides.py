"""The sides of a clip (frames, conditions, label maps), as files or as a video; reading their frames."""

import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from i2icli.data.images import BrokenImageWarning, threads
from i2icli.errors import UserError
from i2icli.flow.cuts import Thumbnail, thumbnail
from i2icli.image import ArrayItem, FileItem, Item, Pixels
from i2icli.image.kinds import decode as decode_item
from i2icli.image.kinds import prepare
from i2icli.image.pixels import change_type, convert_channels
from i2icli.task import Port
from i2icli.video.damage import Damage
from i2icli.video.decoding import decode, known_packets
from i2icli.video.info import VideoInfo

Extract: TypeAlias = Callable[[NDArray[np.uint8]], NDArray[np.uint8]]
"""(H, W, 3) -> planes (H, W, C) of a condition."""
Size: TypeAlias = tuple[int, int]
"""(height, width)"""

_AHEAD = 16  # files that are decoded ahead while a clip is searched for cuts


class Side(Protocol):
    """The frames of one side of a clip, counted from 0."""

    @property
    def name(self) -> str:
        """What messages call it: a folder or a video."""

    @property
    def sequential(self) -> bool:
        """Whether a single frame costs more than its share of many."""

    def length(self) -> int:
        """Number of frames."""

    def sizes(self) -> list[Size]:
        """(height, width) of every frame, or of all where they cannot differ."""

    def items(self) -> Sequence[Item]:
        """Items with the headers of the frames, or one that stands for all."""

    def thumbnails(self, port: Port) -> Iterator[Thumbnail | UserError]:
        """Every frame as the port reads it, small, or why it cannot be read."""

    def read(self, wanted: Sequence[int], port: Port, size: Size, *, strict: bool) -> list[Pixels | None]:
        """Frames, ascending, as a port wants them, (h, w, C); None for those that cannot be read.

        Raises UserError for these if `strict`.
        """


@dataclass(frozen=True, eq=False)
class FrameFiles:
    """Frames in files. See `Side`."""

    name: str
    files: Sequence[FileItem]
    sequential: bool = False
    _broken: set[int] = field(default_factory=set)

    def length(self) -> int:
        """See `Side`."""
        return len(self.files)

    def sizes(self) -> list[Size]:
        """See `Side`."""
        return [file.size for file in self.files]

    def items(self) -> Sequence[Item]:
        """See `Side`."""
        return self.files

    def thumbnails(self, port: Port) -> Iterator[Thumbnail | UserError]:
        """See `Side`."""

        def read(file: FileItem) -> Thumbnail | UserError:
            try:
                pixels = change_type(decode_item(file, port), np.uint8)
            except UserError as error:
                return error
            colours = pixels if pixels.shape[2] in (1, 3) else pixels[..., :1]
            return thumbnail(convert_channels(colours, 3))

        with ThreadPoolExecutor(threads()) as pool:
            for start in range(0, len(self.files), _AHEAD):  # not all at once: they would pile up
                yield from pool.map(read, self.files[start : start + _AHEAD])

    def read(self, wanted: Sequence[int], port: Port, size: Size, *, strict: bool) -> list[Pixels | None]:
        """See `Side`."""
        return [self._read(index, port, size, strict) for index in wanted]

    def _read(self, index: int, port: Port, size: Size, strict: bool) -> Pixels | None:
        try:
            return prepare(decode_item(self.files[index], port), port, size)
        except UserError as error:
            if strict:
                raise
            if index not in self._broken:
                self._broken.add(index)
                warnings.warn(f"{error}; the frame next to it is used", BrokenImageWarning, stacklevel=2)
            return None


@dataclass(frozen=True, eq=False)
class Film:
    """A video file. See `Side`."""

    info: VideoInfo
    sequential: bool = True

    @property
    def name(self) -> str:
        """Its path."""
        return str(self.info.path)

    def length(self) -> int:
        """See `Side`. Decodes it, where its packets do not tell."""
        packets = known_packets(self.info)
        if packets is not None:
            return len(packets.times)
        return sum(1 for _ in decode(self.info, Damage(), alpha=False, deep=False))

    def sizes(self) -> list[Size]:
        """See `Side`."""
        return [self.info.size]

    def items(self) -> Sequence[Item]:
        """See `Side`. Frames are read as 8-bit colours."""
        height, width = self.info.size
        stand_in = np.broadcast_to(np.zeros(1, np.uint8), (height, width, 3))  # takes no memory
        return [ArrayItem(stand_in, self.name)]

    def thumbnails(self, port: Port) -> Iterator[Thumbnail | UserError]:  # noqa: ARG002 - of no range
        """See `Side`."""
        index = 0
        for frame in decode(self.info, Damage(), alpha=False, deep=False):
            yield from map(self._lost, range(index, frame.index))
            yield thumbnail(frame.pixels)
            index = frame.index + 1

    def read(self, wanted: Sequence[int], port: Port, size: Size, *, strict: bool) -> list[Pixels | None]:
        """See `Side`."""
        found: dict[int, Pixels] = {}
        decoded = decode(self.info, Damage(), first=wanted[0], alpha=False, deep=False)
        for frame in decoded:  # made small one by one: many frames as they are could take gigabytes
            if frame.index in wanted:
                found[frame.index] = prepare(frame.pixels, port, size)
            if frame.index >= wanted[-1]:
                break
        lost = [index for index in wanted if index not in found]
        if strict and lost:
            raise self._lost(lost[0])
        return [found.get(index) for index in wanted]

    def _lost(self, index: int) -> UserError:
        return UserError(f"{self.name}: frame {index} cannot be read", exit_code=1)
