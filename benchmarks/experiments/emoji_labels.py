"""Write a data folder of emoji: flat drawings as label maps, rendered ones as photos.

    python -m benchmarks.experiments.emoji_labels emoji64 emoji

Expects emoji64/{train,test}/{fluentflat,fluent3d} with images of the same names, white behind. The colours of
the training drawings are grouped into classes, called after the nearest colour of CSS; white that touches the
border of an image is the class background. Instances are the connected areas of each class.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import ImageColor

from benchmarks.lib.areas import by_size, connected_areas, instance_ids, without_specks
from benchmarks.lib.arguments import argument_parser
from benchmarks.lib.images import read_rgb
from benchmarks.lib.palettes import k_means, nearest_colour
from i2icli.classes import LabelClass
from i2icli.demo.toy.scenes import write_png
from i2icli.image import Ids
from i2icli.image.finding import find_images
from i2icli.labels.files import write_16_bit_map, write_classes, write_palette_map

CLASSES = 24  # besides the background
SAME = 10  # distance in RGB within which two colours of a drawing are one
LEAST = 6  # pixels: a colour that fills less is taken for a blend of its neighbours
SPECK = 3  # pixels: smaller areas are blends, too
WHITE = 720  # sum of red, green and blue from which a colour is white


def own_colours(pixels: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The flat colours of a drawing (H, W, 3): (K, 3), and the pixels that each fills, (K,).

    Only colours of 2 x 2 equal pixels count: those between two areas are blends, which come in lines.
    """
    values = pixels.astype(np.float32)
    corner = values[:-1, :-1]  # (H - 1, W - 1, 3)
    flat = np.ones(corner.shape[:2], np.bool_)
    for other in (values[1:, :-1], values[:-1, 1:], values[1:, 1:]):
        flat &= ((corner - other) ** 2).sum(2) <= SAME**2
    colours, counts = np.unique(corner[flat].astype(np.uint8), axis=0, return_counts=True)
    chosen: list[NDArray[np.float32]] = []
    sizes: list[float] = []
    for index in np.argsort(-counts, kind="stable"):
        colour = colours[index].astype(np.float32)
        distances = [float(((colour - each) ** 2).sum()) for each in chosen]
        if distances and min(distances) <= SAME**2:
            sizes[int(np.argmin(distances))] += counts[index]
        elif counts[index] >= LEAST or not chosen:
            chosen.append(colour)
            sizes.append(float(counts[index]))
    return np.stack(chosen), np.array(sizes, np.float32)


def find_classes(drawings: Sequence[NDArray[np.uint8]]) -> tuple[LabelClass, ...]:
    """Background, and classes of the colours that some drawings (H, W, 3) are made of."""
    colours, sizes = zip(*map(own_colours, drawings), strict=True)
    inner, weights = np.concatenate(colours), np.concatenate(sizes)
    weights[inner.sum(1) >= WHITE] /= 4  # mostly background
    palette = k_means(inner, np.sqrt(weights), CLASSES)  # the root, or few large areas decide
    css = {name: ImageColor.getrgb(name)[:3] for name in ImageColor.colormap if "grey" not in name}
    found = [LabelClass(0, "background", (1, 1, 1))]
    for number, colour in enumerate(palette, 1):
        name = min(css, key=lambda each: float(((colour - np.array(css[each])) ** 2).sum()))
        del css[name]  # so that no two classes have one name
        red, green, blue = (round(float(value)) for value in colour)
        found.append(LabelClass(number, name, (red, green, blue)))
    return tuple(found)


def label_map(pixels: NDArray[np.uint8], classes: Sequence[LabelClass]) -> tuple[Ids, Ids]:
    """Class ids and instance ids, (H, W) each, of a drawing (H, W, 3)."""
    own, _ = own_colours(pixels)
    palette = np.array([each.colour for each in classes[1:]], np.float32)
    of_own = 1 + nearest_colour(own, palette)  # (K,)
    index = nearest_colour(pixels.astype(np.float32), own)  # (H, W): blends become one of their sides
    index = without_specks(index, SPECK)
    labels = of_own[index].astype(np.int32)
    white = (own.sum(1) >= WHITE)[index]
    areas = connected_areas(white)
    border = np.concatenate([areas[0], areas[-1], areas[:, 0], areas[:, -1]])
    labels[white & np.isin(areas, border)] = 0
    return labels, instance_ids(labels, np.where(labels == 0, 0, by_size(connected_areas(labels))))


def main(arguments: Sequence[str] | None = None) -> None:
    """Write both parts."""
    parser = argument_parser(__doc__, __spec__.name)
    parser.add_argument("emoji", type=Path, help="folder with train and test, and in both the two sets")
    parser.add_argument("out", type=Path, help="folder for classes.toml, train and test")
    options = parser.parse_args(arguments)
    drawings = {split: find_images(options.emoji / split / "fluentflat") for split in ("train", "test")}
    if not all(drawings.values()):
        raise SystemExit(f"{options.emoji}: expected images in train/fluentflat and test/fluentflat")
    classes = find_classes([read_rgb(path) for path in drawings["train"]])
    write_classes(options.out / "classes.toml", classes, ())
    colours = {each.id: each.colour for each in classes if each.colour}
    for split, paths in drawings.items():
        folder = options.out / split
        for path in paths:
            labels, instances = label_map(read_rgb(path), classes)
            write_palette_map(folder / "labels" / path.name, labels, colours)
            write_16_bit_map(folder / "instances" / path.name, instances)
            photo = options.emoji / split / "fluent3d" / path.name
            write_png(folder / "images" / path.name, read_rgb(photo))
        print(f"{split}: {len(paths)} emoji")


if __name__ == "__main__":
    main()
