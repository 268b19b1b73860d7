"""Losses on flow."""

import torch

from i2icli.losses.flow import masked_l1


def test_what_is_not_sure_counts_as_equal() -> None:
    found, wanted = torch.ones(1, 2, 2, 2), torch.zeros(1, 2, 2, 2)
    mask = torch.tensor([[[[1.0, 0.0], [0.0, 0.0]]]])
    assert masked_l1(found, wanted, mask) == 0.25  # over all pixels, not over the sure one
    assert masked_l1(found, wanted, torch.zeros_like(mask)) == 0
    assert masked_l1(found.bfloat16(), wanted, mask).dtype == torch.float32
