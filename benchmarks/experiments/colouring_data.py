"""Write a folder for `i2i train augmented_cyclegan` from coloured pictures: A is grey, or edges, B in colour.

    python -m benchmarks.experiments.colouring_data emoji64/train/twemoji emoji64/test/twemoji grey2colour
    python -m benchmarks.experiments.colouring_data shoes/train shoes/test edges2shoes --edges

Names are kept: equal names are pairs, for --supervised-fraction and for scores on test pictures.
"""

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from i2icli.image.finding import find_images


def edges(picture: Image.Image) -> Image.Image:
    """Dark lines on white where brightness changes: the length of its gradient, a little sharpened."""
    grey: NDArray[np.float32] = np.asarray(
        picture.convert("L").filter(ImageFilter.GaussianBlur(0.6)), np.float32
    )
    framed = np.pad(grey, 1, mode="edge")
    down, across = framed[2:, 1:-1] - framed[:-2, 1:-1], framed[1:-1, 2:] - framed[1:-1, :-2]
    strength = np.clip(np.hypot(down, across) / 96, 0, 1)  # (H, W)
    return Image.fromarray((255 * (1 - strength)).astype(np.uint8))


def main() -> None:
    """Read, turn, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("train", type=Path, help="folder of coloured pictures to learn from")
    parser.add_argument("test", type=Path, help="folder of others")
    parser.add_argument("out", type=Path, help="folder to write trainA trainB testA testB into")
    parser.add_argument("--edges", action="store_true", help="A shows edges instead of grey")
    options = parser.parse_args()
    for split, folder in (("train", options.train), ("test", options.test)):
        found = find_images(folder)
        for path in found:
            picture = Image.open(path).convert("RGB")
            plain = edges(picture) if options.edges else picture.convert("L")
            for side, image in (("A", plain), ("B", picture)):
                target = options.out / f"{split}{side}" / path.relative_to(folder).with_suffix(".png")
                target.parent.mkdir(parents=True, exist_ok=True)
                image.save(target)
        print(f"{split}: {len(found)} pictures")


if __name__ == "__main__":
    main()
