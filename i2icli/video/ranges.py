"""Frames by number, by seeking."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from i2icli.video.damage import Damage
from i2icli.video.decoding import decode
from i2icli.video.info import VideoInfo
from i2icli.video.probing import probe_once


def read_range(video: Path | VideoInfo, first: int, count: int, step: int = 1) -> list[NDArray[np.uint8]]:
    """Frames number first, first + step, ... as uint8 (H, W, 3): `count` of them, fewer where the video ends.

    They are the very frames that reading from the start gives. Raises UserError if the video cannot be read.
    """
    info = video if isinstance(video, VideoInfo) else probe_once(video)
    frames: list[NDArray[np.uint8]] = []
    decoded = decode(info, Damage(), first=first, alpha=False, deep=False)
    for frame in decoded:
        if frame.index >= first + len(frames) * step:
            frames.append(frame.pixels)
        if len(frames) == count:
            break
    return frames
