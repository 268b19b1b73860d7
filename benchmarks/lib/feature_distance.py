"""The energy distance of random features between two sets of images.

A cheap stand-in for the Frechet Inception distance where no ground truth exists: Szekely and Rizzo, "Energy
statistics", Journal of Statistical Planning and Inference 143, 2013; unbiased, times 1000. Small is good; two
halves of one set are about 0 apart, a little above or below. The features are mean and standard deviation of
the channels of a small network at four scales, with random but fixed weights, as this toolkit comes with no
pretrained classifier. They capture colours, edges and textures, not content, so values are only comparable
for the same real images.
"""

from math import sqrt

import torch
from torch import Tensor, cdist
from torch.nn.functional import conv2d, leaky_relu

WIDTHS = (32, 64, 128, 128)  # channels at full size, half, a quarter, an eighth
BATCH = 32


def features(images: Tensor) -> Tensor:
    """(N, C, H, W) in [-1, 1], sides of 16 px or more -> (N, 704): deterministic, per image."""
    generator = torch.Generator().manual_seed(0)
    channels, kernels = images.shape[1], []
    for width in WIDTHS:
        kernels.append(torch.randn(width, channels, 3, 3, generator=generator) * sqrt(2 / (9 * channels)))
        channels = width
    found = []
    for batch in images.float().split(BATCH):
        hidden, numbers = batch, []
        for level, kernel in enumerate(kernels):
            hidden = leaky_relu(
                conv2d(hidden, kernel, stride=2 if level else 1, padding=1), 0.2
            )  # (B, c, h, w)
            numbers += [hidden.mean((2, 3)), hidden.std((2, 3))]  # (B, c) each
        found.append(torch.cat(numbers, 1))  # (B, 704)
    return torch.cat(found)


class RealFeatures:
    """Reference statistics of the features of real images."""

    def __init__(self, real: Tensor) -> None:
        """real: (N, C, H, W), N at least 2."""
        found = features(real)
        self.location, self.scale = found.mean(0), found.std(0).clamp_min(1e-6)
        self.normalised = (found - self.location) / self.scale

    def distance(self, images: Tensor) -> float:
        """Distance of (M, C, H, W), M at least 2, to the real images, times 1000."""
        other = (features(images) - self.location) / self.scale
        return 1000 * energy_distance(self.normalised, other)


def energy_distance(x: Tensor, y: Tensor) -> float:
    """Energy distance of point sets (N, D) and (M, D), divided by sqrt(D); unbiased, it may be negative."""

    def within(a: Tensor) -> Tensor:
        return cdist(a, a).sum() / (len(a) * (len(a) - 1))

    x, y = x.double(), y.double()
    return float(2 * cdist(x, y).mean() - within(x) - within(y)) / sqrt(x.shape[1])
