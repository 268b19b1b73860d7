"""Procedural portraits with five attributes and ground truth.

Everything else about a portrait (its shape, colours and position) follows from a seed, so the same
person can be rendered with any attributes.
"""

import csv
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from i2icli.demo.toy.scenes import TEST_SEEDS, write_png
from i2icli.files import atomic_write

ATTRIBUTES = ("Black_Hair", "Blond_Hair", "Brown_Hair", "Eyeglasses", "Smiling")
HAIR = ATTRIBUTES[:3]  # exactly one of these per portrait
FILE = "attributes.csv"

_SUPERSAMPLING = 4
_HAIR_COLOURS = {"Black_Hair": (34, 30, 36), "Blond_Hair": (232, 196, 96), "Brown_Hair": (128, 76, 40)}
_SKINS = ((250, 214, 186), (236, 188, 150), (214, 156, 116), (168, 112, 78), (120, 78, 56))
_EYES = ((60, 96, 150), (70, 110, 70), (88, 58, 38))


def portrait(seed: int, attributes: Collection[str], size: int = 64) -> NDArray[np.uint8]:
    """(size, size, 3): the person of a seed with the given ATTRIBUTES."""
    return _Portrait(seed, size * _SUPERSAMPLING).rendered(attributes)


def random_attributes(seed: int) -> tuple[str, ...]:
    """Random attributes of a portrait: a hair colour, and each of the others with probability 1/2."""
    rng = np.random.default_rng((11, seed))
    hair = HAIR[int(rng.integers(len(HAIR)))]
    others = [name for name in ATTRIBUTES if name not in HAIR and rng.random() < 0.5]
    return (hair, *others)


def flipped(has: Collection[str], name: str) -> tuple[str, ...]:
    """The same attributes with one flipped, or another hair colour."""
    if name in HAIR:
        return (name, *(each for each in has if each not in HAIR))
    return tuple(each for each in ATTRIBUTES if (each in has) != (each == name))


def write_attributes(folder: Path, train: int, test: int, size: int = 64, seed: int = 0) -> None:
    """Write train/ and test/ of portraits, and their attributes.csv.

    truth/<attribute>/ holds the test portraits with that attribute flipped, as ground truth.
    """
    rows = []
    for split, count, first in (("train", train, 0), ("test", test, TEST_SEEDS)):
        for index in range(count):
            name, person = f"{index:04}.png", seed + first + index
            has = random_attributes(person)
            write_png(folder / split / name, portrait(person, has, size))
            rows.append([f"{split}/{name}", *(int(each in has) for each in ATTRIBUTES)])
            for each in ATTRIBUTES if split == "test" else ():
                write_png(folder / "truth" / each / name, portrait(person, flipped(has, each), size))
    with atomic_write(folder / FILE) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["image", *ATTRIBUTES], *rows])


