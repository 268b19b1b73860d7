"""Sampling frames of a video file."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import numpy as np
from numpy.typing import NDArray

from i2icli.errors import UserError

_MAX_PIXELS = 100_000_000  # of a frame: more is an attack, not a video


@dataclass(frozen=True)
class VideoSample:
    """Some frames of a video."""

    frames: list[NDArray[np.uint8]]  # (H, W, 3) each
    bits_per_pixel: float  # of the whole file, audio included


def sample_frames(path: Path, number: int) -> VideoSample:
    """At most `number` frames, evenly spaced. Raises UserError if the video cannot be read."""
    if not path.is_file():
        raise UserError(f"cannot read {path}: no such file or directory", exit_code=1)
    try:
        frames, length = _frames(path, number)
    except (OSError, RuntimeError, StopIteration, ValueError, KeyError, IndexError) as error:
        line = (str(error).strip().splitlines() or [type(error).__name__])[-1][:120]
        raise UserError(
            f"cannot read {path}: not a video that ffmpeg can read ({line})", exit_code=1
        ) from None
    if not frames:
        raise UserError(f"cannot read {path}: no frames", exit_code=1)
    pixels = frames[0].shape[0] * frames[0].shape[1] * length
    return VideoSample(frames, 8 * path.stat().st_size / pixels)


def _frames(path: Path, number: int) -> tuple[list[NDArray[np.uint8]], int]:
    """The sampled frames, and the total number of frames. Raises whatever the reader does."""
    frames, length, seen = _sample(path, number, None)
    if seen < length:  # variable frame rate: rate and duration overestimate the number of frames
        frames, length, _ = _sample(path, number, seen)
    return frames, length


def _sample(path: Path, number: int, length: int | None) -> tuple[list[NDArray[np.uint8]], int, int]:
    """Frames evenly spaced over `length`, by default computed from frame rate and duration; the length.

    Third, the number of frames found if the video ends earlier, else the length. Raises whatever the reader
    does.
    """
    reader = imageio_ffmpeg.read_frames(str(path), output_params=["-fps_mode", "passthrough"])
    try:
        metadata: dict[str, Any] = next(reader)
        width, height = metadata["size"]
        if width * height > _MAX_PIXELS:
            raise UserError(f"cannot read {path}: frames of {width}x{height} pixels", exit_code=1)
        length = length or max(1, round(metadata["duration"] * metadata["fps"]))
        wanted = {int((index + 0.5) * length / number) for index in range(number)}
        frames, seen = [], 0
        for index, data in enumerate(reader):
            if index in wanted:
                frames.append(np.frombuffer(data, np.uint8).reshape(height, width, 3).copy())
            seen = index + 1
            if seen > max(wanted):
                seen = length
                break
    finally:
        reader.close()
    return frames, length, seen
