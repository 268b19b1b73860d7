"""Feature matching: generated images should give a discriminator the features that real ones give it."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import l1_loss

from i2icli.losses.precision import at_least_float32

Features = Sequence[Sequence[Tensor]]
"""The maps of every discriminator of a multi-scale one, (B, C, h, w) each, the last of each its scores."""


def feature_matching(fake: Features, real: Features) -> Tensor:
    """L1 distance of all maps but the scores: their sum over the layers, averaged over the scales.

    Wang et al., "High-Resolution Image Synthesis and Semantic Manipulation with Conditional GANs", CVPR 2018,
    Eq. (4), https://arxiv.org/abs/1711.11585, where N_i is the size of a map. Real features are constants.
    A scalar, unweighted: SPADE weighs it with 10, pix2pixHD with 10 * 4 / (number of layers compared).
    """
    per_scale = [
        torch.stack([
            l1_loss(at_least_float32(mine), at_least_float32(theirs.detach()))
            for mine, theirs in zip(fakes[:-1], reals[:-1], strict=True)
        ]).sum()
        for fakes, reals in zip(fake, real, strict=True)
    ]  # fmt: skip
    return torch.stack(per_scale).mean()
