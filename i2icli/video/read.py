"""Some frames of a film file."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import numpy as np
from numpy.typing import NDArray

from i2icli.errors import UserError

_MOST_PIXELS = 100_000_000  # of a frame: more is an attack, not a film


@dataclass(frozen=True)
class Sample:
    """Some frames of a film."""

    frames: list[NDArray[np.uint8]]  # (H, W, 3) each
    bits: float  # per pixel of the whole film, sound included


def sample_frames(path: Path, number: int) -> Sample:
    """At most so many frames, evenly spread. Raises UserError if the film cannot be read."""
    if not path.is_file():
        raise UserError(f"cannot read {path}: no such file or directory", exit_code=1)
    try:
        frames, length = _frames(path, number)
    except (OSError, RuntimeError, StopIteration, ValueError, KeyError, IndexError) as error:
        line = (str(error).strip().splitlines() or [type(error).__name__])[-1][:120]
        raise UserError(
            f"cannot read {path}: not a film that ffmpeg can read ({line})", exit_code=1
        ) from None
    if not frames:
        raise UserError(f"cannot read {path}: no frames", exit_code=1)
    pixels = frames[0].shape[0] * frames[0].shape[1] * length
    return Sample(frames, 8 * path.stat().st_size / pixels)


def _frames(path: Path, number: int) -> tuple[list[NDArray[np.uint8]], int]:
    """The frames, and how many there are in all. Raises whatever the reader does."""
    frames, length, seen = _spread(path, number, None)
    if seen < length:  # times that are uneven: its rate says nothing of how many there are
        frames, length, _ = _spread(path, number, seen)
    return frames, length


def _spread(path: Path, number: int, length: int | None) -> tuple[list[NDArray[np.uint8]], int, int]:
    """Frames of a film of a length, by default that which its rate and duration tell; the length.

    Last how many frames there are, if that is less; else the length. Raises whatever the reader does.
    """
    reader = imageio_ffmpeg.read_frames(str(path), output_params=["-fps_mode", "passthrough"])
    try:
        about: dict[str, Any] = next(reader)
        width, height = about["size"]
        if width * height > _MOST_PIXELS:
            raise UserError(f"cannot read {path}: frames of {width}x{height} pixels", exit_code=1)
        length = length or max(1, round(about["duration"] * about["fps"]))
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
