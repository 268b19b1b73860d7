"""Adversarial losses and the gradient penalty, against numbers worked out by hand."""

import math

import pytest
import torch
from torch import Tensor

from i2icli.losses.adversarial import ADVERSARIAL, GanLoss
from i2icli.losses.penalty import gradient_penalty, interpolate

REAL, FAKE = torch.tensor([2.0, 0.0]), torch.tensor([-3.0, 1.0])


def softplus(x: float) -> float:
    return math.log(1 + math.exp(x))


@pytest.mark.parametrize(
    ("name", "generator", "discriminator"),
    [
        (
            "vanilla",
            (softplus(3) + softplus(-1)) / 2,
            (softplus(-2) + softplus(0)) / 2 + (softplus(-3) + softplus(1)) / 2,
        ),
        ("lsgan", (16 + 0) / 2, (1 + 1) / 2 + (9 + 1) / 2),
        ("wgangp", 1.0, -1.0 - 1.0),
        ("hinge", 1.0, (0 + 1) / 2 + (0 + 2) / 2),
    ],
)
def test_values(name: GanLoss, generator: float, discriminator: float) -> None:
    loss = ADVERSARIAL[name]()
    assert loss.generator(FAKE).item() == pytest.approx(generator)
    assert loss.discriminator(REAL, FAKE).item() == pytest.approx(discriminator)


@pytest.mark.parametrize("name", ADVERSARIAL)
@pytest.mark.parametrize(
    ("given", "computed"),
    [(torch.bfloat16, torch.float32), (torch.float16, torch.float32), (torch.float64, torch.float64)],
)
def test_means_are_not_taken_in_half_precision(
    name: GanLoss, given: torch.dtype, computed: torch.dtype
) -> None:
    loss = ADVERSARIAL[name]()
    assert loss.generator(FAKE.to(given)).dtype == computed
    assert loss.discriminator(REAL.to(given), FAKE.to(given)).dtype == computed


@pytest.mark.parametrize("name", ADVERSARIAL)
def test_extreme_scores_stay_finite(name: GanLoss) -> None:
    loss = ADVERSARIAL[name]()
    scores = torch.tensor([1e4, -1e4])
    assert loss.generator(scores).isfinite()
    assert loss.discriminator(scores, scores).isfinite()


def linear(x: Tensor) -> Tensor:
    """A critic whose gradient has norm 3 everywhere (a plane of 1x3x1x1 images)."""
    return x @ torch.ones(1, 1) * math.sqrt(3)


def test_penalty_of_a_linear_critic() -> None:
    real, fake = torch.randn(4, 3, 1, 1), torch.randn(4, 3, 1, 1)
    assert gradient_penalty(linear, real, fake).item() == pytest.approx((3 - 1) ** 2, rel=1e-5)


def test_penalty_of_a_critic_without_gradient_can_be_differentiated() -> None:
    scale = torch.zeros((), requires_grad=True)
    penalty = gradient_penalty(lambda x: scale * x, torch.randn(2, 1, 2, 2), torch.randn(2, 1, 2, 2))
    penalty.backward()
    assert penalty.item() == pytest.approx(1)
    assert scale.grad is not None
    assert scale.grad.isfinite()


def test_penalty_leaves_half_precision() -> None:
    conv = torch.nn.Conv2d(3, 1, 3)
    real, fake = torch.randn(2, 3, 8, 8), torch.randn(2, 3, 8, 8)
    weights = torch.rand(2, 1)
    exact = gradient_penalty(conv, real, fake, weights)
    with torch.autocast("cpu", torch.bfloat16):
        penalty = gradient_penalty(conv, real, fake, weights)
    assert penalty.dtype == torch.float32
    assert torch.equal(penalty, exact)


def test_every_image_has_its_own_point_between_real_and_fake() -> None:
    torch.manual_seed(0)
    points = interpolate(torch.ones(5, 1, 2, 2), torch.zeros(5, 1, 2, 2))
    assert len(points.unique()) == 5
    assert points.min() >= 0
    assert points.max() <= 1
