"""Losses on what discriminators make of images at several scales: the output of every layer, scores last.

Wang et al., "High-Resolution Image Synthesis and Semantic Manipulation with Conditional GANs", CVPR 2018,
https://arxiv.org/abs/1711.11585; vid2vid (NeurIPS 2018) has the same.
"""

import torch
from torch import Tensor

from i2icli.losses.adversarial import AdversarialLoss
from i2icli.losses.feature_matching import Features, feature_matching


def generator_loss(gan: AdversarialLoss, fake: Features) -> Tensor:
    """The sum of the generator's loss over the scales, Eq. (3)."""
    return torch.stack([gan.generator(layers[-1]) for layers in fake]).sum()


def discriminator_loss(gan: AdversarialLoss, real: Features, fake: Features) -> Tensor:
    """Half the sum of the discriminators' losses, Eq. (3): half as in the authors' code."""
    each = [gan.discriminator(theirs[-1], mine[-1]) for theirs, mine in zip(real, fake, strict=True)]
    return 0.5 * torch.stack(each).sum()


def matching_loss(fake: Features, real: Features) -> Tensor:
    """Feature matching, Eq. (4), times 4 over the number of layers as in the authors' code."""
    return 4 / (len(fake[0]) - 1) * feature_matching(fake, real)
