"""Feature distance of sets of images to real ones.

    python -m benchmarks.experiments.feature_distance REAL OTHER [OTHER ...]

REAL and OTHER are folders of images. The first half of REAL is compared with each OTHER and, as the best
that can be reached, with its second half. `benchmarks/lib/feature_distance.py` explains the distance.
"""

from collections.abc import Sequence
from pathlib import Path

import torch

from benchmarks.lib.arguments import argument_parser
from benchmarks.lib.feature_distance import RealFeatures
from benchmarks.lib.images import read_batch
from i2icli.image.finding import find_images


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the distances."""
    parser = argument_parser(__doc__, __spec__.name)
    parser.add_argument("real", type=Path)
    parser.add_argument("others", type=Path, nargs="+")
    parser.add_argument("--size", type=int, default=64, help="side in pixels that all images are resized to")
    parser.add_argument("--count", type=int, default=500, help="maximum number of images per set")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    paths = find_images(options.real)
    order = torch.randperm(len(paths), generator=torch.Generator().manual_seed(0)).tolist()
    count = min(options.count, len(paths) // 2)
    if count < 2:
        raise SystemExit(f"{options.real}: {len(paths)} images, expected 4 or more")
    real = RealFeatures(read_batch([paths[index] for index in order[:count]], options.size))
    second = read_batch([paths[index] for index in order[count : 2 * count]], options.size)
    print(f"energy distance of random features x 1000, to {count} images of {options.real}")
    print(f"{real.distance(second):10.1f}  its other half")
    for folder in options.others:
        print(f"{real.distance(read_batch(find_images(folder)[:count], options.size)):10.1f}  {folder}")


if __name__ == "__main__":
    main()
