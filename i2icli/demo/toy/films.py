"""Toy films with known motion: a camera that pans over a landscape, and balloons that cross its view.

Label maps are those of a program that misses an object now and then, as segmentation networks do. Everything
moves by whole pixels, so that the optical flow is exact. Everything follows from a seed.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from i2icli.demo.toy.labels import COLOURS, Part
from i2icli.demo.toy.paint import SUMMER_DAY, Light, paint
from i2icli.demo.toy.scenes import TEST_SEEDS, composition, write_png

MISSED = 0.15  # of the objects, in each frame
BALLOON = np.array((230, 0, 200), np.uint8)  # colour in label maps
FIRST_BALLOON = 200  # number of the first one; objects of a landscape have smaller numbers
SILKS = (((236, 64, 52), (255, 236, 200)), ((255, 190, 40), (60, 90, 190)), ((150, 60, 170), (250, 170, 200)))
"""Colours of the stripes of a balloon."""


@dataclass(frozen=True)
class Film:
    """T frames."""

    labels: NDArray[np.uint8]  # (T, H, W, 3): flat colours, some objects missed
    photos: NDArray[np.uint8]  # (T, H, W, 3)
    flow: NDArray[np.float32]  # (T, H, W, 2): where a pixel was in the frame before, x then y; first frame: 0
    visible: NDArray[np.bool_]  # (T, H, W): whether it was in view there; nowhere in the first frame


@dataclass(frozen=True)
class _Balloon:
    number: int
    centre: tuple[int, int]  # in the first frame, (y, x)
    velocity: tuple[int, int]  # pixels per frame
    pixels: NDArray[np.uint8]  # (2 R + 1, 2 R + 1, 3)
    mask: NDArray[np.bool_]  # (2 R + 1, 2 R + 1)


def film(seed: int, frames: int, size: int = 64) -> Film:
    """The film of a seed, `size` pixels square."""
    rng = np.random.default_rng((17, seed))
    velocity = _velocity(rng, size, frames)
    reach = [abs(each) * (frames - 1) for each in velocity]
    side = size + -(-max(*reach, size) // 2) * 2  # of the landscape
    drawn = composition(seed, side)
    world = paint(drawn.parts, SUMMER_DAY, Light.on(drawn.parts), drawn.grain)  # (side, side, 3)
    parts, objects = drawn.parts[::2, ::2], drawn.objects[::2, ::2]  # (side, side)
    start = [int(rng.integers(side - size - way + 1)) for way in reach]
    start = [first if v >= 0 else first + way for first, v, way in zip(start, velocity, reach, strict=True)]
    balloons = [_balloon(rng, FIRST_BALLOON + index, size) for index in range(int(rng.integers(1, 3)))]
    shots = []
    for time in range(frames):
        y, x = (first + v * time for first, v in zip(start, velocity, strict=True))
        view = np.s_[y : y + size, x : x + size]
        label = _labels(parts[view], objects[view], rng)
        photo, numbers = world[view].copy(), np.zeros((size, size), np.int32)
        flow = np.broadcast_to(np.array(velocity[::-1], np.float32), (size, size, 2)).copy()
        for balloon in balloons:
            missed = rng.random() < MISSED
            _place(balloon, time, photo, None if missed else label, numbers, flow)
        shots.append((label, photo, numbers, flow))
    labels, photos, numbers, flows = (np.stack(each) for each in zip(*shots, strict=True))
    flows[0] = 0
    return Film(labels, photos, flows, _visible(numbers, flows))


def write_films(folder: Path, train: int, test: int, frames: int, size: int = 64, seed: int = 0) -> None:
    """Write label maps and photos, films/{train,test}/{A,B}/CLIP/FRAME.png, and the motion of test films.

    The latter in motion/CLIP.npy, int8 (T, H, W, 3): flow, x then y, and 1 where a pixel was in view before.
    """
    for split, number, first in (("train", train, 0), ("test", test, TEST_SEEDS)):
        for index in range(number):
            drawn, name = film(seed + first + index, frames, size), f"{index:02}"
            for time, (label, photo) in enumerate(zip(drawn.labels, drawn.photos, strict=True)):
                for side, pixels in (("A", label), ("B", photo)):
                    write_png(folder / "films" / split / side / name / f"{time:04}.png", pixels)
            if split == "test":
                (folder / "motion").mkdir(exist_ok=True)
                motion = np.concatenate([drawn.flow, drawn.visible[..., None]], axis=-1)
                np.save(folder / "motion" / f"{name}.npy", motion.astype(np.int8))


def _velocity(rng: np.random.Generator, size: int, frames: int) -> tuple[int, int]:
    """Of the camera, (y, x) in pixels per frame: mostly sideways."""
    fastest = max(1, min(2, size // frames))
    return int(rng.integers(-1, 2)) * (fastest > 1), int(rng.choice((-1, 1)) * rng.integers(1, fastest + 1))


def _labels(
    parts: NDArray[np.uint8], objects: NDArray[np.uint8], rng: np.random.Generator
) -> NDArray[np.uint8]:
    """(H, W, 3): what is seen, in flat colours; a missed object looks like what is usually behind it."""
    seen = parts.copy()
    for number in np.unique(objects[objects > 0]):
        if rng.random() < MISSED:
            where = objects == number
            seen[where] = Part.SKY if (parts[where] == Part.CLOUD).all() else Part.GRASS
    return COLOURS[seen]


def _balloon(rng: np.random.Generator, number: int, size: int) -> _Balloon:
    radius = int(rng.integers(size // 10, size // 6 + 1))
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1] / radius
    mask = (x**2 + y**2 <= 1) & (y < 0.6) | (abs(x) <= 0.2) & (y >= 0.6)  # (2 R + 1, 2 R + 1)
    stripes = (np.arcsin(np.clip(x / np.sqrt(np.maximum(1 - y**2, 0.05)), -1, 1)) * 2.2).round() % 2
    silk = np.array(SILKS[rng.integers(len(SILKS))], np.float32)
    light = 0.75 - 0.25 * (x + y)[..., None]
    pixels = np.clip(silk[stripes.astype(int)] * light, 0, 255).astype(np.uint8)
    centre = int(rng.integers(size // 5, size // 2)), int(rng.integers(size // 5, size - size // 5))
    velocity = int(rng.integers(-1, 2)), int(rng.choice((-2, -1, 1, 2)))
    return _Balloon(number, centre, velocity, pixels, mask)


def _place(
    balloon: _Balloon,
    time: int,
    photo: NDArray[np.uint8],
    label: NDArray[np.uint8] | None,
    numbers: NDArray[np.int32],
    flow: NDArray[np.float32],
) -> None:
    """Draw a balloon into a frame, in place; what leaves the view on one side comes back on the other."""
    size, radius = len(photo), len(balloon.mask) // 2
    position = [first + v * time for first, v in zip(balloon.centre, balloon.velocity, strict=True)]
    wide = size + 2 * radius + 1  # so that it is out of view before it comes back
    top, left = ((each + radius) % wide - 2 * radius for each in position)
    rows, columns = np.nonzero(balloon.mask)
    inside = (rows + top >= 0) & (rows + top < size) & (columns + left >= 0) & (columns + left < size)
    rows, columns = rows[inside], columns[inside]
    where = rows + top, columns + left
    photo[where] = balloon.pixels[rows, columns]
    numbers[where] = balloon.number
    flow[where] = -np.array(balloon.velocity[::-1], np.float32)
    if label is not None:
        label[where] = BALLOON


def _visible(numbers: NDArray[np.int32], flow: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Whether each pixel shows what was in view in the frame before, (T, H, W)."""
    frames, height, width = numbers.shape
    y, x = np.mgrid[:height, :width]
    visible = np.zeros(numbers.shape, np.bool_)
    for time in range(1, frames):
        before = x + flow[time, ..., 0].astype(int), y + flow[time, ..., 1].astype(int)
        inside = (before[0] >= 0) & (before[0] < width) & (before[1] >= 0) & (before[1] < height)
        column, row = before[0].clip(0, width - 1), before[1].clip(0, height - 1)
        visible[time] = inside & (numbers[time - 1][row, column] == numbers[time])
    return visible
