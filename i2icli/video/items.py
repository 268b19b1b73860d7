"""A frame of a video as an item to read."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from i2icli.errors import UserError
from i2icli.image import DecodedImage, Header, IdMap
from i2icli.image.transparency import as_read
from i2icli.reading import AS_FOUND, Reading
from i2icli.value_range import ValueRange
from i2icli.video.probing import probe_once
from i2icli.video.ranges import read_range


@dataclass(frozen=True, eq=False)
class DecodedFrame:
    """A decoded frame of a video. See `image.Item` for the methods."""

    pixels: NDArray[Any]  # (H, W, 3 or 4), uint8 or uint16; the fourth channel is alpha
    name: str

    def header(self) -> Header:
        """Size, alpha and type."""
        height, width, channels = self.pixels.shape
        return Header("png", (height, width), 3, alpha=channels == 4, dtype=self.pixels.dtype)

    def read(
        self,
        range: ValueRange | None = None,  # noqa: ARG002 - they span their type
        reading: Reading = AS_FOUND,
    ) -> DecodedImage:
        """The pixels, colour and alpha separate, if the latter is no channel of its own."""
        alpha = self.pixels[..., 3] if self.pixels.shape[2] == 4 else None
        return as_read(DecodedImage(self.pixels[..., :3], alpha, "png", lossless=False), None, reading)

    def read_map(self, reading: Reading = AS_FOUND) -> IdMap:  # noqa: ARG002 - there is none
        """Always raises UserError."""
        raise _no_ids(self.name)


@dataclass(frozen=True)
class FrameItem:
    """One frame of a video file, counted from 0. See `image.Item` for the methods.

    The frame is sought: only what it depends on is decoded, where the file allows it.
    """

    path: Path
    index: int

    @property
    def name(self) -> str:
        """film.mp4, frame 12"""
        return f"{self.path}, frame {self.index}"

    def header(self) -> Header:
        """Frames have three channels of 8 bits; whether the video is that long is not checked."""
        return Header("png", probe_once(self.path).size, 3, alpha=False, dtype=np.dtype(np.uint8))

    def read(
        self,
        range: ValueRange | None = None,  # noqa: ARG002 - as above
        reading: Reading = AS_FOUND,
    ) -> DecodedImage:
        """Raises UserError if the video cannot be read or has fewer frames."""
        found = read_range(self.path, self.index, 1)
        if not found:
            raise UserError(f"cannot read {self.name}: the video ends before it", exit_code=1)
        return as_read(DecodedImage(found[0], None, "png", lossless=False), None, reading)  # (H, W, 3)

    def read_map(self, reading: Reading = AS_FOUND) -> IdMap:  # noqa: ARG002 - as above
        """Always raises UserError."""
        raise _no_ids(self.name)


def _no_ids(name: str) -> UserError:
    return UserError(f"cannot read {name}: videos are lossy, so they hold no exact ids", exit_code=1)