class _Portrait:
    """One person: everything but the attributes is drawn from the seed first, in a fixed order."""

    def __init__(self, seed: int, side: int) -> None:
        rng = np.random.default_rng((13, seed))
        self.side = side
        self.skin = np.array(_SKINS[int(rng.integers(len(_SKINS)))]) + rng.integers(-8, 9)
        self.eyes = _EYES[int(rng.integers(len(_EYES)))]
        self.wall = rng.integers(90, 236, 3)
        self.shirt = rng.integers(40, 220, 3)
        self.tint = rng.uniform(0.88, 1.12)  # of the hair
        self.x, self.y = 0.5 + rng.uniform(-0.05, 0.05), 0.52 + rng.uniform(-0.03, 0.03)
        self.wide, self.tall = rng.uniform(0.2, 0.25), rng.uniform(0.27, 0.31)
        self.long_hair, self.parting = rng.random() < 0.5, rng.uniform(-0.6, 0.6)
        self.light = rng.uniform(-0.25, 0.25)

    def rendered(self, attributes: Collection[str]) -> NDArray[np.uint8]:
        """(side / 4, side / 4, 3)."""
        self.image = Image.fromarray(self._wall())
        self.pen = ImageDraw.Draw(self.image)
        hair = next((name for name in HAIR if name in attributes), None)
        colour = None if hair is None else _rgb(np.array(_HAIR_COLOURS[hair]) * self.tint)
        self._shoulders()
        if colour:
            self._back_hair(colour)
        self._face()
        if colour:
            self._fringe(colour)
        self._features(smiling="Smiling" in attributes)
        if "Eyeglasses" in attributes:
            self._eyeglasses()
        return np.asarray(self.image.reduce(_SUPERSAMPLING))  # (side / 4, side / 4, 3)

    def _wall(self) -> NDArray[np.uint8]:
        """The background, lit from one side."""
        slope = np.linspace(-1, 1, self.side)[None, :, None] * self.light
        wall = np.broadcast_to(self.wall * (1 + slope), (self.side, self.side, 3))
        return wall.clip(0, 255).astype(np.uint8)

    def _shoulders(self) -> None:
        self._ellipse(self.x, 1.08, 0.4, 0.28, _rgb(self.shirt))
        self._box(self.x - 0.09, self.y + 0.15, self.x + 0.09, 0.88, _rgb(self.skin * 0.86))

    def _back_hair(self, colour: tuple[int, ...]) -> None:
        top = self.y - 0.07
        self._ellipse(self.x, top, self.wide + 0.06, self.tall + 0.03, colour)
        if self.long_hair:
            self._box(self.x - self.wide - 0.06, top, self.x + self.wide + 0.06, self.y + 0.27, colour)

    def _face(self) -> None:
        for side in (-1, 1):
            self._ellipse(self.x + side * self.wide, self.y + 0.02, 0.04, 0.06, _rgb(self.skin * 0.92))
        self._ellipse(self.x, self.y, self.wide, self.tall, _rgb(self.skin))
        for side in (-1, 1):
            cheek = _rgb(self.skin * (1.0, 0.88, 0.86))
            self._ellipse(self.x + side * 0.55 * self.wide, self.y + 0.1, 0.045, 0.03, cheek)

    def _fringe(self, colour: tuple[int, ...]) -> None:
        brow, top = self.y - 0.12, self.y - self.tall - 0.05
        parting = self.x + self.parting * self.wide
        left, right = self.x - self.wide - 0.01, self.x + self.wide + 0.01
        self._polygon(
            [(left, brow + 0.02), (left, top + 0.1), (parting, top), (parting, brow - 0.08)], colour
        )
        self._polygon(
            [(right, brow + 0.02), (right, top + 0.1), (parting, top), (parting, brow - 0.08)], colour
        )

    def _features(self, *, smiling: bool) -> None:
        for side in (-1, 1):
            eye = self.x + side * 0.42 * self.wide
            self._ellipse(eye, self.y - 0.03, 0.042, 0.028, (250, 250, 250))
            self._ellipse(eye, self.y - 0.03, 0.02, 0.024, self.eyes)
            self._ellipse(eye, self.y - 0.03, 0.009, 0.011, (16, 16, 20))
            brow = _rgb(self.skin * 0.5)
            self._line([(eye - 0.045, self.y - 0.085), (eye + 0.045, self.y - 0.09)], 0.014, brow)
        nose = [(self.x, self.y), (self.x - 0.015, self.y + 0.06), (self.x + 0.015, self.y + 0.065)]
        self._line(nose, 0.01, _rgb(self.skin * 0.75))
        mouth, lip = self.y + 0.145, (178, 60, 66)
        if smiling:
            box = [(self.x - 0.09) * self.side, (mouth - 0.07) * self.side,
                   (self.x + 0.09) * self.side, (mouth + 0.055) * self.side]  # fmt: skip
            self.pen.chord(box, 15, 165, fill=(252, 250, 246), outline=lip, width=max(1, self.side // 70))
        else:
            self._line([(self.x - 0.06, mouth), (self.x + 0.06, mouth)], 0.02, lip)

    def _eyeglasses(self) -> None:
        frame, y = (20, 20, 28), self.y - 0.03
        for side in (-1, 1):
            eye = self.x + side * 0.42 * self.wide
            box = [(eye - 0.075) * self.side, (y - 0.06) * self.side,
                   (eye + 0.075) * self.side, (y + 0.065) * self.side]  # fmt: skip
            self.pen.ellipse(box, outline=frame, width=max(1, round(0.018 * self.side)))
            self._line(
                [(eye + side * 0.07, y), (self.x + side * (self.wide + 0.01), y - 0.015)], 0.016, frame
            )
        self._line([(self.x - 0.03, y), (self.x + 0.03, y)], 0.016, frame)

    # -- shapes --------------------------------------------------------------------------

    def _ellipse(self, x: float, y: float, width: float, height: float, colour: tuple[int, ...]) -> None:
        self.pen.ellipse([v * self.side for v in (x - width, y - height, x + width, y + height)], fill=colour)

    def _box(self, left: float, top: float, right: float, bottom: float, colour: tuple[int, ...]) -> None:
        self.pen.rectangle([v * self.side for v in (left, top, right, bottom)], fill=colour)

    def _polygon(self, points: list[tuple[float, float]], colour: tuple[int, ...]) -> None:
        self.pen.polygon([(x * self.side, y * self.side) for x, y in points], fill=colour)

    def _line(self, points: list[tuple[float, float]], width: float, colour: tuple[int, ...]) -> None:
        self.pen.line([(x * self.side, y * self.side) for x, y in points], fill=colour,
                      width=max(1, round(width * self.side)))  # fmt: skip


def _rgb(colour: NDArray[Any]) -> tuple[int, ...]:
    return tuple(np.clip(np.round(colour), 0, 255).astype(int).tolist())
