"""Procedural one-to-many images with known truth: drawings of things, and the things in any colour.

A drawing says what a item is, not how it is dyed: every hue, light or dark, plain or striped, is a true
answer to it. Everything follows from a seed; the dye of every image is known.
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

_ONLY_B = 2_000_000  # first seed of items that are only in the second domain
_SUPERSAMPLING = 4
_INK, _PAPER = (30, 30, 40), (255, 255, 255)


@dataclass(frozen=True)
class Dye:
    """The attributes that a drawing does not show."""

    hue: float  # [0, 1)
    value: float  # [0, 1], dark to light
    striped: bool

    @classmethod
    def random(cls, rng: np.random.Generator) -> "Dye":
        """Random hue and value, striped half of the time."""
        return cls(float(rng.random()), float(rng.uniform(0.55, 0.95)), bool(rng.random() < 0.5))

    def colour(self, brightness: float = 1.0) -> tuple[int, int, int]:
        """RGB of the dyed fabric."""
        r, g, b = colorsys.hsv_to_rgb(self.hue, 0.8, min(1.0, self.value * brightness))
        return round(255 * r), round(255 * g), round(255 * b)


@dataclass(frozen=True)
class DyedShape:
    """One item as a line drawing and in colour, (H, W, 3) uint8 each."""

    drawing: NDArray[np.uint8]
    image: NDArray[np.uint8]
    dye: Dye


def item(seed: int, size: int = 64) -> DyedShape:
    """The item of a seed, `size` pixels square: a boot, bag, shirt or mug of random proportions."""
    rng = np.random.default_rng((11, seed))
    outline, details = _KINDS[int(rng.integers(len(_KINDS)))](rng)
    dye = Dye.random(rng)
    return DyedShape(_drawn(outline, details, size), _dyed(outline, details, dye, size), dye)


def write_styles(folder: Path, train: int, test: int, size: int = 64, seed: int = 0) -> None:
    """Write drawings (A) and images (B): trainA, trainB, testA, testB.

    Equal names show the same item: all in test, every fourth in train.
    """
    for index in range(train):
        shared = index % 4 == 0
        other = index if shared else _ONLY_B + index
        write_png(folder / "trainA" / f"{index:07}.png", item(seed + index, size).drawing)
        write_png(folder / "trainB" / f"{other:07}.png", item(seed + other, size).image)
    for index in range(test):
        pair = item(seed + TEST_SEEDS + index, size)
        write_png(folder / "testA" / f"{index:04}.png", pair.drawing)
        write_png(folder / "testB" / f"{index:04}.png", pair.image)


# -- rendering -------------------------------------------------------------------------------


def _drawn(outline: Shape, details: list[Shape], size: int) -> NDArray[np.uint8]:
    """The line drawing: the outline and the lines inside."""
    side = size * _SUPERSAMPLING
    image = Image.new("RGB", (side, side), _PAPER)
    _ink(ImageDraw.Draw(image), outline, details, side)
    return np.asarray(image.reduce(_SUPERSAMPLING))  # (H, W, 3)


def _dyed(outline: Shape, details: list[Shape], dye: Dye, size: int) -> NDArray[np.uint8]:
    """The item in colour: lighter at the top, darker details, optional stripes."""
    side = size * _SUPERSAMPLING
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
    return np.asarray(image.reduce(_SUPERSAMPLING))  # (H, W, 3)


def _ink(pen: ImageDraw.ImageDraw, outline: Shape, details: list[Shape], side: int) -> None:
    for shape in (*details, outline):
        points = _scaled(shape, side)
        pen.line([*points, points[0]], fill=_INK, width=side // 40, joint="curve")


def _scaled(shape: Shape, side: int) -> list[Point]:
    return [(x * side, y * side) for x, y in shape]


# -- items -------------------------------------------------------------------------------------


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
