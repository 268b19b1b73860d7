"""The feature distance: small for images of one kind, larger for different ones."""

import pytest
import torch

from benchmarks.lib.feature_distance import RealFeatures, energy_distance, features


def discs(count: int, seed: int) -> torch.Tensor:
    """(N, 3, 32, 32): a disc of random colour and position on grey."""
    generator = torch.Generator().manual_seed(seed)
    middle, colour = (torch.rand(count, n, 1, 1, generator=generator) * 2 - 1 for n in (2, 3))
    line = torch.linspace(-1, 1, 32)
    inside = (line - middle[:, :1]).square() + (
        line[:, None] - middle[:, 1:]
    ).square() < 0.2  # (N, 1, 32, 32)
    return torch.where(inside, colour, torch.zeros(3, 1, 1))


def test_the_energy_distance_of_points_on_a_line() -> None:
    near, far = torch.tensor([[0.0], [2.0]]), torch.tensor([[10.0], [12.0]])
    # twice the mean distance between the sets, less the mean distance within each
    assert energy_distance(near, near + 1) == pytest.approx(2 * 1.5 - 2 - 2)
    assert energy_distance(near, far) == pytest.approx(2 * 10 - 2 - 2)


def test_features_do_not_depend_on_other_images() -> None:
    images = discs(40, 0)
    found = features(images)
    assert found.shape == (40, 704)
    torch.testing.assert_close(features(images[7:8]), found[7:8], rtol=1e-4, atol=1e-5)


def test_images_of_another_kind_are_farther() -> None:
    real, same = RealFeatures(discs(100, 0)), discs(60, 1)
    noise = torch.rand(60, 3, 32, 32, generator=torch.Generator().manual_seed(2)) * 2 - 1
    collapsed = same[:1].repeat(60, 1, 1, 1)
    near, one_repeated, other = (real.distance(images) for images in (same, collapsed, noise))
    assert abs(near) < 60
    assert one_repeated > 300
    assert other > 3000
