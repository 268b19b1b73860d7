"""Clusters of the features of each class: the looks that a user chooses from (section 3.4)."""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from i2icli.nn.instance_pooling import region_indices

BLOCKS = 32  # as in the authors' code: a region counts if it fills half of one of so many parts of an image
RESTARTS = 4  # of k-means; the tightest clusters win
ITERATIONS = 100  # of k-means


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
    """Centres (K, F) of points (N, F), those with the most points first; K <= count. Always the same.

    Begun as in Arthur and Vassilvitskii, "k-means++: The Advantages of Careful Seeding", SODA 2007. No more
    centres than there are different points.
    """
    different, sizes = torch.unique(points, dim=0, return_counts=True)
    if len(different) <= count:
        return _commonest_first(different, sizes)
    from scipy.cluster.vq import kmeans2  # only at the end of a training

    values, results = points.numpy(), []
    for seed in range(RESTARTS):
        centres, nearest = kmeans2(values, count, ITERATIONS, minit="++", rng=seed)
        results.append((float(((values - centres[nearest]) ** 2).sum()), centres, nearest))
    _, centres, nearest = min(results, key=lambda result: result[0])
    sizes = torch.from_numpy(nearest).long().bincount(minlength=count)
    return _commonest_first(torch.from_numpy(centres)[sizes > 0], sizes[sizes > 0])


def _commonest_first(centres: Tensor, sizes: Tensor) -> Tensor:
    return centres[sizes.argsort(descending=True, stable=True)]
