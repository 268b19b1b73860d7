"""Toy landscapes as label maps and instance maps, with known styles of every region.

The label map decides what is where, and a style, drawn at random for every object and every part of the
background that has several, what it is made of or how it is coloured. Everything follows from a seed.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from i2icli.classes import LabelClass
from i2icli.demo.toy.labels import COLOURS, Part
from i2icli.demo.toy.paint import SUMMER_DAY, Gradient, Light, flat_colours, paint
from i2icli.demo.toy.scenes import TEST_SEEDS, Composition, composition, write_png
from i2icli.image import Ids
from i2icli.labels.files import write_16_bit_map, write_classes, write_palette_map

OBJECTS = 16  # more than a landscape has
INSTANCES = 1000  # object n of class c is c * INSTANCES + n, as in Cityscapes; c alone: no object


@dataclass(frozen=True)
class Style:
    """One appearance of a class."""

    name: str
    part: Part  # whose texture it has
    colours: Gradient  # at the top and the bottom of its vertical range


def _style(name: str, part: Part, colours: Gradient | None = None) -> Style:
    return Style(name, part, colours or SUMMER_DAY.colours[part])


STYLES: dict[str, tuple[Style, ...]] = {
    "sky": (
        _style("day", Part.SKY),
        _style("sunset", Part.SKY, ((70, 58, 128), (250, 160, 110))),
        _style("overcast", Part.SKY, ((138, 146, 156), (208, 212, 216))),
    ),
    "sun": (_style("sun", Part.SUN),),
    "cloud": (
        _style("white", Part.CLOUD),
        _style("grey", Part.CLOUD, ((140, 146, 160), (104, 110, 126))),
    ),
    "mountain": (_style("blue", Part.FAR_HILL),),
    "hill": (_style("green", Part.NEAR_HILL),),
    "grass": (
        _style("green", Part.GRASS),
        _style("dry", Part.GRASS, ((226, 192, 100), (176, 136, 50))),
    ),
    "water": (_style("blue", Part.WATER),),
    "path": (_style("sand", Part.PATH),),
    "wall": (
        _style("plaster", Part.PLASTER),
        _style("brick", Part.BRICK),
        _style("blue", Part.PLASTER, ((110, 150, 206), (82, 118, 176))),
    ),
    "roof": (
        _style("tiles", Part.TILES),
        _style("slate", Part.SLATE),
        _style("copper", Part.SLATE, ((112, 196, 164), (78, 158, 130))),
        _style("thatch", Part.TILES, ((232, 200, 112), (204, 168, 80))),
    ),
    "window": (_style("glass", Part.WINDOW),),
    "door": (_style("wood", Part.DOOR),),
    "tree": (
        _style("green", Part.LEAVES),
        _style("autumn", Part.LEAVES, ((240, 134, 36), (196, 84, 28))),
        _style("blossom", Part.LEAVES, ((252, 196, 218), (232, 146, 184))),
    ),
    "conifer": (
        _style("green", Part.NEEDLES),
        _style("snow", Part.NEEDLES, ((232, 240, 248), (160, 190, 208))),
    ),
}
"""The styles of every class, by its name."""

_ALIKE = {Part.BRICK: Part.PLASTER, Part.SLATE: Part.TILES, Part.TRUNK: Part.LEAVES}
_PARTS = tuple(part for part in Part if part not in _ALIKE)  # one for each class
CLASSES = tuple(
    LabelClass(number, name, tuple(COLOURS[part].tolist()))
    for number, (name, part) in enumerate(zip(STYLES, _PARTS, strict=True))
)
"""The classes of label maps, in the order of their ids."""

_CLASS = np.array([_PARTS.index(_ALIKE.get(part, part)) for part in Part], np.int32)  # of each part
_NAMES = tuple(STYLES)
_OF_OBJECTS = np.isin(_NAMES, ("cloud", "wall", "roof", "window", "door", "tree", "conifer"))
_FIRST = np.cumsum([0, *map(len, STYLES.values())])[:-1]  # index of the first style of each class
_FLAT = tuple(style for styles in STYLES.values() for style in styles)
_TEXTURES = np.array([style.part for style in _FLAT], np.uint8)


@dataclass(frozen=True)
class LabelScene:
    """One landscape as label map, instance map and photo."""

    labels: Ids  # (H, W): ids of `CLASSES`
    instances: Ids  # (H, W): 1000 * class + number of cloud, house or tree; else the class
    photo: NDArray[np.uint8]  # (H, W, 3)
    styles: dict[int, str]  # the style of each instance, by its id


def label_scene(seed: int, size: int = 64) -> LabelScene:
    """The landscape of a seed, `size` pixels square; composition and styles do not depend on the size."""
    drawn = composition(seed, size)
    labels = _class_ids(drawn)  # (2 H, 2 W)
    choices = _choices(seed)
    which = choices[labels, drawn.objects]  # (2 H, 2 W): index into `_FLAT`
    colour = flat_colours(which, [(style.part, style.colours) for style in _FLAT])
    parts = np.where(drawn.parts == Part.TRUNK, drawn.parts, _TEXTURES[which])
    trunk = flat_colours(np.zeros_like(labels), [(Part.TRUNK, SUMMER_DAY.colours[Part.TRUNK])])
    colour = np.where((parts == Part.TRUNK)[..., None], trunk, colour)
    photo = paint(parts, SUMMER_DAY, Light.on(parts), drawn.grain, colour)
    small, objects = labels[::2, ::2], drawn.objects[::2, ::2]  # (H, W)
    instances = np.where(_OF_OBJECTS[small], small * INSTANCES + objects, small)
    styles = {
        int(id): _FLAT[choices[divmod(id, INSTANCES) if id >= INSTANCES else (id, 0)]].name
        for id in np.unique(instances)
    }
    return LabelScene(small, instances, photo, styles)


def write_label_scenes(folder: Path, train: int, test: int, size: int = 64, seed: int = 0) -> None:
    """Write classes.toml, and labels/, instances/ and images/ of the same names into train/ and test/."""
    write_classes(folder / "classes.toml", CLASSES, ())
    colours = {each.id: each.colour for each in CLASSES if each.colour}
    for split, number, first in (("train", train, 0), ("test", test, TEST_SEEDS)):
        for index in range(number):
            landscape, name = label_scene(seed + first + index, size), f"{index:04}.png"
            write_palette_map(folder / split / "labels" / name, landscape.labels, colours)
            write_16_bit_map(folder / split / "instances" / name, landscape.instances)
            write_png(folder / split / "images" / name, landscape.photo)


def style_of(photo: NDArray[np.uint8], labels: Ids, region: NDArray[np.bool_], name: str) -> str:
    """The style of a class that a region (H, W) of a photo (H, W, 3) comes nearest to, by mean colour.

    labels: the label map, whose pixels at the borders of a class are left out if there are others.
    """
    inner = region.copy()
    for axis in (0, 1):
        for shift in (1, -1):
            inner &= np.roll(labels, shift, axis) == labels
    chosen = inner if inner.any() else region
    seen = photo[chosen].mean(0)  # (3,)
    expected = [
        flat_colours(np.zeros_like(labels), [(style.part, style.colours)])[chosen].mean(0)
        for style in STYLES[name]
    ]
    distances = [float(((seen - each) ** 2).sum()) for each in expected]
    return STYLES[name][int(np.argmin(distances))].name


def _class_ids(drawn: Composition) -> Ids:
    """The class of each pixel; trunks belong to the crown above them."""
    labels = _CLASS[drawn.parts]
    conifer = _CLASS[Part.NEEDLES]
    of_conifers = np.unique(drawn.objects[drawn.parts == Part.NEEDLES])
    labels[(drawn.parts == Part.TRUNK) & np.isin(drawn.objects, of_conifers)] = conifer
    return labels


def _choices(seed: int) -> NDArray[np.intp]:
    """(L, OBJECTS): the style of a class in each object, in column 0 outside of objects; into `_FLAT`."""
    rng = np.random.default_rng((13, seed))
    return np.stack(
        [
            first + rng.integers(len(styles), size=OBJECTS)
            for first, styles in zip(_FIRST, STYLES.values(), strict=True)
        ]
    )
