"""Pairs of a photograph in grey and in colour, to train networks that the detector is evaluated on.

    python -m benchmarks.detector.pairs lomiri day2night/trainA day2night/trainB --out pairs
    i2i train pix2pix pairs ...

The folders are those of `benchmarks.detector.fit`: the detector knows the photographs, but not the networks.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.lib.arguments import argument_parser
from i2icli.image.finding import find_images

SIZE = 160
LARGE = 1000  # pixels: photographs with shorter sides give only two pairs


def main(arguments: Sequence[str] | None = None) -> None:
    """Write train/A and train/B."""
    parser = argument_parser(__doc__, __spec__.name)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--out", type=Path, default=Path("pairs"))
    parser.add_argument("--parts", type=int, default=12, help="pairs per large photograph")
    options = parser.parse_args(arguments)
    rng = np.random.default_rng(5)
    grey, colour = (options.out / "train" / side for side in "AB")
    grey.mkdir(parents=True)
    colour.mkdir()
    count = 0
    for file in (file for folder in options.folders for file in find_images(folder)):
        image = Image.open(file).convert("RGB")
        large = max(image.size) > LARGE
        for _ in range(options.parts if large else 2):
            factor = rng.uniform(0.15, 0.5) if large else rng.uniform(0.6, 0.9)
            box = (int(image.width * factor), int(image.height * factor))
            small = image.resize(box, Image.Resampling.LANCZOS)
            if min(small.size) < SIZE:
                continue
            left, top = rng.integers(0, small.width - SIZE + 1), rng.integers(0, small.height - SIZE + 1)
            part = small.crop((int(left), int(top), int(left) + SIZE, int(top) + SIZE))
            part.save(colour / f"{count:04d}.png")
            part.convert("L").convert("RGB").save(grey / f"{count:04d}.png")
            count += 1
    print(f"{count} pairs: {options.out}")


if __name__ == "__main__":
    main()
