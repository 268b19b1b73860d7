"""The distance of features, against numbers worked out by hand."""

import pytest
import torch

from i2icli.losses.feature_matching import feature_matching


def maps(*values: float) -> list[torch.Tensor]:
    return [torch.full((1, 2, 3, 3), float(value)) for value in values]


def test_layers_are_added_scales_averaged_and_scores_left_out() -> None:
    fake, real = [maps(1, 2, 99), maps(0, 0, 0)], [maps(0, 4, 0), maps(5, 0, 0)]
    assert feature_matching(fake, real).item() == pytest.approx(((1 + 2) + 5) / 2)


def test_real_features_are_constants() -> None:
    fake, real = maps(1)[0].requires_grad_(), maps(0)[0].requires_grad_()
    feature_matching([[fake, fake]], [[real, real]]).backward()
    assert fake.grad is not None
    assert real.grad is None


def test_means_are_not_taken_in_half_precision() -> None:
    half = [[each.bfloat16() for each in maps(1, 1)]]
    assert feature_matching(half, half).dtype == torch.float32
