"""Random translation: whole pixels, independent per image, differentiable."""

import torch

from i2icli.nn.random_shift import RandomShift


def marked(count: int) -> torch.Tensor:
    """(count, 1, 16, 24) of -1, with one white pixel in the middle."""
    images = -torch.ones(count, 1, 16, 24)
    images[:, :, 8, 12] = 1
    return images


def test_images_are_shifted_independently_within_the_limit() -> None:
    torch.manual_seed(0)
    moved = RandomShift(0.25)(marked(64))
    positions = (moved == 1).nonzero()  # (64, 4): one white pixel in each, unblurred
    assert positions[:, 0].tolist() == list(range(64))
    down, right = positions[:, 2] - 8, positions[:, 3] - 12
    assert down.abs().max() == 4, "a quarter of 16"
    assert right.abs().max() == 6, "a quarter of 24"
    assert len({tuple(place) for place in positions[:, 2:].tolist()}) > 20


def test_borders_are_replicated() -> None:
    torch.manual_seed(0)
    ramp = torch.arange(8.0).expand(4, 1, 8, 8)  # rises from left to right
    moved = RandomShift(0.5)(ramp)
    steps = moved.diff(dim=-1)
    assert torch.isin(steps, torch.tensor([0.0, 1.0])).all()
    assert (steps == 0).any()


def test_the_gradient_reaches_the_visible_pixels() -> None:
    torch.manual_seed(0)
    images = torch.rand(3, 2, 8, 8, requires_grad=True)
    RandomShift(0.25)(images).sum().backward()
    assert images.grad is not None
    assert images.grad.sum() == 3 * 2 * 64, "border pixels count as often as they are seen"


def test_fraction_zero_is_the_identity() -> None:
    images = torch.rand(2, 3, 8, 8)
    assert RandomShift(0.0)(images) is images
