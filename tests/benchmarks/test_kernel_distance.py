"""The kernel distance: nothing between halves of one set, more for other images."""

from dataclasses import replace

import pytest
import torch

from benchmarks.lib import kernel_distance as module
from benchmarks.lib.kernel_distance import KernelDistance, available, kernel_distance
from i2icli.backbones.catalogue import BACKBONES, Download
from tests.benchmarks.test_feature_distance import discs


def test_the_kernel_distance_of_points_on_a_line() -> None:
    x, y = torch.tensor([[0.0], [1.0]]), torch.tensor([[1.0], [2.0]])
    # within: (0 x 1 + 1)^3 and (1 x 2 + 1)^3; between: the mean of 1, 1, 8 and 27
    assert kernel_distance(x, y) == pytest.approx(1 + 27 - 2 * (1 + 1 + 8 + 27) / 4)


def test_images_of_another_kind_are_farther(tmp_path, monkeypatch) -> None:
    network = replace(BACKBONES["squeezenet"], published=Download("net-00.pth", "", 0))
    monkeypatch.setattr(module, "BACKBONES", {"squeezenet": network})
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    assert available() == []
    path = tmp_path / "hub" / "checkpoints" / "net-00.pth"
    path.parent.mkdir(parents=True)
    torch.save(network.build().state_dict(), path)
    assert available() == ["squeezenet"]
    real, same = KernelDistance("squeezenet", discs(40, 0)), discs(40, 1)
    noise = torch.rand(40, 3, 32, 32, generator=torch.Generator().manual_seed(2)) * 2 - 1
    assert abs(real.of(same)) < 0.1 * real.of(noise)
