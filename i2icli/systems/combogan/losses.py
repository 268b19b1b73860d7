"""ComboGAN's adversarial loss over predictions of several depths, and its blurred comparison."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, smooth_l1_loss

from i2icli.losses.adversarial import AdversarialLoss
from i2icli.losses.precision import at_least_float32


def generator_loss(gan: AdversarialLoss, fake: Sequence[Tensor]) -> Tensor:
    """fake: scores per depth of the generator's images. Deeper ones count more."""
    return _weighted([gan.generator(scores) for scores in fake])


def discriminator_loss(gan: AdversarialLoss, real: Sequence[Tensor], fake: Sequence[Tensor]) -> Tensor:
    """Scores per depth of real images and of fakes."""
    return _weighted([gan.discriminator(*both) for both in zip(real, fake, strict=True)])


def _weighted(losses: Sequence[Tensor]) -> Tensor:
    """Weights 1, 2, ..., k + 1 (no k), over their sum and their number, as in the authors' program."""
    weights = [*range(1, len(losses)), len(losses) + 1]
    parts = [weight * loss for weight, loss in zip(weights, losses, strict=True)]
    return torch.stack(parts).sum().div(sum(weights) * len(losses))


def distance(a: Tensor, b: Tensor) -> Tensor:
    """Smooth L1 of images or codes (B, C, H, W): squared below 1, absolute above."""
    return smooth_l1_loss(at_least_float32(a), at_least_float32(b))


def coarse_distance(a: Tensor, b: Tensor) -> Tensor:
    """The same at half size, so that details may differ."""
    return distance(avg_pool2d(a, 3, stride=2), avg_pool2d(b, 3, stride=2))
