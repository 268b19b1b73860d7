"""The drift penalty, which keeps the scores of a Wasserstein critic near zero."""

from torch import Tensor

from i2icli.losses.precision import at_least_float32


def drift(real: Tensor) -> Tensor:
    """Mean of the squared scores of real images, unweighted; real: any shape.

    Karras et al., "Progressive Growing of GANs", ICLR 2018, appendix A.1, https://arxiv.org/abs/1710.10196.
    """
    return at_least_float32(real).square().mean()
