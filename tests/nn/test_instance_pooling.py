"""Means over regions: exact, for each image, with gradients, and of shapes that no value decides."""

import torch
from torch import Tensor

from i2icli.nn.instance_pooling import pool_regions, region_indices


def by_loops(features: Tensor, ids: Tensor) -> Tensor:
    """Region by region, as one would write it down."""
    found = features.clone()
    for image in range(len(ids)):
        for number in torch.unique(ids[image]).tolist():
            here = ids[image, 0] == number
            found[image, :, here] = features[image, :, here].mean(1, keepdim=True)
    return found


def example() -> tuple[Tensor, Tensor]:
    """Features of two images that share some ids, of which one is enormous."""
    ids = torch.randint(0, 5, (2, 1, 12, 9))
    ids[ids == 4] = 26_003 * 2**32
    return torch.randn(2, 3, 12, 9, dtype=torch.float64), ids


def test_every_pixel_becomes_the_mean_of_its_region() -> None:
    features, ids = example()
    torch.testing.assert_close(pool_regions(features, ids), by_loops(features, ids))


def test_the_gradient_is_that_of_the_loop() -> None:
    features, ids = example()
    wanted = torch.randn_like(features)
    gradients = []
    for pool in (pool_regions, by_loops):
        given = features.clone().requires_grad_()
        (gradient,) = torch.autograd.grad((pool(given, ids) * wanted).sum(), given)
        gradients.append(gradient)
    torch.testing.assert_close(*gradients)


def test_low_precision_is_summed_in_full() -> None:
    features = torch.ones(1, 1, 100, 100, dtype=torch.bfloat16)  # a sum in bfloat16 would stop at 256
    ids = torch.zeros(1, 1, 100, 100, dtype=torch.int64)
    assert torch.equal(pool_regions(features, ids), features)


def test_regions_are_counted_from_zero_in_every_image() -> None:
    ids = torch.tensor([[[[7, 7, 9]]], [[[9, 3, 9]]]])
    assert region_indices(ids).tolist() == [[0, 0, 1], [1, 0, 1]]


def test_no_shape_depends_on_the_ids() -> None:
    features, ids = torch.empty(2, 3, 4, 4, device="meta"), torch.empty(2, 1, 4, 4, device="meta").long()
    assert pool_regions(features, ids).shape == features.shape
