"""Procedural digits of known class in two styles, as handwriting and as signs.

Everything follows from a seed. A digit is drawn as lines and arcs with jitter in position, size, slant,
rotation, thickness and every point; the styles differ in colours, thickness and polarity, so a network
has to redraw the digit, not just recolour it.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from i2icli.image import DecodedImage, write_image

Points = NDArray[np.float64]

_TEST_SEEDS = 1_000_000  # first seed of test digits, disjoint from training
_OTHER_SEEDS = 2_000_000  # first seed of training digits of the target domain
_SUPERSAMPLING = 4


def _arc(x: float, y: float, width: float, height: float, begin: float, end: float) -> Points:
    """Points along an ellipse around (x, y); angles in turns, clockwise from three o'clock."""
    angles = np.linspace(begin, end, 1 + max(2, round(abs(end - begin) * 24))) * 2 * np.pi
    return np.stack([x + width * np.cos(angles), y + height * np.sin(angles)], axis=1)


def _line(*points: tuple[float, float]) -> Points:
    return np.array(points)


_STROKES: tuple[tuple[Points, ...], ...] = (
    (_arc(0.5, 0.5, 0.27, 0.42, 0, 1),),
    (_line((0.34, 0.24), (0.54, 0.08), (0.54, 0.92)),),
    (np.concatenate([_arc(0.5, 0.32, 0.25, 0.24, 0.5, 1.08), _line((0.24, 0.92), (0.78, 0.92))]),),
    (np.concatenate([_arc(0.47, 0.29, 0.25, 0.21, 0.55, 1.25), _arc(0.47, 0.71, 0.28, 0.21, 0.75, 1.45)]),),
    (_line((0.60, 0.08), (0.22, 0.64), (0.80, 0.64)), _line((0.62, 0.42), (0.62, 0.94))),
    (
        np.concatenate(
            [_line((0.74, 0.08), (0.32, 0.08), (0.30, 0.44)), _arc(0.47, 0.66, 0.28, 0.25, 0.68, 1.4)]
        ),
    ),
    (np.concatenate([_line((0.62, 0.06), (0.34, 0.42)), _arc(0.5, 0.68, 0.25, 0.24, 0.55, 1.55)]),),
    (_line((0.22, 0.10), (0.78, 0.10), (0.44, 0.94)),),
    (_arc(0.5, 0.29, 0.21, 0.21, 0, 1), _arc(0.5, 0.71, 0.26, 0.22, 0, 1)),
    (np.concatenate([_arc(0.5, 0.31, 0.24, 0.23, 0, 1), _line((0.74, 0.31), (0.62, 0.94))]),),
)
"""The strokes of each digit in a square from 0 to 1, x to the right and y down."""


@dataclass(frozen=True)
class Digit:
    """One digit in both styles, (H, W, 3) uint8 each."""

    number: int
    ink: NDArray[np.uint8]  # thin, dark on light paper
    sign: NDArray[np.uint8]  # thick, coloured, light on dark


def digit(number: int, seed: int, size: int = 32) -> Digit:
    """The digit of a number and a seed, `size` pixels square."""
    rng = np.random.default_rng((11, number, seed))
    strokes = _bent(_STROKES[number], rng)
    thickness = rng.uniform(0.8, 1.25)
    thin, thick = (_mask(strokes, width * thickness, size) for width in (0.055, 0.125))
    grain = rng.standard_normal((size, size, 1))
    paper, pen = 232 + 6 * grain, np.array((40, 38, 60))
    ink = paper * (1 - thin) + pen * thin
    # The colour of a sign depends on the vertical position only, so it is predictable.
    glow = np.array((250, 190, 60)) * (1 - _ramp(size)) + np.array((240, 110, 150)) * _ramp(size)
    sign = np.array((22, 34, 74)) * (1 - thick) + glow * thick
    return Digit(number, _bytes(ink), _bytes(sign))


def write_digits(folder: Path, train: int, test: int, size: int = 32, seed: int = 0) -> None:
    """Write source/CLASS in ink and target/ as signs; test/source and test/target hold the same digits.

    Half of the source is inverted, as chalk on a board: a feature extractor that only knows dark on light
    would not recognise a sign. train, test: number of images per domain, with balanced classes.
    """
    for index in range(train):
        here = digit(index % 10, seed + index, size)
        there = digit(index % 10, seed + _OTHER_SEEDS + index, size)
        _write(folder / "source" / str(here.number) / f"{index:04}.png", _ink_or_chalk(here, index))
        _write(folder / "target" / f"{index:04}.png", there.sign)
    for index in range(test):
        both = digit(index % 10, seed + _TEST_SEEDS + index, size)
        name = Path(str(both.number)) / f"{index:04}.png"
        _write(folder / "test" / "source" / name, _ink_or_chalk(both, index))
        _write(folder / "test" / "target" / name, both.sign)


def _ink_or_chalk(drawn: Digit, index: int) -> NDArray[np.uint8]:
    """(H, W, 3): alternately dark on light and light on dark, each for all ten digits."""
    return drawn.ink if index // 10 % 2 == 0 else 255 - drawn.ink


def _bent(strokes: tuple[Points, ...], rng: np.random.Generator) -> list[Points]:
    """The strokes of one writer: translated, scaled, slanted, rotated and jittered."""
    scale = rng.uniform(0.62, 0.82, 2)
    slant, rotation = rng.uniform(-0.28, 0.18), rng.uniform(-0.12, 0.12)
    sine, cosine = np.sin(rotation), np.cos(rotation)
    shape = np.array([[cosine, -sine], [sine, cosine]]) @ np.array([[1, slant], [0, 1]])
    centre = 0.5 + rng.uniform(-0.07, 0.07, 2)
    bent = []
    for stroke in strokes:
        # A slow wave along the stroke, as independent jitter would look like noise.
        along = np.linspace(0, 2 * np.pi, len(stroke))[:, None]
        wave = 0.03 * np.sin(along * rng.uniform(0.6, 1.4, 2) + rng.uniform(0, 2 * np.pi, 2))
        bent.append(((stroke - 0.5 + wave) * scale) @ shape.T + centre)
    return bent


def _mask(strokes: list[Points], width: float, size: int) -> NDArray[np.float64]:
    """(H, W, 1) in [0, 1]: coverage by strokes of a width (relative to the side)."""
    side = size * _SUPERSAMPLING
    image = Image.new("L", (side, side), 0)
    pen = ImageDraw.Draw(image)
    radius = max(1.0, width * side / 2)
    for stroke in strokes:
        points = [(x * side, y * side) for x, y in stroke.tolist()]
        pen.line(points, fill=255, width=round(2 * radius), joint="curve")
        for x, y in (points[0], points[-1]):  # round ends
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
    return np.asarray(image.reduce(_SUPERSAMPLING), np.float64)[:, :, None] / 255


def _ramp(size: int) -> NDArray[np.float64]:
    """(H, 1, 1): from 0 at the top to 1 at the bottom."""
    return np.linspace(0, 1, size)[:, None, None]


def _bytes(pixels: NDArray[np.float64]) -> NDArray[np.uint8]:
    return np.clip(pixels + 0.5, 0, 255).astype(np.uint8)


def _write(path: Path, pixels: NDArray[np.uint8]) -> None:
    write_image(path, DecodedImage(pixels, None, "png"))
