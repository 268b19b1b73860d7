"""Regions of faces, translated by networks of their own and blended back."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from i2icli.face import Box, Points, blank, points_in, region_box, region_mask
from i2icli.systems.paired_cyclegan.networks import DeltaGenerator


def blend_regions(
    generators: nn.ModuleDict, size: int, faces: Sequence[Tensor], image: Tensor, *reference: Tensor
) -> Tensor:
    """(B, C, H, W) in [-1, 1], and perhaps a reference for each -> the same shape, regions changed.

    faces: the landmarks (B or 1, N, 2) in the images and in the references. Each region is cut out, resized
    to `size` pixels, given to its generator, and the change it outputs is added where the region's mask
    is, which fades at its borders.
    """
    results = []
    for index in range(len(image)):
        together = [each[index : index + 1] for each in (image, *reference)]  # (1, C, H, W) each
        points = [face[index % len(face)].cpu().numpy() for face in faces]
        result = together[0]
        for region, generator in generators.items():
            assert isinstance(generator, DeltaGenerator)
            cuts = [_cut(each, face, region, size) for each, face in zip(together, points, strict=True)]
            result = _added(result, generator.delta(*cuts), points[0], region)
        results.append(result.clamp(-1, 1))
    return torch.cat(results)  # (B, C, H, W)


def _cut(image: Tensor, face: Points, region: str, size: int) -> Tensor:
    """(1, C, H, W) -> (1, C, size, size): the region's box, grey where other regions lie."""
    box = region_box(face, region, (image.shape[-2], image.shape[-1]))
    square = interpolate(_inside(image, box).float(), size=(size, size), mode="bilinear", antialias=True)
    hidden = torch.from_numpy(blank(points_in(face, box, (size, size)), region, (size, size)))  # (size, size)
    return square.masked_fill(hidden.to(image.device), 0).to(image.dtype)


def _added(image: Tensor, delta: Tensor, face: Points, region: str) -> Tensor:
    """The image (1, C, H, W) with a region's change (1, C, size, size) blended in."""
    box = region_box(face, region, (image.shape[-2], image.shape[-1]))
    size = (box.height, box.width)
    mask = torch.from_numpy(region_mask(points_in(face, box, size), region, size)).to(image.device)  # (h, w)
    change = interpolate(delta.float(), size=size, mode="bilinear", antialias=True) * mask  # (1, C, h, w)
    result = image.float().clone()
    _inside(result, box).add_(change)
    return result.to(image.dtype)


def _inside(image: Tensor, box: Box) -> Tensor:
    """The part of (1, C, H, W) in a box, a view: (1, C, h, w)."""
    return image[:, :, box.top : box.top + box.height, box.left : box.left + box.width]
