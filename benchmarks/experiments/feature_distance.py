"""How far one set of images is from another.

    python -m benchmarks.experiments.feature_distance REAL OTHER [OTHER ...]

For pictures without a truth: the energy distance of their features (Szekely and Rizzo, "Energy statistics",
Journal of Statistical Planning and Inference 143, 2013; unbiased), times 1000. Small is good; two halves of
one set are about 0 apart, a little above or below. The features are mean and spread of the channels of a
small network at four scales; its weights are random and fixed, as no network that was trained to recognise
things comes with this toolkit. They tell colours, edges and textures; they do not know what a picture
shows. So this is no Frechet Inception distance, and values compare with each other only for the same REAL
pictures.

REAL and OTHER are folders of pictures; the first half of REAL is measured against each OTHER and, as the best
that can be reached, against its second half.
"""

import argparse
from collections.abc import Sequence
from math import sqrt
from pathlib import Path

import torch
from torch import Tensor, cdist
from torch.nn.functional import conv2d, leaky_relu

from i2icli.image import convert_channels, read_image, resize, to_tensor
from i2icli.image.finding import find_images

WIDTHS = (32, 64, 128, 128)  # channels at full size, half, a quarter, an eighth
BATCH = 32


def features(images: Tensor) -> Tensor:
    """(N, C, H, W) in [-1, 1], sides of 16 px or more -> (N, 704): the same for the same pictures, always."""
    generator = torch.Generator().manual_seed(0)
    channels, kernels = images.shape[1], []
    for width in WIDTHS:
        kernels.append(torch.randn(width, channels, 3, 3, generator=generator) * sqrt(2 / (9 * channels)))
        channels = width
    found = []
    for batch in images.float().split(BATCH):
        hidden, numbers = batch, []
        for place, kernel in enumerate(kernels):
            hidden = leaky_relu(
                conv2d(hidden, kernel, stride=2 if place else 1, padding=1), 0.2
            )  # (B, c, h, w)
            numbers += [hidden.mean((2, 3)), hidden.std((2, 3))]  # (B, c) each
        found.append(torch.cat(numbers, 1))  # (B, 704)
    return torch.cat(found)


class RealFeatures:
    """The features of real pictures, to measure others against."""

    def __init__(self, real: Tensor) -> None:
        """real: (N, C, H, W), N at least 2."""
        found = features(real)
        self.mean, self.spread = found.mean(0), found.std(0).clamp_min(1e-6)
        self.found = (found - self.mean) / self.spread

    def distance(self, images: Tensor) -> float:
        """Of (M, C, H, W), M at least 2, to the real ones, times 1000."""
        other = (features(images) - self.mean) / self.spread
        return 1000 * energy_distance(self.found, other)


def energy_distance(x: Tensor, y: Tensor) -> float:
    """Of two sets of points (N, D) and (M, D), divided by sqrt(D); unbiased: it may fall a little below 0."""

    def within(a: Tensor) -> Tensor:
        return cdist(a, a).sum() / (len(a) * (len(a) - 1))

    x, y = x.double(), y.double()
    return float(2 * cdist(x, y).mean() - within(x) - within(y)) / sqrt(x.shape[1])


def read(paths: Sequence[Path], side: int) -> Tensor:
    """Pictures as (N, 3, side, side)."""
    pixels = (convert_channels(read_image(path).pixels, 3) for path in paths)
    return torch.stack([to_tensor(resize(each, (side, side))) for each in pixels])


def main() -> None:
    """Print the distances."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("real", type=Path)
    parser.add_argument("others", type=Path, nargs="+")
    parser.add_argument("--size", type=int, default=64, help="pixels a side that all are brought to")
    parser.add_argument("--count", type=int, default=500, help="pictures of each kind, at most")
    options = parser.parse_args()
    torch.set_num_threads(1)
    paths = find_images(options.real)
    order = torch.randperm(len(paths), generator=torch.Generator().manual_seed(0)).tolist()
    count = min(options.count, len(paths) // 2)
    if count < 2:
        raise SystemExit(f"{options.real}: {len(paths)} pictures, expected 4 or more to measure one half by")
    real = RealFeatures(read([paths[place] for place in order[:count]], options.size))
    second = read([paths[place] for place in order[count : 2 * count]], options.size)
    print(f"energy distance of random features x 1000, to {count} pictures of {options.real}")
    print(f"{real.distance(second):10.1f}  its other half")
    for folder in options.others:
        print(f"{real.distance(read(find_images(folder)[:count], options.size)):10.1f}  {folder}")


if __name__ == "__main__":
    main()
