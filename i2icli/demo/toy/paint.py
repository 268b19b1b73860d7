"""Rendering of toy landscapes from label maps: colours, textures, light and shadow."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from i2icli.demo.toy.labels import Part

Map = NDArray[np.float32]
Colour = tuple[int, int, int]
Gradient = tuple[Colour, Colour]

_LAMP = (255, 170, 60)


def _table(*parts: Part) -> NDArray[np.bool_]:
    """(L,): mask of some classes."""
    return np.array([part in parts for part in Part])


_SOLID = _table(Part.PLASTER, Part.BRICK, Part.TILES, Part.SLATE, Part.TRUNK, Part.LEAVES, Part.NEEDLES)
_ROUND = _table(Part.CLOUD, Part.LEAVES, Part.NEEDLES)
_GROUND = _table(Part.GRASS, Part.PATH, Part.WATER)
_ROOF = _table(Part.TILES, Part.SLATE)
_WALL = _table(Part.PLASTER, Part.BRICK)


@dataclass(frozen=True)
class Appearance:
    """The appearance of landscapes at one season and time of day."""

    colours: dict[Part, Gradient]  # at the top and the bottom of its vertical range
    sunlight: tuple[float, float, float]  # added around the sun
    lamplight: float  # brightness of the glow around windows
    shadow: float  # darkness of shadows, in [0, 1]
    relief: float  # contrast between lit and unlit sides


SUMMER_DAY = Appearance(
    {
        Part.SKY: ((52, 122, 214), (205, 232, 250)),
        Part.SUN: ((255, 250, 215), (255, 250, 215)),
        Part.CLOUD: ((255, 255, 255), (226, 234, 244)),
        Part.FAR_HILL: ((150, 178, 204), (120, 158, 176)),
        Part.NEAR_HILL: ((116, 158, 120), (84, 140, 84)),
        Part.GRASS: ((150, 196, 84), (66, 140, 40)),
        Part.WATER: ((148, 200, 228), (40, 104, 158)),
        Part.PATH: ((226, 206, 166), (196, 164, 116)),
        Part.PLASTER: ((250, 240, 220), (236, 220, 190)),
        Part.BRICK: ((196, 108, 84), (172, 86, 66)),
        Part.TILES: ((206, 92, 58), (176, 70, 44)),
        Part.SLATE: ((112, 120, 138), (86, 92, 110)),
        Part.WINDOW: ((92, 130, 164), (48, 76, 108)),
        Part.DOOR: ((110, 66, 40), (86, 48, 28)),
        Part.TRUNK: ((112, 82, 56), (88, 60, 38)),
        Part.LEAVES: ((98, 168, 58), (58, 128, 36)),
        Part.NEEDLES: ((48, 112, 74), (26, 82, 54)),
    },
    sunlight=(60, 52, 26),
    lamplight=0.0,
    shadow=0.42,
    relief=0.55,
)

AUTUMN_DUSK = Appearance(
    {
        Part.SKY: ((38, 34, 92), (248, 150, 96)),
        Part.SUN: ((255, 214, 130), (255, 180, 90)),
        Part.CLOUD: ((196, 126, 158), (250, 150, 118)),
        Part.FAR_HILL: ((120, 82, 130), (108, 70, 112)),
        Part.NEAR_HILL: ((92, 58, 84), (80, 50, 62)),
        Part.GRASS: ((206, 142, 62), (112, 84, 40)),
        Part.WATER: ((232, 150, 116), (104, 66, 116)),
        Part.PATH: ((190, 146, 118), (136, 104, 94)),
        Part.PLASTER: ((196, 160, 150), (164, 130, 128)),
        Part.BRICK: ((132, 66, 60), (104, 50, 52)),
        Part.TILES: ((132, 56, 50), (100, 42, 46)),
        Part.SLATE: ((76, 68, 96), (54, 48, 74)),
        Part.WINDOW: ((255, 226, 130), (255, 190, 80)),
        Part.DOOR: ((72, 40, 36), (52, 28, 28)),
        Part.TRUNK: ((70, 46, 46), (48, 32, 34)),
        Part.LEAVES: ((236, 128, 34), (186, 72, 30)),
        Part.NEEDLES: ((44, 66, 70), (24, 44, 54)),
    },
    sunlight=(110, 60, 14),
    lamplight=0.55,
    shadow=0.5,
    relief=0.75,
)


@dataclass(frozen=True)
class Light:
    """The lighting of a landscape, independent of its appearance; all (H, W)."""

    relief: Map  # shading of round objects: positive towards the light, negative away from it
    shadow: Map  # [0, 1]: cast on the ground by houses and trees, and on walls by roofs
    sun: Map  # glow around the sun
    lamps: Map  # [0, 1]: glow around windows

    @classmethod
    def on(cls, parts: NDArray[np.uint8]) -> "Light":
        """Light from the upper left on a map of parts (H, W)."""
        lamps = _blurred(parts == Part.WINDOW, parts.shape[0] / 28)
        return cls(_relief(parts), _shadow(parts), _sunshine(parts), lamps)


def paint(
    parts: NDArray[np.uint8], appearance: Appearance, light: Light, grain: Map, colour: Map | None = None
) -> NDArray[np.uint8]:
    """Render a map of parts (H, W), even sides -> (H / 2, W / 2, 3) uint8, antialiased.

    grain: (H, W), noise of unit variance; colour: (H, W, 3), without light and texture, by default that of
    each part.
    """
    texture, roughness = _textures(parts.shape[0])
    shade = np.take(texture, parts.astype(np.intp) * parts.size + np.arange(parts.size).reshape(parts.shape))
    shade += np.take(roughness, parts) * grain
    shade += appearance.relief * light.relief - appearance.shadow * light.shadow  # (H, W)
    if colour is None:
        colour = flat_colours(parts, [(part, appearance.colours[part]) for part in Part])
    colour = colour * shade[..., None]  # (H, W, 3)
    glow = np.array([appearance.sunlight, [appearance.lamplight * value for value in _LAMP]], np.float32)
    colour += np.stack([light.sun, light.lamps], axis=-1) @ glow
    np.clip(colour, 0, 255, out=colour)
    return np.asarray(Image.fromarray(colour.astype(np.uint8)).reduce(2))  # (H / 2, W / 2, 3)


def flat_colours(index: NDArray[np.integer[Any]], palette: Sequence[tuple[Part, Gradient]]) -> Map:
    """Indices into a palette of parts and their colours, (H, W) -> (H, W, 3): colours by height."""
    side = index.shape[0]
    pairs = np.array([gradient for _, gradient in palette], np.float32)  # (L, 2, 3)
    height = np.linspace(0, 1, side, dtype=np.float32)[:, None]  # (H, 1)
    above = np.array([part < Part.GRASS for part, _ in palette])
    down = np.where(above, height / 0.55, (height - 0.45) / 0.55).clip(0, 1)[..., None]  # (H, L, 1)
    table = pairs[:, 0] * (1 - down) + pairs[:, 1] * down  # (H, L, 3)
    rows = np.arange(side)[:, None] * len(palette)
    return np.take(np.asarray(table.reshape(-1, 3), np.float32), rows + index, axis=0)


def _relief(parts: NDArray[np.uint8]) -> Map:
    step = max(1, parts.shape[0] // 40)
    round_objects = _ROUND[parts]
    soft = _blurred(round_objects, step * 1.3)
    padded = np.pad(soft, step, mode="edge")
    slope = padded[2 * step :, 2 * step :] - padded[: -2 * step, : -2 * step]
    return np.asarray(slope * round_objects, np.float32)


def _shadow(parts: NDArray[np.uint8]) -> Map:
    step = max(1, parts.shape[0] // 24)
    solid = _SOLID[parts]
    cast = np.roll(solid, (step // 2, step), (0, 1)) | np.roll(solid, (step, 2 * step), (0, 1))
    cast[:, : 2 * step] = solid[:, : 2 * step]  # undo the wrap-around
    shadow = _blurred(cast, step / 4) * _GROUND[parts]
    eaves = np.roll(_ROOF[parts], max(1, step // 2), 0) & _WALL[parts]
    return np.asarray(shadow + np.float32(0.6) * eaves, np.float32)


def _sunshine(parts: NDArray[np.uint8]) -> Map:
    rows, columns = np.nonzero(parts == Part.SUN)
    if not len(rows):
        return np.zeros(parts.shape, np.float32)
    position = np.arange(parts.shape[0], dtype=np.float32)
    side = parts.shape[0]
    down, across = (((position - each.mean()) / side) ** 2 for each in (rows, columns))
    wide = np.exp(-down / 0.2)[:, None] * np.exp(-across / 0.2)[None]  # (H, W)
    near = np.exp(-down / 0.03)[:, None] * np.exp(-across / 0.03)[None]
    return np.asarray(near + 0.35 * wide, np.float32)


def _blurred(mask: NDArray[np.bool_], radius: float) -> Map:
    """Boolean (H, W) -> [0, 1], blurred over about `radius` pixels."""
    image = Image.fromarray(mask.astype(np.uint8) * np.uint8(255))
    for _ in range(2):
        image = image.filter(ImageFilter.BoxBlur(radius))
    return np.asarray(image, np.float32) / np.float32(255)


@lru_cache(maxsize=4)
def _textures(side: int) -> tuple[Map, Map]:
    """(L, H, W): patterns of the classes, as factors around one; and (L,): their grain."""
    rows, columns = np.mgrid[:side, :side] * (128 / side)
    pattern = np.zeros((len(Part), side, side), np.float32)
    course = rows // 5
    joints = (rows % 5 < 1) | ((columns + 4 * (course % 2)) % 9 < 1)
    pattern[Part.BRICK] = 0.28 * joints - 0.04 * (course % 2)
    row = rows // 4
    pattern[Part.TILES] = 0.16 * (rows % 4 / 4) - 0.2 * ((columns + 2 * (row % 2)) % 4 < 1)
    pattern[Part.SLATE] = 0.18 * (rows % 5 / 5) - 0.12 * ((columns + 3 * (row % 2)) % 6 < 1)
    pattern[Part.DOOR] = -0.2 * (columns % 3 < 1)
    pattern[Part.TRUNK] = 0.15 * np.sin(columns * 1.7)
    pattern[Part.WATER] = 0.10 * np.sin(rows * 1.4 + 1.2 * np.sin(columns / 9))
    pattern[Part.GRASS] = 0.05 * np.sin(rows / 3 + 2 * np.sin(columns / 17))
    pattern[Part.LEAVES] = 0.12 * np.sin(columns * 1.1) * np.sin(rows * 1.2)
    pattern[Part.NEEDLES] = 0.14 * np.sin(rows * 1.3 + np.abs((columns % 8) - 4))
    rough = np.full(len(Part), 0.02, np.float32)
    for part, amount in ((Part.GRASS, 0.09), (Part.LEAVES, 0.12), (Part.NEEDLES, 0.1), (Part.PATH, 0.06)):
        rough[part] = amount
    rough[Part.SKY] = rough[Part.SUN] = 0.006
    pattern += 1
    return pattern, rough
