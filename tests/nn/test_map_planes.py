"""Planes of a label map made strip by strip are those of the whole map."""

import pytest
import torch

from i2icli.nn import map_planes
from i2icli.nn.map_planes import MapPlanes
from i2icli.nn.multiscale import half_size
from i2icli.nn.padding import ReflectConv2d

CLASSES = 5


def planes(height: int, width: int, *, edges: bool, features: int, dtype: torch.dtype) -> MapPlanes:
    """Of two maps in which some pixels are of no class."""
    return MapPlanes(
        torch.randint(CLASSES + 1, (2, 1, height, width)),
        CLASSES,
        torch.rand(2, 1, height, width) < 0.3 if edges else None,
        torch.randn(2, features, height, width) if features else None,
        dtype,
    )


@pytest.fixture(params=[20, 64, 10**6])
def strips(request, monkeypatch):
    """Strips of a row, of several rows, of all."""
    monkeypatch.setattr(map_planes, "STRIP", request.param)


kinds = pytest.mark.parametrize(
    ("edges", "features", "dtype"),
    [
        (True, 3, torch.float32),
        (False, 0, torch.float32),
        (True, 0, torch.float64),
        (False, 2, torch.float64),
    ],
)


@pytest.mark.usefixtures("strips")
@kinds
@pytest.mark.parametrize(("height", "width", "kernel"), [(16, 12, 7), (9, 21, 3), (4, 40, 7)])
def test_a_convolution_of_strips_is_that_of_the_whole(height, width, kernel, edges, features, dtype) -> None:
    given = planes(height, width, edges=edges, features=features, dtype=dtype)
    layer = ReflectConv2d(CLASSES + edges + features, 6, kernel, bias=edges).to(dtype)
    with torch.no_grad():
        torch.testing.assert_close(layer(given), layer(given.dense()))


@pytest.mark.usefixtures("strips")
@kinds
@pytest.mark.parametrize(("height", "width"), [(16, 12), (14, 30), (7, 9)])
def test_half_of_strips_is_half_of_the_whole(height, width, edges, features, dtype) -> None:
    given = planes(height, width, edges=edges, features=features, dtype=dtype)
    assert torch.equal(given.half_size(), half_size(given.dense()))


def test_it_keeps_the_memory_layout_of_the_weights() -> None:
    given = planes(8, 8, edges=True, features=0, dtype=torch.float32)
    layer = ReflectConv2d(CLASSES + 1, 6, 7)
    assert layer(given).is_contiguous()
    layer.to(memory_format=torch.channels_last)
    assert layer(given).is_contiguous(memory_format=torch.channels_last)
