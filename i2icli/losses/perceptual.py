"""Perceptual loss: generated images should have the features of those they should show."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

RGB = tuple[float, float, float]
SMALLEST_MEAN = 1e-3  # of a real image's features, so that one without any does not divide by zero


class PerceptualLoss(nn.Module):
    """L1 distance of the features of a network that was trained on photographs, a scalar.

    Johnson et al., "Perceptual Losses for Real-Time Style Transfer and Super-Resolution", ECCV 2016,
    https://arxiv.org/abs/1603.08155; with L1 and several layers as in pix2pixHD (Wang et al., CVPR 2018,
    https://arxiv.org/abs/1711.11585, section 3.5) and SPADE. The sum over some layers of their weight times
    the mean absolute difference of their features.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        network: nn.Module,
        weights: Sequence[float],
        *,
        relative: bool = False,
        mean: RGB = (0.0, 0.0, 0.0),
        std: RGB = (1.0, 1.0, 1.0),
        smallest_side: int = 1,
        precise: bool = False,
    ) -> None:
        """network: (B, 3, H, W) -> one tensor (B, C, h, w) for each of `weights`. It is frozen here.

        relative: each difference is divided by the mean of the real image's features, so that networks
        whose features are larger do not count more. The network reads (image - mean) / std, of images in
        [-1, 1]; those with sides of less than `smallest_side` pixels are enlarged to it.
        precise: it is to be computed in float32 also where the rest of a run is not.
        """
        super().__init__()
        self.network = network.eval().requires_grad_(False)
        self.weights, self.relative = tuple(weights), relative
        self.smallest_side, self.precise = smallest_side, precise
        self.register_buffer("mean", torch.tensor(mean)[:, None, None])  # (3, 1, 1)
        self.register_buffer("std", torch.tensor(std)[:, None, None])  # (3, 1, 1)

    def forward(self, fake: Tensor, real: Tensor) -> Tensor:
        """Distance of images (B, C, H, W) in [-1, 1], C 1 or 3, to those they should be. At least float32."""
        with torch.no_grad():
            wanted = self.features(real)
        found = self.features(fake)
        terms = [
            weight * self._distance(*features)
            for weight, *features in zip(self.weights, found, wanted, strict=True)
        ]
        return torch.stack(terms).sum()

    def features(self, images: Tensor) -> list[Tensor]:
        """Of images (B, C, H, W) in [-1, 1]: (B, C', h, w) for each weight."""
        height, width = images.shape[-2:]
        if min(height, width) < self.smallest_side:
            factor = self.smallest_side / min(height, width)
            size = round(height * factor), round(width * factor)
            images = interpolate(images, size, mode="bilinear")  # (B, C, h, w)
        images = (images.expand(-1, 3, -1, -1) - self.mean) / self.std  # (B, 3, h, w)
        return self.network(images)  # type: ignore[no-any-return]

    def _distance(self, found: Tensor, wanted: Tensor) -> Tensor:
        """Mean of |found - wanted|, (B, C, h, w) each; `relative`: of each image, relative to `wanted`."""
        distance = _means((found - wanted).abs())  # (B,)
        if self.relative:
            distance = distance / _means(wanted.abs()).clamp_min(SMALLEST_MEAN)
        return distance.mean()


def _means(values: Tensor) -> Tensor:
    """(B, C, h, w) -> (B,), summed in float32 at least: 16 bits are too few."""
    return values.mean((1, 2, 3), dtype=torch.promote_types(values.dtype, torch.float32))
