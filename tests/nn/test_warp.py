"""Images moved by optical flow."""

import pytest
import torch

from i2icli.nn.warp import warp


def test_whole_numbers_hit_pixels() -> None:
    image = torch.rand(2, 3, 6, 8)
    torch.testing.assert_close(warp(image, torch.zeros(2, 2, 6, 8)), image, atol=1e-5, rtol=0)
    right = torch.tensor([1.0, 0.0])[:, None, None].expand(2, 2, 6, 8)
    torch.testing.assert_close(warp(image, right)[..., :-1], image[..., 1:], atol=1e-5, rtol=0)
    down = torch.tensor([0.0, 2.0])[:, None, None].expand(2, 2, 6, 8)
    torch.testing.assert_close(warp(image, down)[:, :, :-2], image[:, :, 2:], atol=1e-5, rtol=0)


def test_beyond_the_border_is_the_border() -> None:
    image = torch.rand(1, 1, 4, 5)
    far = torch.full((1, 2, 4, 5), 100.0)
    torch.testing.assert_close(warp(image, far), image[..., -1:, -1:].expand_as(image))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_positions_are_counted_in_single_precision(dtype: torch.dtype) -> None:
    image = torch.arange(600.0).to(dtype).expand(1, 1, 2, 600)
    flow = torch.zeros(1, 2, 2, 600)
    flow[:, 0] = 0.25
    found = warp(image, flow.to(dtype))
    assert found.dtype == dtype
    assert torch.equal(found, warp(image.float(), flow).to(dtype))


def test_gradients_reach_image_and_flow() -> None:
    image, flow = (torch.rand(1, channels, 5, 5, requires_grad=True) for channels in (3, 2))
    warp(image, flow).square().sum().backward()
    assert image.grad is not None
    assert flow.grad is not None
    assert flow.grad.any()
