"""Procedural one-to-many pictures with known truth: drawings of things, and the things in any colour.

A drawing says what a thing is, not how it is dyed: every hue, light or dark, plain or striped, is a true
answer to it. Everything follows from a seed; the dye of every picture is known.
"""

import colorsys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageDraw

from i2icli.demo.toy.scenes import TEST_SEEDS, write_png

Point = tuple[float, float]
Shape = list[Point]

_ONLY_B = 2_000_000  # scenes of the second collection that the first does not show
_FINE = 4  # pictures are drawn so many times larger, then reduced
_INK, _PAPER = (30, 30, 40), (255, 255, 255)


@dataclass(frozen=True)
class Dye:
    """What a drawing does not tell."""

    hue: float  # [0, 1), around the circle of colours
    value: float  # [0, 1], dark to light
    striped: bool

    @classmethod
    def of(cls, rng: np.random.Generator) -> "Dye":
        """Any hue, lighter or darker, striped half of the time."""
        return cls(float(rng.random()), float(rng.uniform(0.55, 0.95)), bool(rng.random() < 0.5))

    def colour(self, brightness: float = 1.0) -> tuple[int, int, int]:
        """RGB of the dyed cloth."""
        r, g, b = colorsys.hsv_to_rgb(self.hue, 0.8, min(1.0, self.value * brightness))
        return round(255 * r), round(255 * g), round(255 * b)


@dataclass(frozen=True)
class Thing:
    """One thing, drawn and dyed: each picture (H, W, 3) uint8."""

    drawing: NDArray[np.uint8]
    picture: NDArray[np.uint8]
    dye: Dye


def thing(seed: int, size: int = 64) -> Thing:
    """The thing of a seed, `size` pixels square: a boot, a bag, a shirt or a mug, of random proportions."""
    rng = np.random.default_rng((11, seed))
    outline, details = _KINDS[int(rng.integers(len(_KINDS)))](rng)
    dye = Dye.of(rng)
    return Thing(_drawn(outline, details, size), _dyed(outline, details, dye, size), dye)


def write_styles(folder: Path, train: int, test: int, size: int = 64, seed: int = 0) -> None:
    """Write drawings and pictures: trainA trainB testA testB. A quarter of the training names are pairs.

    Equal names show the same thing: all in test, every fourth in train.
    """
    for index in range(train):
        shared = index % 4 == 0
        other = index if shared else _ONLY_B + index
        write_png(folder / "trainA" / f"{index:07}.png", thing(seed + index, size).drawing)
        write_png(folder / "trainB" / f"{other:07}.png", thing(seed + other, size).picture)
    for index in range(test):
        shown = thing(seed + TEST_SEEDS + index, size)
        write_png(folder / "testA" / f"{index:04}.png", shown.drawing)
        write_png(folder / "testB" / f"{index:04}.png", shown.picture)


# -- painting --------------------------------------------------------------------------------


def _drawn(outline: Shape, details: list[Shape], size: int) -> NDArray[np.uint8]:
    """Ink on paper: the outline, and the lines inside it."""
    side = size * _FINE
    image = Image.new("RGB", (side, side), _PAPER)
    _ink(ImageDraw.Draw(image), outline, details, side)
    return np.asarray(image.reduce(_FINE))  # (H, W, 3)


