"""Clusters of the features of each class: the looks that a user chooses from (section 3.4)."""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from i2icli.nn.instance_pooling import region_indices

BLOCKS = 32  # as in the authors' code: a region counts if it fills half of one of so many parts of an image
RESTARTS = 4  # of k-means; the tightest clusters win
ITERATIONS = 100  # of k-means at most


@dataclass
class Samples:
    """Features of regions: one sample for each region of each image."""

    features: list[Tensor] = field(default_factory=list)  # (N, F) each
    classes: list[Tensor] = field(default_factory=list)  # (N,) each: indices
    large: list[Tensor] = field(default_factory=list)  # (N,) bool each

    def add(self, features: Tensor, labels: Tensor, regions: Tensor) -> None:
        """features: (B, F, H, W), not pooled; labels, regions: (B, 1, H, W), no region of two classes."""
        area = features.shape[-2] * features.shape[-1]
        rows = features.detach().double().flatten(2).transpose(1, 2).cpu()  # (B, H W, F)
        places, indices = region_indices(regions).cpu(), labels.flatten(1).cpu()  # (B, H W)
        for row, place, index in zip(rows, places, indices, strict=True):
            areas = torch.bincount(place)  # (N,)
            sums = torch.zeros(len(areas), row.shape[1], dtype=row.dtype).index_add(0, place, row)
            self.features.append(sums / areas[:, None])
            self.classes.append(torch.zeros_like(areas).scatter(0, place, index))
            self.large.append(areas > 0.5 * (area // BLOCKS))

    def of_class(self, index: int) -> Tensor:
        """The features (N, F) of the large regions of a class; of all where none is large."""
        if not self.features:
            return torch.zeros(0, 1)
        mine = torch.cat(self.classes) == index
        large = mine & torch.cat(self.large)
        return torch.cat(self.features)[large if large.any() else mine]


def k_means(points: Tensor, count: int) -> Tensor:
    """Centres (K, F) of points (N, F), those with the most points first; K <= count. Draws nothing at random.

    Lloyd, "Least Squares Quantization in PCM", 1982, begun as in Arthur and Vassilvitskii, "k-means++: The
    Advantages of Careful Seeding", SODA 2007. No more centres than there are different points.
    """
    different, sizes = torch.unique(points, dim=0, return_counts=True)
    if len(different) <= count:
        return _commonest_first(different, sizes)
    generator = torch.Generator().manual_seed(0)
    results = [_clustered(points, _first_centres(points, count, generator)) for _ in range(RESTARTS)]
    centres, nearest, _ = min(results, key=lambda result: result[2])
    return _commonest_first(centres, torch.bincount(nearest, minlength=len(centres)))


def _commonest_first(centres: Tensor, sizes: Tensor) -> Tensor:
    return centres[sizes.argsort(descending=True, stable=True)]


def _first_centres(points: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """Points far from each other: each is drawn by its squared distance to those before."""
    chosen = [int(torch.randint(len(points), (1,), generator=generator))]
    distances = (points - points[chosen[0]]).square().sum(1)  # (N,)
    while len(chosen) < count:
        chosen.append(int(torch.multinomial(distances, 1, generator=generator)))
        distances = distances.minimum((points - points[chosen[-1]]).square().sum(1))
    return points[chosen]  # (K, F)


def _clustered(points: Tensor, centres: Tensor) -> tuple[Tensor, Tensor, float]:
    """Centres after Lloyd's iterations, the nearest one of each point (N,), the sum of squared distances."""
    nearest = torch.full((len(points),), -1)
    for _ in range(ITERATIONS):
        distances, now = torch.cdist(points, centres).min(1)  # (N,)
        if torch.equal(now, nearest):
            break
        nearest = now
        sizes = torch.bincount(nearest, minlength=len(centres))[:, None]  # (K, 1)
        sums = torch.zeros_like(centres).index_add(0, nearest, points)
        centres = torch.where(sizes > 0, sums / sizes.clamp(min=1), centres)
    return centres, nearest, float(distances.square().sum())
