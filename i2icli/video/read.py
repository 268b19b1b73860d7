"""Reading frames of a video file."""

from collections.abc import Iterator
from contextlib import contextmanager
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
    with _explained(path):
        frames, length = _frames(path, number)
    if not frames:
        raise UserError(f"cannot read {path}: no frames", exit_code=1)
    pixels = frames[0].shape[0] * frames[0].shape[1] * length
    return VideoSample(frames, 8 * path.stat().st_size / pixels)


def frame_size(path: Path) -> tuple[int, int]:
    """(height, width) of the frames. Raises UserError if the video cannot be read."""
    with _explained(path), _opened(path) as (about, _):
        width, height = about["size"]
        return height, width


def read_frame(path: Path, index: int) -> NDArray[np.uint8] | None:
    """A frame (H, W, 3), counted from 0; None if the video is shorter. Raises UserError as above."""
    only = ["-vf", f"select=eq(n\\,{index})", "-frames:v", "1"]
    with _explained(path), _opened(path, *only) as (about, frames):
        width, height = about["size"]
        return next((_decoded(data, height, width) for data in frames), None)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Whatever the reader raises becomes a UserError."""
    if not path.is_file():
        raise UserError(f"cannot read {path}: no such file or directory", exit_code=1)
    try:
        yield
    except (OSError, RuntimeError, StopIteration, ValueError, KeyError, IndexError) as error:
        line = (str(error).strip().splitlines() or [type(error).__name__])[-1][:120]
        raise UserError(
            f"cannot read {path}: not a video that ffmpeg can read ({line})", exit_code=1
        ) from None


@contextmanager
def _opened(path: Path, *output: str) -> Iterator[tuple[dict[str, Any], Iterator[bytes]]]:
    """What ffmpeg tells about a video, and its frames. Raises whatever the reader does."""
    reader = imageio_ffmpeg.read_frames(str(path), output_params=["-fps_mode", "passthrough", *output])
    try:
        about: dict[str, Any] = next(reader)
        width, height = about["size"]
        if width * height > _MAX_PIXELS:
            raise UserError(f"cannot read {path}: frames of {width}x{height} pixels", exit_code=1)
        yield about, reader
    finally:
        reader.close()


def _decoded(data: bytes, height: int, width: int) -> NDArray[np.uint8]:
    return np.frombuffer(data, np.uint8).reshape(height, width, 3).copy()


def _frames(path: Path, number: int) -> tuple[list[NDArray[np.uint8]], int]:
    """Evenly spread frames, and how many there are in all. Raises whatever the reader does."""
    frames, length, seen = _spread(path, number, None)
    if seen < length:  # uneven intervals: its rate does not give the number of frames
        frames, length, _ = _spread(path, number, seen)
    return frames, length


def _spread(path: Path, number: int, length: int | None) -> tuple[list[NDArray[np.uint8]], int, int]:
    """Frames spread over a length, by default that of rate and duration; that length; the frames seen.

    The last is the length where the video was not read to its end. Raises whatever the reader does.
    """
    with _opened(path) as (about, reader):
        width, height = about["size"]
        length = length or max(1, round(about["duration"] * about["fps"]))
        wanted = {int((index + 0.5) * length / number) for index in range(number)}
        frames, seen = [], 0
        for index, data in enumerate(reader):
            if index in wanted:
                frames.append(_decoded(data, height, width))
            seen = index + 1
            if seen > max(wanted):
                seen = length
                break
    return frames, length, seen
