"""Warping by flow, and where flow is believed."""

import numpy as np
import pytest

from i2icli.flow.confidence import agreeing, confident, warp_error
from i2icli.flow.teachers import teacher
from i2icli.flow.warp import resized_flow, warped
from tests.flow.scenes import moved, texture


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 7])
def test_warping_samples_at_x_plus_flow(channels: int):
    rng = np.random.default_rng(0)
    image = rng.random((20, 30, channels)).astype(np.float32)
    flow = (rng.random((20, 30, 2)) * 8 - 4).astype(np.float32)
    found = warped(image, flow)
    x = (np.arange(30) + flow[..., 0]).clip(0, 29)
    y = (np.arange(20)[:, None] + flow[..., 1]).clip(0, 19)
    left, top = np.floor(x).astype(int), np.floor(y).astype(int)
    right, bottom = np.minimum(left + 1, 29), np.minimum(top + 1, 19)
    a, b = (x - left)[..., None], (y - top)[..., None]
    above = image[top, left] * (1 - a) + image[top, right] * a
    below = image[bottom, left] * (1 - a) + image[bottom, right] * a
    assert np.abs(found - (above * (1 - b) + below * b)).max() < 1e-5


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_zero_flow_changes_nothing(dtype: str):
    image = (texture(16, 17).astype(np.float32) * 100).astype(dtype)
    for cubic in (False, True):
        found = warped(image, np.zeros((16, 17, 2), np.float32), cubic=cubic)
        assert found.dtype == image.dtype
        assert np.array_equal(found, image)


def test_sizes_have_to_agree():
    with pytest.raises(ValueError, match="flow of"):
        warped(texture(16, 16), np.zeros((8, 16, 2), np.float32))


def test_resized_flow_grows_with_the_sides():
    flow = np.broadcast_to(np.array([1.0, -2.0], np.float32), (10, 20, 2)).copy()
    found = resized_flow(flow, (30, 40))
    assert found.shape == (30, 40, 2)
    assert np.allclose(found, [2.0, -6.0])


def test_confidence_is_the_squared_error_over_channels():
    current, previous = np.full((8, 8, 3), 128, np.uint8), np.full((8, 8, 3), 128, np.uint8)
    still = np.zeros((8, 8, 2), np.float32)
    previous[0, 0] += 10  # 3 x (10 / 127.5)² = 0.0185
    previous[1, 1] += 11  # 3 x (11 / 127.5)² = 0.0223
    assert warp_error(current, previous, still)[0, 0] == pytest.approx(0.01845, abs=1e-4)
    mask = confident(current, previous, still)
    assert mask[0, 0]
    assert not mask[1, 1]


def test_what_comes_into_view_does_not_agree():
    background, square = texture(128, 160, 1), texture(64, 64, 2)
    previous, current = background.copy(), background.copy()
    previous[32:96, 40:104] = square
    current[32:96, 48:112] = square  # moved right by 8: columns 40 to 47 come into view
    dis = teacher("dis")
    mask = agreeing(dis(current, previous), dis(previous, current))
    assert mask[40:88, 56:104].mean() > 0.9
    assert mask[40:88, 41:47].mean() < 0.5
    assert mask[:24].mean() > 0.95


def test_flow_out_of_the_frame_does_not_agree():
    right = np.broadcast_to(np.array([5.0, 0.0], np.float32), (10, 20, 2)).copy()
    mask = agreeing(right, -right)
    assert mask[:, :15].all()
    assert not mask[:, 15:].any()


def test_a_moved_texture_is_confident_and_agrees():
    previous = texture(64, 64)
    current = moved(previous, 2.5, 1.0)
    dis = teacher("dis")
    flow, back = dis(current, previous), dis(previous, current)
    assert confident(current, previous, flow)[8:-8, 8:-8].mean() > 0.95
    assert agreeing(flow, back)[8:-8, 8:-8].mean() > 0.95
