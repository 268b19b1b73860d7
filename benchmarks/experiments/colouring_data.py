"""Write colourisation data for `i2i train augmented_cyclegan`: A is grey, or edges, B in colour.

    python -m benchmarks.experiments.colouring_data emoji64/train/twemoji emoji64/test/twemoji grey2colour
    python -m benchmarks.experiments.colouring_data shoes/train shoes/test edges2shoes --edges

File names are kept, so that equal names are pairs, for --supervised-fraction and for test scores.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from benchmarks.lib.arguments import argument_parser
from i2icli.image.finding import find_images


def edges(image: Image.Image) -> Image.Image:
    """Dark lines on white: the gradient magnitude of the slightly blurred image."""
    grey: NDArray[np.float32] = np.asarray(
        image.convert("L").filter(ImageFilter.GaussianBlur(0.6)), np.float32
    )
    padded = np.pad(grey, 1, mode="edge")
    down, across = padded[2:, 1:-1] - padded[:-2, 1:-1], padded[1:-1, 2:] - padded[1:-1, :-2]
    strength = np.clip(np.hypot(down, across) / 96, 0, 1)  # (H, W)
    return Image.fromarray((255 * (1 - strength)).astype(np.uint8))


def main(arguments: Sequence[str] | None = None) -> None:
    """Convert both folders."""
    parser = argument_parser(__doc__, __spec__.name)
    parser.add_argument("train", type=Path, help="folder of training images")
    parser.add_argument("test", type=Path, help="folder of test images")
    parser.add_argument("out", type=Path, help="folder for trainA, trainB, testA, testB")
    parser.add_argument("--edges", action="store_true", help="edges instead of grey in A")
    options = parser.parse_args(arguments)
    for split, folder in (("train", options.train), ("test", options.test)):
        found = find_images(folder)
        for path in found:
            image = Image.open(path).convert("RGB")
            plain = edges(image) if options.edges else image.convert("L")
            for side, written in (("A", plain), ("B", image)):
                target = options.out / f"{split}{side}" / path.relative_to(folder).with_suffix(".png")
                target.parent.mkdir(parents=True, exist_ok=True)
                written.save(target)
        print(f"{split}: {len(found)} images")


if __name__ == "__main__":
    main()