def _dyed(outline: Shape, details: list[Shape], dye: Dye, size: int) -> NDArray[np.uint8]:
    """The same filled: lighter above, darker below, details a shade darker, stripes if it has some."""
    side = size * _FINE
    cloth = Image.new("RGB", (side, side))
    pen = ImageDraw.Draw(cloth)
    for row in range(side):
        pen.line([(0, row), (side, row)], fill=dye.colour(1.12 - 0.3 * row / side))
    if dye.striped:
        step = side // 8
        for start in range(-side, side, step):
            pen.line([(start, side), (start + side, 0)], fill=dye.colour(0.6), width=step // 3)
    mask = Image.new("L", (side, side))
    ImageDraw.Draw(mask).polygon(_scaled(outline, side), fill=255)
    inner = Image.new("L", (side, side))
    for detail in details:
        ImageDraw.Draw(inner).polygon(_scaled(detail, side), fill=255)
    image = Image.composite(cloth, Image.new("RGB", (side, side), _PAPER), mask)
    darker = Image.new("RGB", (side, side), dye.colour(0.45))
    image.paste(darker, mask=ImageChops.multiply(inner, mask))
    _ink(ImageDraw.Draw(image), outline, details, side)
    return np.asarray(image.reduce(_FINE))  # (H, W, 3)


def _ink(pen: ImageDraw.ImageDraw, outline: Shape, details: list[Shape], side: int) -> None:
    for shape in (*details, outline):
        points = _scaled(shape, side)
        pen.line([*points, points[0]], fill=_INK, width=side // 40, joint="curve")


def _scaled(shape: Shape, side: int) -> list[Point]:
    return [(x * side, y * side) for x, y in shape]


# -- things ------------------------------------------------------------------------------------


def _boot(rng: np.random.Generator) -> tuple[Shape, list[Shape]]:
    top, toe, heel = rng.uniform(0.12, 0.45), rng.uniform(0.78, 0.92), rng.uniform(0.14, 0.28)
    leg = heel + rng.uniform(0.24, 0.34)
    sole = rng.uniform(0.72, 0.8)
    outline = [(heel, top), (leg, top), (leg + 0.03, 0.5), (toe - 0.08, 0.6), (toe, sole), (toe, 0.86)]
    outline += [(heel, 0.86), (heel - 0.02, sole)]
    cuff = top + rng.uniform(0.06, 0.12)
    return outline, [
        [(heel - 0.02, sole), (toe, sole), (toe, 0.86), (heel, 0.86)],
        [(heel, top), (leg, top), (leg + 0.01, cuff), (heel, cuff)],
    ]


def _bag(rng: np.random.Generator) -> tuple[Shape, list[Shape]]:
    left, right, top = rng.uniform(0.12, 0.22), rng.uniform(0.78, 0.88), rng.uniform(0.36, 0.5)
    lean = rng.uniform(-0.05, 0.07)
    outline = [(left + lean, top), (0.36, top), (0.4, 0.16), (0.6, 0.16), (0.64, top), (right - lean, top)]
    outline += [(right, 0.86), (left, 0.86)]
    flap = top + rng.uniform(0.1, 0.24)
    handle = [(0.42, top), (0.45, 0.23), (0.55, 0.23), (0.58, top)]
    return outline, [handle, [(left + lean, top), (right - lean, top), (0.5 + lean, flap)]]


def _shirt(rng: np.random.Generator) -> tuple[Shape, list[Shape]]:
    body, length, sleeve = rng.uniform(0.2, 0.25), rng.uniform(0.74, 0.9), rng.uniform(0.4, 0.62)
    neck = rng.uniform(0.08, 0.13)
    right = [(0.5 + neck, 0.16), (0.66, 0.18), (0.92, sleeve), (0.8, sleeve + 0.08), (0.5 + body, 0.42)]
    right += [(0.5 + body, length)]
    outline = right + [(1 - x, y) for x, y in reversed(right)]
    pocket = rng.uniform(0.4, 0.5)
    collar = [(0.5 + neck, 0.16), (0.5, 0.16 + 1.6 * neck), (0.5 - neck, 0.16)]
    return outline, [collar, [(0.54, pocket), (0.65, pocket), (0.65, pocket + 0.12), (0.54, pocket + 0.12)]]


def _mug(rng: np.random.Generator) -> tuple[Shape, list[Shape]]:
    left, right = rng.uniform(0.14, 0.2), rng.uniform(0.6, 0.68)
    top, foot = rng.uniform(0.2, 0.4), rng.uniform(0.0, 0.08)
    grip = rng.uniform(0.1, 0.2)
    outline = [(left, top), (right, top), (right, top + 0.1), (right + grip, top + 0.1)]
    outline += [(right + grip, 0.7), (right, 0.7), (right - foot, 0.86), (left + foot, 0.86)]
    band = rng.uniform(0.5, 0.62)
    hole = [
        (right, top + 0.16),
        (right + grip - 0.06, top + 0.16),
        (right + grip - 0.06, 0.64),
        (right, 0.64),
    ]
    return outline, [hole, [(left, band), (right, band), (right, band + 0.1), (left, band + 0.1)]]


_KINDS: tuple[Callable[[np.random.Generator], tuple[Shape, list[Shape]]], ...] = (_boot, _bag, _shirt, _mug)
