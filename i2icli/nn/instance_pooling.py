"""Means over the regions of a map of ids."""

import torch
from torch import Tensor


def region_indices(ids: Tensor) -> Tensor:
    """ids: (B, 1, H, W) whole numbers -> (B, H W): in every image the rank of its id among those it has.

    Ranks come from sorting, not from a list of the ids, so that no shape depends on the values and the
    operation can be exported.
    """
    ordered, places = ids.flatten(1).sort(dim=1)  # (B, H W)
    steps = torch.zeros_like(ordered)
    steps[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    return torch.zeros_like(ordered).scatter(1, places, steps.cumsum(1))


def pool_regions(features: Tensor, ids: Tensor) -> Tensor:
    """Every pixel becomes the mean of its region: the pixels of its image with its id.

    Wang et al., "High-Resolution Image Synthesis and Semantic Manipulation with Conditional GANs", CVPR 2018,
    section 3.4, https://arxiv.org/abs/1711.11585. features: (B, C, H, W), ids: (B, 1, H, W) -> the shape and
    the type of the features; sums are at least float32.
    """
    precise = torch.promote_types(features.dtype, torch.float32)
    rows = features.to(precise).flatten(2)  # (B, C, H W)
    regions = region_indices(ids)[:, None]  # (B, 1, H W)
    sums = torch.zeros_like(rows).scatter_add(2, regions.expand_as(rows), rows)  # of region k at k
    ones = torch.ones_like(rows[:, :1])
    areas = torch.zeros_like(ones).scatter_add(2, regions, ones)  # (B, 1, H W)
    means = sums / areas.clamp(min=1)
    return means.gather(2, regions.expand_as(rows)).view_as(features).to(features.dtype)
