"""Patch and pixel discriminators."""

import pytest
import torch

from i2icli.nn.norm import Norm
from i2icli.nn.patchgan import PatchDiscriminator, PixelDiscriminator


@pytest.mark.parametrize(("num_layers", "field"), [(1, 16), (2, 34), (3, 70)])
def test_the_receptive_field_is_that_of_the_paper(num_layers: int, field: int) -> None:
    """The pixels that affect the central score form a square of the paper's size (70 for three layers)."""
    torch.manual_seed(0)
    D = PatchDiscriminator(1, width=2, num_layers=num_layers, norm="none")
    x = torch.randn(1, 1, 128, 128, requires_grad=True)
    scores = D(x)
    middle = scores.shape[-1] // 2
    scores[0, 0, middle, middle].backward()
    assert x.grad is not None
    touched = x.grad[0, 0].abs().sum(0).nonzero()
    assert touched.max() - touched.min() + 1 == field


@pytest.mark.parametrize("num_layers", [1, 2, 3, 5])
@pytest.mark.parametrize("norm", ["batch", "instance", "none"])
def test_scores_form_a_map(num_layers: int, norm: Norm) -> None:
    side = 3 * 2**num_layers
    D = PatchDiscriminator(6, width=1, num_layers=num_layers, norm=norm)
    assert D(torch.randn(1, 6, side, 2 * side)).shape == (1, 1, 1, 4)


def test_the_pixel_discriminator_sees_single_pixels() -> None:
    torch.manual_seed(0)
    D = PixelDiscriminator(2, width=3, norm="none")
    x = torch.randn(1, 2, 5, 7, requires_grad=True)
    scores = D(x)
    assert scores.shape == (1, 1, 5, 7)
    scores[0, 0, 2, 3].backward()
    assert x.grad is not None
    assert x.grad[0].abs().sum(0).nonzero().tolist() == [[2, 3]]
