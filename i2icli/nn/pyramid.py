"""The Laplacian pyramid and its resampling operations."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate

Interpolation = Literal["corners", "centres"]
"""What upsampling aligns: the corner pixels (align_corners), as Torch7's image library does, or the
borders of the image, as is common."""

Size = tuple[int, int]


class Level(NamedTuple):
    """One level of a pyramid, (B, C, H, W) each."""

    image: Tensor
    coarse: Tensor  # the image downsampled and upsampled again

    @property
    def residual(self) -> Tensor:
        """The high-frequency residual h = I - u(d(I)), Denton et al., NIPS 2015, Eq. (3)."""
        return self.image - self.coarse


def pyramid(
    images: Tensor, sizes: Sequence[Size], interpolation: Interpolation = "corners"
) -> tuple[Tensor, list[Level]]:
    """The coarsest image and the levels above it, coarse to fine.

    images: (B, C, H, W); sizes: (height, width) of all levels, coarsest first, the last that of the
    images. Upsampling and adding residuals, coarse to fine, reconstructs the images.
    Burt and Adelson, "The Laplacian Pyramid as a Compact Image Code", 1983; resampling as in
    Denton et al., NIPS 2015, https://arxiv.org/abs/1506.05751.
    """
    small, levels = images, []
    for size in reversed(sizes[:-1]):
        image, small = small, downsample(small, size)  # (B, C, h, w)
        levels.append(Level(image, upsample(small, _size(image), interpolation)))
    return small, levels[::-1]


def downsample(images: Tensor, size: Size) -> Tensor:
    """(B, C, H, W) -> (B, C, *size): area averaging with fractional pixels."""
    height, width = _size(images)
    if (height, width) == size:
        return images
    if (height, width) == (2 * size[0], 2 * size[1]):
        return avg_pool2d(images, 2)
    across, down = _areas(width, size[1]), _areas(height, size[0])
    images = images @ across.to(images).mT  # (B, C, H, w)
    return down.to(images) @ images  # (B, C, h, w)


def upsample(images: Tensor, size: Size, interpolation: Interpolation = "corners") -> Tensor:
    """(B, C, h, w) -> (B, C, *size): bilinear interpolation."""
    if _size(images) == size:
        return images
    return interpolate(images, size, mode="bilinear", align_corners=interpolation == "corners")


def resample(images: Tensor, size: Size) -> Tensor:
    """(B, C, H, W) -> (B, C, *size): width first, then height, each area-averaged or interpolated.

    As `image.scale` of Torch7.
    """
    height, width = _size(images)
    change = downsample if size[1] < width else upsample
    images = change(images, (height, size[1]))  # (B, C, H, w)
    change = downsample if size[0] < height else upsample
    return change(images, size)  # (B, C, h, w)


def _areas(side: int, target: int) -> Tensor:
    """(target, side): the weight of each pixel in each area; rows sum to 1."""
    edges = torch.arange(target + 1, dtype=torch.float64) * (side / target)
    pixels = torch.arange(side, dtype=torch.float64)
    start = torch.maximum(edges[:-1, None], pixels)  # (target, side)
    end = torch.minimum(edges[1:, None], pixels + 1)  # (target, side)
    return (end - start).clamp_min(0) * (target / side)


def _size(images: Tensor) -> Size:
    return images.shape[-2], images.shape[-1]
