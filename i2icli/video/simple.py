"""Frames to a plain H.264 file, for previews and interpolations."""

from collections.abc import Iterable
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from i2icli.errors import UserError
from i2icli.files import atomic_write
from i2icli.video.encoding import Encoding
from i2icli.video.info import Colour
from i2icli.video.writer import VideoWriter

_COLOUR = Colour("bt709", "bt709", "bt709", False)


def write_video(path: Path, frames: Iterable[NDArray[Any]], fps: float) -> int:
    """Write uint8 frames (H, W, 3) of one size as H.264, tagged BT.709; returns their number.

    Odd sides are padded by one replicated row or column, as the codec requires. Raises UserError if there
    are no frames or the video cannot be written.
    """
    iterator = iter(frames)
    first = next(iterator, None)
    if first is None:
        raise UserError(f"{path}: no frames to write")
    height, width, _ = first.shape
    even = (height + height % 2, width + width % 2)
    encoding = Encoding("mp4", "libx264", ("-crf", "14"), "yuv420p", _COLOUR, 8, alpha=False, size=even)
    step = 1 / Fraction(fps).limit_denominator(1001)
    try:
        with atomic_write(path) as temporary:
            with VideoWriter(temporary, encoding, step) as writer:
                for index, frame in enumerate(chain([first], iterator)):
                    writer.write(np.ascontiguousarray(frame), index * step)
            return writer.frames
    except OSError as error:
        reason = error.strerror or str(error).splitlines()[0]
        raise UserError(f"cannot write {path}: {reason}", exit_code=1) from error
