"""A few frames of a video, evenly spaced."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from i2icli.errors import UserError
from i2icli.video.damage import Damage
from i2icli.video.decoding import decode, known_packets
from i2icli.video.probing import probe
from i2icli.video.ranges import read_range

_SPARSE = 8  # frames per wanted one from which seeking is quicker than decoding all


@dataclass(frozen=True)
class VideoSample:
    """Some frames of a video."""

    frames: list[NDArray[np.uint8]]  # (H, W, 3) each
    bits_per_pixel: float  # of the whole file, audio included


def sample_frames(path: Path, number: int) -> VideoSample:
    """At most `number` frames, evenly spaced; sought where the file allows it.

    Raises UserError if the video cannot be read.
    """
    info = probe(path)
    length = info.frames or 1
    if known_packets(info) is None:  # its packets are no frames: count those
        length = max(1, sum(1 for _ in decode(info, Damage(), alpha=False, deep=False)))
    wanted = sorted({int((index + 0.5) * length / number) for index in range(number)})
    if known_packets(info) is not None and len(wanted) * _SPARSE < length:
        frames = [frame for index in wanted for frame in read_range(info, index, 1)]
    else:
        decoded = decode(info, Damage(), alpha=False, deep=False)
        frames = [frame.pixels for frame in decoded if frame.index in wanted]
    if not frames:
        raise UserError(f"cannot read {path}: no frames", exit_code=1)
    height, width = info.size
    return VideoSample(frames, 8 * path.stat().st_size / (height * width * length))
