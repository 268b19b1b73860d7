"""Pairs of a photograph in grey and in colour, for networks whose answers the detector is measured on.

    python -m benchmarks.detector.pairs lomiri day2night/trainA day2night/trainB --out pairs
    i2i train pix2pix pairs ...

The folders are those of `detector_default.py`: what is shown is known to the detector, the networks are not.
"""

import argparse
from pathlib import Path

import numpy as np
from PIL import Image

from i2icli.image.finding import find_images

SIZE = 160
LARGE = 1000  # pixels of a side: a smaller photograph gives but two pairs


def main() -> None:
    """Write train/A and train/B."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--out", type=Path, default=Path("pairs"))
    parser.add_argument("--parts", type=int, default=12, help="pairs from each large photograph")
    options = parser.parse_args()
    rng = np.random.default_rng(5)
    grey, colour = (options.out / "train" / side for side in "AB")
    grey.mkdir(parents=True)
    colour.mkdir()
    count = 0
    for file in (file for folder in options.folders for file in find_images(folder)):
        picture = Image.open(file).convert("RGB")
        large = max(picture.size) > LARGE
        for _ in range(options.parts if large else 2):
            factor = rng.uniform(0.15, 0.5) if large else rng.uniform(0.6, 0.9)
            box = (int(picture.width * factor), int(picture.height * factor))
            small = picture.resize(box, Image.Resampling.LANCZOS)
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
