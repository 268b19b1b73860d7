"""Square crops of photographs that the shipped detector was not fitted to, for `i2i detector evaluate`.

    apt-get download mate-backgrounds python3-skimage opencv-doc
    for each in *.deb; do dpkg-deb -x $each found; done
    python -m benchmarks.detector.photographs found squares --number 300

    python -m benchmarks.detector.photographs photographs squares --every   # those of benchmarks.detector.web

One in three squares is cropped at full resolution, the others after downscaling. Only photographs on a list
are used, as the packages also contain drawings and diagrams.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.detector.fakes import RESIZERS, Pixels, random_crop
from benchmarks.lib.arguments import argument_parser

SUFFIXES = (".jpg", ".jpeg", ".png")
PHOTOGRAPHS = [  # of mate-backgrounds, scikit-image and OpenCV
    "Aqua",
    "Blinds",
    "Dune",
    "FreshFlower",
    "Garden",
    "GreenMeadow",
    "LadyBird",
    "RainDrops",
    "Storm",
    "TwoWings",
    "Wood",
    "YellowFlower",
    "astronaut",
    "chelsea",
    "coffee",
    "rocket",
    "motorcycle_left",
    "gravel",
    "brick",
    "grass",
    "plant",
    "scenetext01",
    "scenetext02",
    "scenetext03",
    "scenetext04",
    "scenetext05",
    "scenetext06",
    "home",
    "fruits",
    "baboon",
    "leuvenA",
    "squirrel_cls",
    "aloeL",
    "board",
    "messi5",
    "orange",
    "apple",
    "aero1",
    "aero3",
    "building",
    "butterfly",
    "basketball1",
    "rubberwhale1",
    "ela_original",
    "graf1",
    "smarties",
    "box_in_scene",
    "000",
]


def square(image: Image.Image, size: int, rng: np.random.Generator) -> Pixels:
    """A random square of a photograph, a third at full resolution."""
    least = size / min(image.size)
    factor = 1.0 if rng.random() < 1 / 3 else float(np.exp(rng.uniform(np.log(least), 0)))
    if factor < 1:
        box = (max(size, round(image.width * factor)), max(size, round(image.height * factor)))
        image = image.resize(box, RESIZERS[int(rng.integers(3))])
    return random_crop(np.asarray(image), size, rng)


def main(arguments: Sequence[str] | None = None) -> None:
    """Write squares as PNG files, cycling through the photographs."""
    parser = argument_parser(__doc__, __spec__.name)
    parser.add_argument("folder", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--number", type=int, default=300)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--every", action="store_true", help="use all files, not only those on the list")
    options = parser.parse_args(arguments)
    rng = np.random.default_rng(options.seed)
    files = {file.stem: file for file in sorted(options.folder.rglob("*")) if file.suffix.lower() in SUFFIXES}
    images = []
    for name in files if options.every else PHOTOGRAPHS:
        if name in files:
            image = Image.open(files[name]).convert("RGB")
            if min(image.size) >= options.size:
                images.append((name, image))
    options.out.mkdir(parents=True, exist_ok=True)
    for index in range(options.number):
        name, image = images[index % len(images)]
        pixels = square(image, options.size, rng)
        Image.fromarray(pixels).save(options.out / f"{index:04d}-{name}.png")
    print(f"{options.number} squares of {len(images)} photographs: {options.out}")


if __name__ == "__main__":
    main()
