"""Clips in a report: a contact strip of some frames, and an animation of all of them."""

from pathlib import Path

from PIL import Image
from torch import Tensor

from i2icli.files import atomic_write
from i2icli.report.sheet import sample_sheet, write_sample_sheet

Clip = dict[str, Tensor]
"""(T, C, H, W) in [-1, 1] by name: what is translated, the result, the ground truth."""

SHOWN = 6  # frames of a strip
LONGEST = 60  # frames of an animation
RATE = 12  # frames per second: slow enough to see flicker


def write_strip(path: Path, clip: Clip) -> None:
    """Write frames of a clip, evenly spaced, as PNG: one row for each name."""
    length = len(next(iter(clip.values())))
    count = min(SHOWN, length)
    times = [number * (length - 1) // max(1, count - 1) for number in range(count)]
    rows = [{f"frame {time + 1}": frames[time] for time in times} for frames in clip.values()]
    write_sample_sheet(path, rows, list(clip))


def write_film(path: Path, clip: Clip) -> None:
    """Write the frames of a clip, side by side, as an animated WebP that repeats for ever."""
    length = min(LONGEST, len(next(iter(clip.values()))))
    drawn: list[Image.Image] = [
        sample_sheet([{name: frames[time] for name, frames in clip.items()}]) for time in range(length)
    ]
    with atomic_write(path) as temporary:
        drawn[0].save(
            temporary,
            "WEBP",
            save_all=True,
            append_images=drawn[1:],
            duration=1000 // RATE,
            loop=0,
            quality=80,
        )
