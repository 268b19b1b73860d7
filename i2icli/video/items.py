"""A frame of a video as an item to read."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from i2icli.errors import UserError
from i2icli.image import DecodedImage, Header, IdMap
from i2icli.video.read import frame_size, read_frame


@dataclass(frozen=True)
class FrameItem:
    """One frame of a video file, counted from 0. See `image.Item` for the methods.

    The video is decoded from its start for every frame: to read many frames, go through it once.
    """

    path: Path
    index: int

    @property
    def name(self) -> str:
        """film.mp4, frame 12"""
        return f"{self.path}, frame {self.index}"

    def header(self) -> Header:
        """Frames have three channels of 8 bits; whether the video is that long is not checked."""
        return self._header

    def read(self) -> DecodedImage:
        """Raises UserError if the video cannot be read or has fewer frames."""
        pixels = read_frame(self.path, self.index)  # (H, W, 3)
        if pixels is None:
            raise UserError(f"cannot read {self.name}: the video ends before it", exit_code=1)
        return DecodedImage(pixels, None, "png", lossless=False)

    def read_map(self) -> IdMap:
        """Always raises UserError."""
        raise UserError(f"cannot read {self.name}: videos are lossy, so they hold no exact ids", exit_code=1)

    @cached_property
    def _header(self) -> Header:
        return Header("png", frame_size(self.path), 3, alpha=False, dtype=np.dtype(np.uint8))
