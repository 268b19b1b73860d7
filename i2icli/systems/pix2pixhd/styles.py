"""The styles of a model: clusters of features for each class, and how one is chosen for every pixel."""

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from i2icli.systems.pix2pixhd.clusters import Samples, k_means

GOLDEN = 0.6180339887498949  # multiples of it, modulo 1, lie far from each other


class Styles(nn.Module):
    """Clusters of every class, the commonest first, and how many there are: 0 for a class never seen.

    The last class is that of pixels without one.
    """

    clusters: Tensor  # (L, K, F)
    cluster_counts: Tensor  # (L,)

    def __init__(self, num_classes: int, num_clusters: int, num_features: int) -> None:
        super().__init__()
        self.register_buffer("clusters", torch.zeros(num_classes, num_clusters, num_features))
        self.register_buffer("cluster_counts", torch.zeros(num_classes, dtype=torch.int64))

    def fit(self, samples: Samples) -> None:
        """Replace all clusters by those of the samples."""
        self.clusters.zero_()
        for index in range(len(self.clusters)):
            centres = k_means(samples.of_class(index), self.clusters.shape[1])  # (K', F)
            self.cluster_counts[index] = len(centres)
            if len(centres):
                self.clusters[index, : len(centres)] = centres.to(self.clusters)

    def draw(self, labels: Tensor, latent: Tensor, instances: Tensor | None) -> Tensor:
        """The cluster (N, 1, H, W) of every pixel that latent codes (1 or N, Z) give to each class.

        labels, instances: (1 or N, 1, H, W). A code's number becomes one in (0, 1) by the distribution
        function of the normal, and that a cluster. Instances of a class differ: by their ids alone, so that
        those that stay keep their look when others are removed.
        """
        shares = torch.special.ndtr(latent.float()).double()  # (N, Z); runtimes know erf of float32 alone
        shares = pad(shares, (0, len(self.clusters) - shares.shape[1]), value=0.5)  # (N, L)
        count = max(latent.shape[0], labels.shape[0])  # len would fix it in an export
        shares, rows = shares.expand(count, -1), labels.expand(count, -1, -1, -1)  # (N, L), (N, 1, H, W)
        found = shares.gather(1, rows.flatten(1)).view(rows.shape)
        if instances is not None:
            found = (found + GOLDEN * instances) % 1
        counts = self.cluster_counts[rows]
        return (found * counts).long().minimum(counts - 1).clamp(min=0)

    def features(self, labels: Tensor, numbers: Tensor) -> Tensor:
        """labels: (1 or N, 1, H, W), clusters of the pixels: (N, 1, H, W) -> features (N, F, H, W)."""
        found = self.clusters[labels.expand_as(numbers), numbers]  # (N, 1, H, W, F)
        return found.squeeze(1).movedim(-1, 1)
