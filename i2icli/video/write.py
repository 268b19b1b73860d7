"""Writing frames to a video file."""

from collections.abc import Iterable
from itertools import chain
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import numpy as np
from numpy.typing import NDArray

from i2icli.errors import UserError
from i2icli.files import atomic_write


def write_video(path: Path, frames: Iterable[NDArray[Any]], fps: float) -> int:
    """Write frames (H, W, 3) of uint8, all of one size, as H.264, which every player shows; how many.

    Odd sides are extended by one row or column of the same colour, as the codec requires. Raises UserError
    if there are no frames or the video cannot be written.
    """
    iterator = iter(frames)
    first = next(iterator, None)
    if first is None:
        raise UserError(f"{path}: a video needs frames, and there are none")
    count = 0
    try:
        with atomic_write(path) as beside:
            writer = imageio_ffmpeg.write_frames(
                str(beside),
                _even(first).shape[1::-1],
                fps=fps,
                codec="libx264",
                pix_fmt_out="yuv420p",
                macro_block_size=2,
                output_params=["-crf", "14", "-movflags", "+faststart"],
            )
            writer.send(None)
            for frame in chain([first], iterator):
                writer.send(np.ascontiguousarray(_even(frame)))
                count += 1
            writer.close()
            _check(beside, count)
    except OSError as error:
        reason = error.strerror or str(error).splitlines()[0]
        raise UserError(f"cannot write {path}: {reason}", exit_code=1) from error
    return count


def _even(frame: NDArray[Any]) -> NDArray[Any]:
    height, width, _ = frame.shape
    return np.pad(frame, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")


def _check(path: Path, count: int) -> None:
    """Count the frames written: ffmpeg may fail without an error."""
    written, _ = imageio_ffmpeg.count_frames_and_secs(str(path))
    if written != count:
        raise OSError(f"the encoder wrote {written} of {count} frames")
