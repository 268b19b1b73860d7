"""Clips on disk: a textured scene that pans, with conditions, label maps and videos of it."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from i2icli.video.simple import write_video
from tests.flow.scenes import texture

Frames = list[NDArray[np.uint8]]


def pan(number: int = 0, frames: int = 12, size: tuple[int, int] = (48, 64), speed: int = 2) -> Frames:
    """Frames of a scene of its own colours, moving left by `speed` pixels per frame."""
    height, width = size
    picture = texture(height, width + speed * frames, number).astype(float)
    picture *= np.random.default_rng(number + 50).uniform(0.3, 1.0, 3)
    return [picture[:, speed * i :][:, :width].astype(np.uint8) for i in range(frames)]


def marked(frames: Frames) -> Frames:
    """The same with the number of the frame as the grey of the whole, 10 times it."""
    return [np.full_like(frame, 10 * index) for index, frame in enumerate(frames)]


def write_frames(folder: Path, frames: Sequence[NDArray[np.uint8]], first: int = 1) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for index, frame in enumerate(frames, first):
        Image.fromarray(frame).save(folder / f"{index:04}.png")


def write_clips(folder: Path, train: int, test: int, size: int) -> None:
    """train/A train/B, test/A test/B: clips of four frames, in A their negatives in grey."""
    for split, count in (("train", train), ("test", test)):
        for number in range(count):
            frames = pan(number, 4, (size, size))
            greys = [255 - frame.mean(2).astype(np.uint8) for frame in frames]
            write_frames(folder / split / "A" / f"{number}", greys)
            write_frames(folder / split / "B" / f"{number}", frames)


def write_film(path: Path, frames: Sequence[NDArray[np.uint8]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_video(path, frames, 25)
    return path


def label_frames(frames: Frames) -> Frames:
    """A class map (H, W) for each frame: 0 and 1, halves whose border moves."""
    return [
        (np.arange(frame.shape[1])[None].repeat(frame.shape[0], 0) > 20 + index).astype(np.uint8)
        for index, frame in enumerate(frames)
    ]
