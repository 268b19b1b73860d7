"""Procedural landscapes in four domains, with ground truth: autumn, night, summer, winter."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from i2icli.demo.toy.labels import Part
from i2icli.demo.toy.paint import AUTUMN_DUSK, SUMMER_DAY, Appearance, Light, paint
from i2icli.demo.toy.scenes import TEST_SEEDS, composition, write_png

_TRAIN_SEEDS = 2_000_000  # distance between the first seeds of two domains

WINTER_DAY = Appearance(
    {
        Part.SKY: ((150, 170, 190), (232, 236, 240)),
        Part.SUN: ((255, 250, 236), (255, 250, 236)),
        Part.CLOUD: ((244, 246, 250), (212, 218, 226)),
        Part.FAR_HILL: ((206, 216, 228), (188, 200, 216)),
        Part.NEAR_HILL: ((222, 230, 238), (200, 212, 226)),
        Part.GRASS: ((244, 247, 252), (216, 226, 240)),
        Part.WATER: ((196, 220, 232), (150, 184, 208)),
        Part.PATH: ((206, 200, 196), (176, 170, 168)),
        Part.PLASTER: ((214, 206, 196), (192, 184, 176)),
        Part.BRICK: ((150, 92, 84), (128, 76, 70)),
        Part.TILES: ((238, 242, 248), (214, 222, 234)),
        Part.SLATE: ((232, 238, 246), (206, 216, 230)),
        Part.WINDOW: ((84, 100, 118), (58, 72, 90)),
        Part.DOOR: ((88, 60, 46), (68, 44, 34)),
        Part.TRUNK: ((92, 78, 68), (70, 58, 52)),
        Part.LEAVES: ((176, 164, 160), (140, 126, 122)),
        Part.NEEDLES: ((150, 178, 168), (88, 122, 114)),
    },
    sunlight=(26, 24, 18),
    lamplight=0.0,
    shadow=0.22,
    relief=0.3,
)

MOONLIT_NIGHT = Appearance(
    {
        Part.SKY: ((6, 10, 30), (28, 40, 78)),
        Part.SUN: ((226, 232, 244), (226, 232, 244)),
        Part.CLOUD: ((40, 48, 78), (56, 64, 98)),
        Part.FAR_HILL: ((20, 28, 54), (18, 26, 48)),
        Part.NEAR_HILL: ((14, 24, 38), (12, 20, 32)),
        Part.GRASS: ((22, 42, 46), (10, 22, 28)),
        Part.WATER: ((48, 66, 110), (18, 28, 60)),
        Part.PATH: ((58, 60, 76), (40, 42, 58)),
        Part.PLASTER: ((70, 74, 96), (52, 56, 78)),
        Part.BRICK: ((48, 36, 50), (36, 28, 42)),
        Part.TILES: ((44, 34, 50), (32, 24, 40)),
        Part.SLATE: ((34, 38, 58), (24, 28, 46)),
        Part.WINDOW: ((255, 222, 120), (255, 196, 84)),
        Part.DOOR: ((34, 26, 32), (24, 18, 26)),
        Part.TRUNK: ((24, 22, 30), (16, 16, 24)),
        Part.LEAVES: ((18, 40, 42), (12, 28, 32)),
        Part.NEEDLES: ((12, 30, 36), (8, 20, 28)),
    },
    sunlight=(44, 50, 64),
    lamplight=0.8,
    shadow=0.3,
    relief=0.9,
)

APPEARANCES: dict[str, Appearance] = {
    "autumn": AUTUMN_DUSK,
    "night": MOONLIT_NIGHT,
    "summer": SUMMER_DAY,
    "winter": WINTER_DAY,
}
"""The domains by name."""

DOMAINS = tuple(APPEARANCES)


def render(seed: int, domain: str, size: int = 64) -> NDArray[np.uint8]:
    """(size, size, 3): the landscape of a seed in one domain."""
    drawn = composition(seed, size)
    return paint(drawn.parts, APPEARANCES[domain], Light.on(drawn.parts), drawn.grain)


def write_domains(
    folder: Path, train: int, test: int, size: int = 64, seed: int = 0, domains: Sequence[str] = DOMAINS
) -> None:
    """Write train/<domain> with different scenes, and test/<domain> with the same scenes by file name."""
    for number, domain in enumerate(domains):
        first = seed + (1 + number) * _TRAIN_SEEDS
        for index in range(train):
            write_png(
                folder / "train" / domain / f"{domain}{index:04}.png", render(first + index, domain, size)
            )
        for index in range(test):
            pixels = render(seed + TEST_SEEDS + index, domain, size)
            write_png(folder / "test" / domain / f"{index:04}.png", pixels)
