"""A copy of a video through the whole room: read, planned, written in segments, joined."""

from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from i2icli.video import EncodeOptions, Encoding, Frame, Source, VideoWriter, join, open_source, plan_encoding

NEARLY_LOSSLESS = {"libx264": 1.0, "libx265": 1.0, "libvpx-vp9": 0.0}


@dataclass(frozen=True)
class Shot:
    """A frame with its pixels, alpha behind the colours."""

    index: int
    time: Fraction
    pixels: NDArray[Any]


def read(path: Path | str, **words: Any) -> list[Shot]:
    """All frames of a video."""
    with open_source(str(path)).frames(**words) as frames:
        return [Shot(frame.index, frame.time, pixels(frame)) for frame in frames]


def pixels(frame: Frame) -> NDArray[Any]:
    """(H, W, 3 or 4)."""
    image = frame.item.read()
    return image.pixels if image.alpha is None else np.dstack([image.pixels, image.alpha])


def write(source: Source, encoding: Encoding, folder: Path, length: int, **words: Any) -> list[Path]:
    """All frames of a source in segments of `length` frames."""
    segments: list[Path] = []
    with source.frames(**words) as frames:
        pending = list(frames)
    for start in range(0, len(pending), length):
        segments.append(folder / f"segment-{start}{encoding.segment_suffix}")
        with VideoWriter(segments[-1], encoding, source.info.time_base) as writer:
            for frame in pending[start : start + length]:
                writer.write(pixels(frame)[..., : 4 if encoding.alpha else 3], frame.time, frame.duration)
    return segments


def copy(
    path: Path,
    target: Path,
    *,
    length: int = 7,
    cut: dict[str, Fraction] | None = None,
    gps: bool = False,
    **options: Any,
):
    """Copy a video to another container; the encoding."""
    source = open_source(str(path))
    info = source.info
    encoding = plan_encoding(
        target, info, EncodeOptions(**options), size=info.size, alpha=info.alpha, bits=info.bits
    )
    encoding = replace(encoding, keep_gps=gps)
    folder = target.parent / "segments"
    join(write(source, encoding, folder, length, **(cut or {})), target, source, encoding, **(cut or {}))
    return encoding
