"""Toy sprites: round faces in a few colours and moods, for systems that make pictures out of nothing."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from i2icli.image import DecodedImage, write_image
from i2icli.image.decoded import Pixels

SKINS = ((255, 205, 60), (250, 130, 120), (120, 200, 120), (130, 170, 250), (200, 150, 230))
INK = (60, 40, 40)
PAPER = (255, 255, 255)
_FINE = 4  # drawn so much larger, then reduced, for smooth edges


def write_sprites(folder: Path, train: int = 200, test: int = 20, size: int = 64, seed: int = 0) -> None:
    """train/ and test/ with so many faces of `size` pixels, each of its own (seed, split, number)."""
    for split, (name, count) in enumerate((("train", train), ("test", test))):
        for number in range(count):
            pixels = paint_sprite(np.random.default_rng((seed, split, number)), size)
            write_image(folder / name / f"{number:04}.png", DecodedImage(pixels, None, "png"))


def paint_sprite(rng: np.random.Generator, size: int) -> Pixels:
    """(size, size, 3) uint8: a face whose colour, place, eyes, mouth and hat are drawn from `rng`."""
    image = Image.new("RGB", (size * _FINE, size * _FINE), PAPER)
    draw = ImageDraw.Draw(image)
    unit = size * _FINE / 100
    middle, radius = rng.uniform(46, 54), rng.uniform(32, 40)
    height = rng.uniform(50, 56)

    def oval(x: float, y: float, across: float, down: float, colour: tuple[int, int, int]) -> None:
        draw.ellipse([(x - across) * unit, (y - down) * unit, (x + across) * unit, (y + down) * unit], colour)

    skin = SKINS[rng.integers(len(SKINS))]
    oval(middle, height, radius, radius, tuple(int(0.75 * value) for value in skin))  # type: ignore[arg-type]
    oval(middle, height - 2, radius - 1, radius - 2, skin)
    apart, open_ = rng.uniform(11, 16), rng.choice([1.5, 6.0])
    for side in (-1, 1):
        oval(middle + side * apart, height - 8, 4.5, open_, INK)
    bend, wide = rng.choice([-9.0, 3.0, 12.0]), rng.uniform(11, 18)
    top, bottom = sorted((height + 14 - bend, height + 14 + bend))
    box = [(middle - wide) * unit, top * unit, (middle + wide) * unit, bottom * unit]
    start, end = (20, 160) if bend > 0 else (200, 340)
    draw.arc(box, start, end, INK, round(3.5 * unit))
    if rng.random() < 0.4:
        brim, crown = height - radius + 8, height - radius - 8
        draw.rectangle([(middle - 26) * unit, (brim - 3) * unit, (middle + 26) * unit, brim * unit], INK)
        draw.rectangle([(middle - 15) * unit, crown * unit, (middle + 15) * unit, brim * unit], INK)
    return np.asarray(image.resize((size, size), Image.Resampling.BOX))
