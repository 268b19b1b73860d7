"""Feature matching: generated images shall look to the discriminators as real ones do."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import l1_loss

from i2icli.losses.precision import at_least_float32


def feature_matching(fake: Sequence[Sequence[Tensor]], real: Sequence[Sequence[Tensor]]) -> Tensor:
    """Mean over scales of the L1 distances between the layers of discriminators, scores left out.

    Wang et al., "High-Resolution Image Synthesis and Semantic Manipulation with Conditional GANs", CVPR 2018,
    Eq. (4), https://arxiv.org/abs/1711.11585. fake, real: the output of every layer, scores last, by scale.
    No gradient reaches the real ones.
    """
    distances = [
        l1_loss(at_least_float32(mine), at_least_float32(theirs.detach()))
        for scale_fake, scale_real in zip(fake, real, strict=True)
        for mine, theirs in zip(scale_fake[:-1], scale_real[:-1], strict=True)
    ]
    return torch.stack(distances).sum() / len(fake)
