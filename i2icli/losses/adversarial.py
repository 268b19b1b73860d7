"""Adversarial losses on discriminator scores (logits), averaged over all patches and images."""

from typing import Literal, Protocol

import torch
from torch import Tensor
from torch.nn.functional import mse_loss, relu, softplus

from i2icli.losses.precision import at_least_float32

GanLoss = Literal["vanilla", "lsgan", "wgangp", "hinge"]


class AdversarialLoss(Protocol):
    """The two sides of one adversarial loss. Scores may have any shape; losses are scalars, unweighted."""

    def generator(self, fake: Tensor) -> Tensor:
        """The generator's loss. fake: scores of generated images."""

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        """The discriminator's loss, the sum of the terms for real and generated images."""


class Vanilla:
    """Cross entropy of logits, in the generator's non-saturating form.

    Goodfellow et al., "Generative Adversarial Nets", NeurIPS 2014, Eq. (1) and section 3,
    https://arxiv.org/abs/1406.2661.
    """

    def generator(self, fake: Tensor) -> Tensor:
        """-log(sigmoid(fake)), as softplus(-fake)."""
        return softplus(-at_least_float32(fake)).mean()

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        """-log(sigmoid(real)) - log(1 - sigmoid(fake))."""
        return softplus(-at_least_float32(real)).mean() + softplus(at_least_float32(fake)).mean()


class LeastSquares:
    """Squared distance of scores to 1 (real) and 0 (fake).

    Mao et al., "Least Squares Generative Adversarial Networks", ICCV 2017, Eq. (9) without its
    factor 1/2, https://arxiv.org/abs/1611.04076.
    """

    def generator(self, fake: Tensor) -> Tensor:
        """(fake - 1)^2."""
        fake = at_least_float32(fake)
        return mse_loss(fake, torch.ones_like(fake))

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        """(real - 1)^2 + fake^2."""
        real, fake = at_least_float32(real), at_least_float32(fake)
        return mse_loss(real, torch.ones_like(real)) + mse_loss(fake, torch.zeros_like(fake))


class Wasserstein:
    """Difference of mean scores; D also needs `losses.penalty.gradient_penalty`.

    Arjovsky et al., "Wasserstein GAN", ICML 2017, Eq. (2) and (3), https://arxiv.org/abs/1701.07875.
    """

    def generator(self, fake: Tensor) -> Tensor:
        """-fake."""
        return -at_least_float32(fake).mean()

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        """fake - real."""
        return at_least_float32(fake).mean() - at_least_float32(real).mean()


class Hinge:
    """D's loss is zero for scores beyond 1 (real) and -1 (fake); G's is that of Wasserstein.

    Lim and Ye, "Geometric GAN", 2017, https://arxiv.org/abs/1705.02894; Miyato et al., "Spectral
    Normalization for Generative Adversarial Networks", ICLR 2018, Eq. (16) and (17).
    """

    def generator(self, fake: Tensor) -> Tensor:
        """-fake."""
        return -at_least_float32(fake).mean()

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        """max(0, 1 - real) + max(0, 1 + fake)."""
        return relu(1 - at_least_float32(real)).mean() + relu(1 + at_least_float32(fake)).mean()


ADVERSARIAL: dict[GanLoss, type[AdversarialLoss]] = {
    "vanilla": Vanilla,
    "lsgan": LeastSquares,
    "wgangp": Wasserstein,
    "hinge": Hinge,
}
"""The loss classes by their names in settings."""
