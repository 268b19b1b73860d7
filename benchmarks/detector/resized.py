"""How often does `i2i detect-fake` notice that a picture was resized?

    python -m benchmarks.detector.resized PHOTOGRAPHS

Parts of 256 px of photographs as they were found, on whole JPEG blocks, and the same resized. Photographs
that somebody else resized before cannot be told from false alarms here.
"""

import argparse
from pathlib import Path

import numpy as np
import torch

from benchmarks.detector.fakes import RESIZERS, Pixels, jpeg, resized
from i2icli.detector.resampling import detect_resampling
from i2icli.image import convert_channels, read_image
from i2icli.image.finding import find_images

SIDE, EACH = 256, 4  # pixels of a part, parts of a photograph
FACTORS = (0.5, 0.75, 0.8, 0.9, 1.1, 1.25, 4 / 3, 1.5, 1.6, 1.7, 2.0, 2.3, 3.0)


def parts(path: Path, rng: np.random.Generator) -> list[Pixels]:
    """Squares from anywhere; none of a smaller photograph."""
    pixels = convert_channels(read_image(path).pixels, 3)
    spare = [(side - SIDE) // 8 for side in pixels.shape[:2]]
    if min(spare) < 0:
        return []
    corners = [
        (8 * int(rng.integers(spare[0] + 1)), 8 * int(rng.integers(spare[1] + 1))) for _ in range(EACH)
    ]
    return [np.ascontiguousarray(pixels[top : top + SIDE, left : left + SIDE]) for top, left in corners]


def share(pictures: list[Pixels]) -> str:
    """How many of them are taken for resized, as they are and after JPEG."""
    counts = [
        100 * np.mean([detect_resampling(each).detected for each in found])
        for found in (pictures, [jpeg(each, 90) for each in pictures])
    ]
    return f"{counts[0]:.0f} % (JPEG 90: {counts[1]:.0f} %)"


def main() -> None:
    """Print shares, for every factor and interpolation, and after JPEG."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    found = [part for path in find_images(parser.parse_args().folder) for part in parts(path, rng)]
    print(f"{len(found)} parts as they are: {share(found)}")
    for factor in FACTORS:
        side = min(SIDE, round(1.5 * SIDE / factor))  # results of at most 384 px
        smaller = [each[:side, :side] for each in found]
        shares = [
            f"{method.name.lower()} {share([resized(each, factor, method) for each in smaller])}"
            for method in RESIZERS
        ]
        print(f"{factor:4.2f}x  " + "   ".join(shares), flush=True)


if __name__ == "__main__":
    main()
