"""Procedural landscapes with ground truth: as label map, by day and at dusk.

Everything follows from a seed. The colour of a pixel depends on its label, its position and its
surroundings, with little noise, so that small networks can learn to translate between them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from i2icli.demo.toy.labels import COLOURS, Part
from i2icli.demo.toy.paint import AUTUMN_DUSK, SUMMER_DAY, Light, paint
from i2icli.image import DecodedImage, write_image

Point = tuple[float, float]

TEST_SEEDS = 1_000_000  # first seed of test scenes, disjoint from training
_OTHER_SEEDS = 2_000_000  # first seed of training scenes of the second domain


@dataclass(frozen=True)
class Scene:
    """One landscape in all domains, (H, W, 3) uint8 each."""

    label: NDArray[np.uint8]  # flat colours
    photo: NDArray[np.uint8]  # a summer day
    dusk: NDArray[np.uint8]  # an autumn evening
    parts: NDArray[np.uint8]  # (H, W): class of each pixel


@dataclass(frozen=True)
class Composition:
    """What is where in a landscape, at twice its size, (H, W) each."""

    parts: NDArray[np.uint8]  # class of each pixel
    objects: NDArray[np.uint8]  # cloud, house or tree of each pixel, numbered from 1 back to front; 0: none
    grain: NDArray[np.float32]  # noise of unit variance


def scene(seed: int, size: int = 64) -> Scene:
    """The landscape of a seed, `size` pixels square; the composition does not depend on the size."""
    drawn = composition(seed, size)
    parts, grain = drawn.parts, drawn.grain
    small = parts[::2, ::2]  # (H, W)
    light = Light.on(parts)
    photo, dusk = (paint(parts, each, light, grain) for each in (SUMMER_DAY, AUTUMN_DUSK))
    return Scene(COLOURS[small], photo, dusk, small)


def composition(seed: int, size: int) -> Composition:
    """Inputs of `paint` for images of `size` pixels."""
    rng = np.random.default_rng((7, seed))
    painter = _ScenePainter(2 * size)
    painter.landscape(rng)
    parts = np.asarray(painter.parts)
    return Composition(parts, np.asarray(painter.objects), rng.standard_normal(parts.shape, np.float32))


def write_paired(
    folder: Path, train: int, test: int, size: int = 64, seed: int = 0, *, side_by_side: bool = False
) -> None:
    """Write label maps (A) and photos (B): train/A train/B test/A test/B, or train/ test/ side by side."""
    for split, number, first in (("train", train, 0), ("test", test, TEST_SEEDS)):
        for index in range(number):
            landscape = scene(seed + first + index, size)
            name = f"{index:04}.png"
            if side_by_side:
                write_png(folder / split / name, np.concatenate([landscape.label, landscape.photo], axis=1))
            else:
                write_png(folder / split / "A" / name, landscape.label)
                write_png(folder / split / "B" / name, landscape.photo)


def write_unpaired(folder: Path, train: int, test: int, size: int = 64, seed: int = 0) -> None:
    """Write summer days (A) and autumn evenings (B): trainA trainB, and testA testB of the same scenes."""
    for index in range(train):
        write_png(folder / "trainA" / f"day{index:04}.png", scene(seed + index, size).photo)
        write_png(folder / "trainB" / f"dusk{index:04}.png", scene(seed + _OTHER_SEEDS + index, size).dusk)
    for index in range(test):
        landscape = scene(seed + TEST_SEEDS + index, size)
        write_png(folder / "testA" / f"{index:04}.png", landscape.photo)
        write_png(folder / "testB" / f"{index:04}.png", landscape.dusk)


def write_png(path: Path, pixels: NDArray[np.uint8]) -> None:
    """Write an image (H, W, 3) as PNG; creates folders."""
    write_image(path, DecodedImage(pixels, None, "png"))


_OF_OBJECTS = frozenset(Part) - {
    Part.SKY, Part.SUN, Part.FAR_HILL, Part.NEAR_HILL, Part.GRASS, Part.WATER, Part.PATH
}  # fmt: skip
"""Parts of clouds, houses and trees."""


class _ScenePainter:
    """Maps of parts and objects, drawn in coordinates from 0 to 1."""

    def __init__(self, side: int) -> None:
        self.side = side
        self.parts = Image.new("L", (side, side), int(Part.SKY))
        self.objects = Image.new("L", (side, side), 0)
        self.pens = ImageDraw.Draw(self.parts), ImageDraw.Draw(self.objects)
        self.number = 0  # of the object that is being drawn

    def landscape(self, rng: np.random.Generator) -> None:
        """Draw a random landscape from back to front."""
        horizon = rng.uniform(0.46, 0.58)
        self._sun_and_clouds(rng)
        self._hills(rng, Part.FAR_HILL, horizon - 0.02, 0.10)
        self._hills(rng, Part.NEAR_HILL, horizon + 0.02, 0.05)
        self._hills(rng, Part.GRASS, horizon + 0.05, 0.015)
        if rng.random() < 0.45:
            self._pond(rng, horizon)
        objects: list[tuple[float, Callable[[], None]]] = []
        for position in self._positions(rng):
            base = rng.uniform(horizon + 0.13, 0.86)
            scale = 0.62 + 0.75 * (base - horizon)
            kind = self._house if rng.random() < 0.42 else self._tree
            objects.append((base, self._deferred(kind, rng, position, base, scale)))
        for _, draw in sorted(objects, key=lambda each: each[0]):
            self.number += 1
            draw()

    @staticmethod
    def _deferred(
        kind: Callable[[np.random.Generator, float, float, float], None],
        rng: np.random.Generator,
        x: float,
        base: float,
        scale: float,
    ) -> Callable[[], None]:
        object_rng = np.random.default_rng(int(rng.integers(2**31)))
        return lambda: kind(object_rng, x, base, scale)

    def _positions(self, rng: np.random.Generator) -> list[float]:
        """Horizontal positions of objects: stratified random."""
        number = int(rng.integers(3, 6))
        return [(index + rng.uniform(0.25, 0.75)) / number for index in range(number)]

    def _sun_and_clouds(self, rng: np.random.Generator) -> None:
        self._disc(Part.SUN, rng.uniform(0.08, 0.42), rng.uniform(0.09, 0.24), rng.uniform(0.045, 0.07))
        for _ in range(int(rng.integers(1, 4))):
            self.number += 1
            x, y, width = rng.uniform(0.1, 0.95), rng.uniform(0.07, 0.3), rng.uniform(0.1, 0.2)
            self._ellipse(Part.CLOUD, x, y, width, 0.024)
            for offset, size in ((-0.5, 0.034), (0.0, 0.052), (0.45, 0.04)):
                self._disc(Part.CLOUD, x + offset * width, y - 0.6 * size, size * rng.uniform(0.85, 1.15))

    def _hills(self, rng: np.random.Generator, part: Part, top: float, rise: float) -> None:
        x = np.linspace(0, 1, 33)
        waves = sum(
            np.sin(x * frequency + rng.uniform(0, 6.3)) / weight
            for frequency, weight in ((rng.uniform(4, 6), 1.6), (rng.uniform(8, 12), 3.5))
        )
        ridge = top - rise * (1 + np.asarray(waves)) / 2 - rise / 3
        self._polygon(part, [(0, 1), *zip(x.tolist(), ridge.tolist(), strict=True), (1, 1)])

    def _pond(self, rng: np.random.Generator, horizon: float) -> None:
        x, y = rng.uniform(0.15, 0.85), rng.uniform(horizon + 0.22, 0.92)
        width = rng.uniform(0.18, 0.32)
        self._ellipse(Part.WATER, x, y, width, 0.05)
        self._ellipse(Part.WATER, x + 0.4 * width, y + 0.02, 0.6 * width, 0.035)

    def _house(self, rng: np.random.Generator, x: float, base: float, scale: float) -> None:
        width, height = scale * rng.uniform(0.26, 0.36), scale * rng.uniform(0.17, 0.23)
        wall = Part.PLASTER if rng.random() < 0.5 else Part.BRICK
        roof = Part.TILES if wall == Part.PLASTER or rng.random() < 0.3 else Part.SLATE
        left, right, top = x - width / 2, x + width / 2, base - height
        door = x + width * rng.choice((-0.22, 0.0, 0.22))
        self._path(rng, door, base, width * 0.16)
        self._box(wall, left, top, right, base)
        over, peak = 0.1 * width, top - scale * rng.uniform(0.11, 0.17)
        shift = width * rng.choice((0.0, 0.25))
        self._box(wall, x + width * 0.2, peak + 0.01, x + width * 0.3, top)  # chimney
        self._polygon(roof, [(left - over, top), (x - shift, peak), (x + shift, peak), (right + over, top)])
        self._box(Part.DOOR, door - width * 0.07, base - height * 0.58, door + width * 0.07, base)
        for offset in (-0.32, 0.0, 0.32):
            window = x + width * offset
            if abs(window - door) > width * 0.16:
                self._box(
                    Part.WINDOW,
                    window - width * 0.08,
                    base - height * 0.72,
                    window + width * 0.08,
                    base - height * 0.34,
                )

    def _path(self, rng: np.random.Generator, x: float, base: float, width: float) -> None:
        end = x + rng.uniform(-0.25, 0.25)
        bend = (x + end) / 2 + rng.uniform(-0.08, 0.08)
        middle = (base + 1) / 2
        left = [(x - width / 2, base), (bend - width * 0.8, middle), (end - width * 1.3, 1.01)]
        right = [(end + width * 1.3, 1.01), (bend + width * 0.8, middle), (x + width / 2, base)]
        self._polygon(Part.PATH, left + right)

    def _tree(self, rng: np.random.Generator, x: float, base: float, scale: float) -> None:
        height = scale * rng.uniform(0.3, 0.42)
        trunk = 0.018 * scale + 0.004
        self._box(Part.TRUNK, x - trunk, base - height * 0.5, x + trunk, base)
        if rng.random() < 0.4:
            for level in range(3):
                half, top = scale * (0.10 - 0.022 * level), base - height * (0.5 + 0.27 * level)
                low = base - height * (0.14 + 0.24 * level)
                self._polygon(Part.NEEDLES, [(x - half, low), (x, top), (x + half, low)])
            return
        radius = height * rng.uniform(0.27, 0.33)
        centre = base - height * 0.72
        self._disc(Part.LEAVES, x, centre, radius)
        self._disc(Part.LEAVES, x - radius * 0.7, centre + radius * 0.35, radius * 0.68)
        self._disc(Part.LEAVES, x + radius * 0.7, centre + radius * 0.3, radius * 0.72)

    # -- shapes --------------------------------------------------------------------------

    def _box(self, part: Part, left: float, top: float, right: float, bottom: float) -> None:
        self._draw("rectangle", part, [v * self.side for v in (left, top, right, bottom)])

    def _disc(self, part: Part, x: float, y: float, radius: float) -> None:
        self._ellipse(part, x, y, radius, radius)

    def _ellipse(self, part: Part, x: float, y: float, width: float, height: float) -> None:
        box = (x - width, y - height, x + width, y + height)
        self._draw("ellipse", part, [v * self.side for v in box])

    def _polygon(self, part: Part, points: list[Point]) -> None:
        self._draw("polygon", part, [(x * self.side, y * self.side) for x, y in points])

    def _draw(self, shape: str, part: Part, coordinates: Sequence[float] | Sequence[Point]) -> None:
        values = int(part), self.number if part in _OF_OBJECTS else 0
        for pen, value in zip(self.pens, values, strict=True):
            getattr(pen, shape)(coordinates, fill=value)
