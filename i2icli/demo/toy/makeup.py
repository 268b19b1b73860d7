"""Procedural faces with and without makeup; any face can have any style, so transfers have ground truth."""

from colorsys import hsv_to_rgb
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from i2icli.data.kinds.style_names import BETWEEN
from i2icli.image import DecodedImage, write_image

Colour = tuple[int, int, int]
Centre = tuple[float, float]

_SUPERSAMPLING = 4
_TEST_SEEDS = 1_000_000  # first seed of test faces and styles, disjoint from training
_OTHER_SEEDS = 2_000_000  # first seed of training faces with makeup

_SKINS: tuple[Colour, ...] = (
    (255, 224, 196),
    (241, 194, 157),
    (214, 156, 116),
    (160, 106, 72),
    (108, 70, 48),
)
_HAIRS: tuple[Colour, ...] = ((40, 28, 22), (92, 58, 34), (168, 118, 62), (214, 184, 120), (128, 128, 132))
_IRISES: tuple[Colour, ...] = ((70, 44, 28), (72, 108, 150), (84, 120, 76))


@dataclass(frozen=True)
class Style:
    """The makeup of a face."""

    lips: Colour
    lids: Colour
    cheeks: Colour


def style(seed: int) -> Style:
    """The style of a seed: three saturated colours."""
    rng = np.random.default_rng((13, seed))

    def strong() -> Colour:
        red, green, blue = hsv_to_rgb(rng.random(), rng.uniform(0.75, 1), rng.uniform(0.55, 0.95))
        return round(255 * red), round(255 * green), round(255 * blue)

    return Style(strong(), strong(), strong())


def face(seed: int, worn: Style | None = None, size: int = 64) -> NDArray[np.uint8]:
    """(size, size, 3): the face of a seed, bare or in a style; everything else stays the same."""
    painter = _FacePainter(np.random.default_rng((11, seed)), _SUPERSAMPLING * size)
    return np.asarray(painter.face(worn).resize((size, size), Image.Resampling.BOX))


def write_makeup(folder: Path, train: int, test: int, size: int = 64, seed: int = 0) -> None:
    """Write bare faces (trainA) and other faces, each in its own style (trainB); and testA, testB.

    Test faces are the same in both, two per style: testA/0000.png and testB/0000+style000.png.
    """
    for index in range(train):
        _write(folder / "trainA" / f"bare{index:04}.png", face(seed + index, None, size))
        other = seed + _OTHER_SEEDS + index
        _write(folder / "trainB" / f"made-up{index:04}.png", face(other, style(other), size))
    for index in range(test):
        person, number = seed + _TEST_SEEDS + index, index // 2
        _write(folder / "testA" / f"{index:04}.png", face(person, None, size))
        name = f"{index:04}{BETWEEN}style{number:03}.png"
        _write(folder / "testB" / name, face(person, style(seed + _TEST_SEEDS + number), size))


def _write(path: Path, pixels: NDArray[np.uint8]) -> None:
    write_image(path, DecodedImage(pixels, None, "png"))


class _FacePainter:
    """One face in coordinates from 0 to 1. All random draws come first, so the style does not affect them."""

    def __init__(self, rng: np.random.Generator, side: int) -> None:
        self.side = side
        self.x, self.y = rng.uniform(0.46, 0.54), rng.uniform(0.5, 0.56)
        self.half_width, self.half_height = rng.uniform(0.24, 0.3), rng.uniform(0.32, 0.38)
        self.eye_distance, self.eye_size = rng.uniform(0.11, 0.14), rng.uniform(0.045, 0.06)
        self.mouth_width, self.lip = rng.uniform(0.1, 0.14), rng.uniform(0.035, 0.05)
        self.brow_lift, self.fringe = rng.uniform(0.085, 0.105), rng.uniform(0.1, 0.16)
        self.skin, self.hair, self.iris = (
            colours[int(rng.integers(len(colours)))] for colours in (_SKINS, _HAIRS, _IRISES)
        )
        self.ground: Colour = tuple(rng.integers(90, 240, 3).tolist())
        self.image = Image.new("RGB", (side, side), self.ground)
        self.pen = ImageDraw.Draw(self.image)

    def face(self, worn: Style | None) -> Image.Image:
        """The face, with a style or bare."""
        x, y = self.x, self.y
        eyes, brows, mouth = y - 0.08, y - 0.08 - self.brow_lift, y + 0.19
        sides = (x - self.eye_distance, x + self.eye_distance)
        self._ellipse((x, y - 0.04), self.half_width + 0.07, self.half_height + 0.08, self.hair)
        self._box(x - 0.1, y + 0.2, x + 0.1, 1.0, _shade(self.skin, 0.88))
        self._ellipse((x, y), self.half_width, self.half_height, self.skin)
        self._fringe()
        if worn:
            for side in (x - 0.17, x + 0.17):
                self._soft((side, y + 0.09), 0.095, 0.08, worn.cheeks, 0.75)
            for side in sides:
                self._soft((side, eyes - 0.03), 0.11, 0.075, worn.lids, 0.9)
        for side in sides:
            self._ellipse((side, eyes), 1.5 * self.eye_size, 0.75 * self.eye_size, (250, 250, 250))
            self._ellipse((side, eyes), 0.7 * self.eye_size, 0.7 * self.eye_size, self.iris)
            self._ellipse((side, eyes), 0.3 * self.eye_size, 0.3 * self.eye_size, (15, 15, 15))
            self._box(side - 0.075, brows - 0.012, side + 0.075, brows + 0.012, _shade(self.hair, 0.8))
        self._ellipse((x, y + 0.06), 0.03, 0.025, _shade(self.skin, 0.85))
        self._ellipse((x, mouth), self.mouth_width, self.lip, worn.lips if worn else _shade(self.skin, 0.72))
        self._box(
            x - 0.8 * self.mouth_width, mouth - 0.006, x + 0.8 * self.mouth_width, mouth + 0.006, (60, 20, 24)
        )
        return self.image

    def _fringe(self) -> None:
        """Hair over the forehead, in the upper part of the face's ellipse."""
        layer = Image.new("L", self.image.size)
        ImageDraw.Draw(layer).ellipse(
            self._corners((self.x, self.y), self.half_width, self.half_height), fill=255
        )
        edge = round((self.y - self.half_height + self.fringe) * self.side)
        layer.paste(0, (0, edge, self.side, self.side))
        self.image.paste(self.hair, (0, 0), layer)

    def _soft(self, centre: Centre, across: float, down: float, colour: Colour, strength: float) -> None:
        """An ellipse with a feathered border."""
        layer = Image.new("L", self.image.size)
        pen = ImageDraw.Draw(layer)
        pen.ellipse(self._corners(centre, across, down), fill=round(255 * strength))
        self.image.paste(colour, (0, 0), layer.filter(ImageFilter.GaussianBlur(self.side * 0.012)))

    def _ellipse(self, centre: Centre, across: float, down: float, colour: Colour) -> None:
        self.pen.ellipse(self._corners(centre, across, down), fill=colour)

    def _box(self, left: float, top: float, right: float, bottom: float, colour: Colour) -> None:
        self.pen.rectangle([round(each * self.side) for each in (left, top, right, bottom)], fill=colour)

    def _corners(self, centre: Centre, across: float, down: float) -> list[float]:
        x, y = centre
        return [each * self.side for each in (x - across, y - down, x + across, y + down)]


def _shade(colour: Colour, factor: float) -> Colour:
    red, green, blue = (round(each * factor) for each in colour)
    return red, green, blue
