"""The perceptual loss: what it compares, how it weighs it, and what it leaves alone."""

import pytest
import torch
from torch import nn

from i2icli.losses.perceptual import PerceptualLoss


class Fake(nn.Module):
    """Two features: the image times 2 and its 2x2 means times 10; remembers the sizes that it saw."""

    def __init__(self):
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(2.0))
        self.seen = []

    def forward(self, images):
        self.seen.append(tuple(images.shape))
        return [self.factor * images, 10 * nn.functional.avg_pool2d(images, 2)]


@pytest.fixture
def images():
    fake, real = torch.rand(2, 2, 3, 8, 8) * 2 - 1
    return fake.requires_grad_(), real


def test_it_is_the_weighted_l1_distance_of_the_features(images):
    fake, real = images
    first = 2 * (fake - real).abs().mean()
    second = 10 * nn.functional.avg_pool2d(fake - real, 2).abs().mean()
    torch.testing.assert_close(PerceptualLoss(Fake(), (0.5, 0.25))(fake, real), first / 2 + second / 4)
    assert PerceptualLoss(Fake(), (0.5, 0.25))(real, real) == 0


def test_relative_features_do_not_count_more_for_being_larger(images):
    fake, real = images
    network = Fake()
    loss = PerceptualLoss(network, (1, 1), relative=True)
    before = loss(fake, real)
    network.factor.data *= 100
    torch.testing.assert_close(loss(fake, real), before)
    one_by_one = [loss(fake[i : i + 1], real[i : i + 1]) for i in range(2)]
    torch.testing.assert_close(torch.stack(one_by_one).mean(), before)
    assert loss(fake, torch.zeros_like(real)).isfinite()


def test_its_gradient_reaches_the_fake_alone(images):
    fake, real = images
    network = Fake().train()
    loss = PerceptualLoss(network, (1, 1))
    loss(fake, real.requires_grad_()).backward()
    assert fake.grad is not None
    assert fake.grad.abs().min() > 0
    assert real.grad is None
    assert network.factor.grad is None
    assert not network.training


def test_grey_images_are_repeated_and_small_ones_enlarged():
    network = Fake()
    loss = PerceptualLoss(network, (1, 1), mean=(4, 5, 6), std=(1, 2, 3), smallest_side=16)
    fake, real = torch.rand(2, 1, 1, 8, 12)
    colours = torch.tensor([1.0, 2.0, 3.0])[:, None, None]
    torch.testing.assert_close(loss(fake, real), loss(fake.repeat(1, 3, 1, 1), real.repeat(1, 3, 1, 1)))
    assert set(network.seen) == {(1, 3, 16, 24)}
    large = torch.rand(2, 1, 1, 16, 16)
    expected = 2 * ((large[0] - large[1]) / colours).abs().mean()
    torch.testing.assert_close(PerceptualLoss(Fake(), (1, 0), std=(1, 2, 3))(*large), expected)


def test_low_precision_is_summed_in_float32(images):
    fake, real = (image.detach().bfloat16() for image in images)
    network = Fake().bfloat16()
    found = PerceptualLoss(network, (1, 0)).bfloat16()(fake, real)
    assert found.dtype == torch.float32
    exact = (network.factor * fake - network.factor * real).abs().float().mean()
    assert found == pytest.approx(exact.item(), rel=1e-6)
