"""How often `i2i detect-fake` detects that an image was resized.

    python -m benchmarks.detector.resized PHOTOGRAPHS

Crops of 256 px of the original photographs, aligned to JPEG blocks, and the same resized. Photographs that
were already resized count as false alarms.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from benchmarks.detector.fakes import RESIZERS, Pixels, jpeg, resized
from benchmarks.lib.arguments import argument_parser
from benchmarks.lib.images import read_rgb
from i2icli.detector.view import View
from i2icli.image.finding import find_images

SIDE, EACH = 256, 4  # pixels of a part, parts of a photograph
FACTORS = (0.5, 0.75, 0.8, 0.9, 1.1, 1.25, 4 / 3, 1.5, 1.6, 1.7, 2.0, 2.3, 3.0)


def parts(path: Path, rng: np.random.Generator) -> list[Pixels]:
    """Random squares; none if the photograph is smaller."""
    pixels = read_rgb(path)
    spare = [(side - SIDE) // 8 for side in pixels.shape[:2]]
    if min(spare) < 0:
        return []
    corners = [
        (8 * int(rng.integers(spare[0] + 1)), 8 * int(rng.integers(spare[1] + 1))) for _ in range(EACH)
    ]
    return [np.ascontiguousarray(pixels[top : top + SIDE, left : left + SIDE]) for top, left in corners]


def detected(images: list[Pixels]) -> str:
    """The fraction that is detected as resized, unmodified and after JPEG."""
    counts = [
        100 * np.mean([View(each).resampling.detected for each in found])
        for found in (images, [jpeg(each, 90) for each in images])
    ]
    return f"{counts[0]:.0f} % (JPEG 90: {counts[1]:.0f} %)"


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the fractions for every factor and interpolation."""
    parser = argument_parser(__doc__, __spec__.name)
    parser.add_argument("folder", type=Path)
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    found = [part for path in find_images(parser.parse_args(arguments).folder) for part in parts(path, rng)]
    print(f"{len(found)} crops, not resized: {detected(found)}")
    for factor in FACTORS:
        side = min(SIDE, round(1.5 * SIDE / factor))  # results of at most 384 px
        smaller = [each[:side, :side] for each in found]
        shares = [
            f"{method.name.lower()} {detected([resized(each, factor, method) for each in smaller])}"
            for method in RESIZERS
        ]
        print(f"{factor:4.2f}x  " + "   ".join(shares), flush=True)


if __name__ == "__main__":
    main()
