"""The kernel distance of two sets of images: how far features of a network trained on photographs differ.

Binkowski et al., "Demystifying MMD GANs", ICLR 2018, https://arxiv.org/abs/1801.01401: the squared maximum
mean discrepancy with the kernel (x . y / D + 1)^3, times 1000; unbiased, so it may be negative. Small is
good. The features are the deepest of one of the toolkit's backbones, averaged over the image, divided by the
root mean square of those of the real images. Values of different backbones, and those of other programs,
cannot be compared.
"""

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from i2icli.backbones.catalogue import BACKBONES
from i2icli.backbones.weights import find_weights, read_weights
from i2icli.errors import UserError

BATCH = 32
SIDE = 128  # pixels that images are resized to: the deepest features of smaller ones are a few pixels


def available() -> list[str]:
    """The backbones whose weights are on this machine."""
    found: list[str] = []
    for name, backbone in BACKBONES.items():
        try:
            found += [name] if find_weights(backbone) else []
        except UserError:  # its package is not installed
            continue
    return found


class KernelDistance:
    """The kernel distance of images to real ones, by one backbone."""

    def __init__(self, name: str, real: Tensor) -> None:
        """real: (N, C, H, W) in [-1, 1], N at least 2."""
        backbone = BACKBONES[name]
        path = find_weights(backbone)
        assert path is not None, f"{name}: no weights here"
        self.loss = backbone.loss(read_weights(backbone, path)[0])
        found = self._features(real)
        self.scale = found.square().mean().sqrt()
        self.real = found / self.scale

    def of(self, images: Tensor) -> float:
        """Of (M, C, H, W), M at least 2."""
        return 1000 * kernel_distance(self.real, self._features(images) / self.scale)

    @torch.no_grad()
    def _features(self, images: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, D)."""
        found = []
        for batch in images.float().split(BATCH):
            resized = interpolate(batch, (SIDE, SIDE), mode="bilinear", antialias=True)
            found.append(self.loss.features(resized)[-1].mean((2, 3)))  # (B, D)
        return torch.cat(found)


def kernel_distance(x: Tensor, y: Tensor) -> float:
    """Of features (N, D) and (M, D), unbiased."""
    x, y = x.double(), y.double()

    def kernel(a: Tensor, b: Tensor) -> Tensor:
        return (a @ b.T / x.shape[1] + 1) ** 3  # (N, M)

    def within(a: Tensor) -> Tensor:
        similar = kernel(a, a)
        return (similar.sum() - similar.diagonal().sum()) / (len(a) * (len(a) - 1))

    return float(within(x) + within(y) - 2 * kernel(x, y).mean())
