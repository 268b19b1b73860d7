"""Spectral regularisation: what a generator makes should hold the frequencies that real images hold."""

import torch
from torch import Tensor

from i2icli.nn.spectrum import grey, power_profile, spectral_profile, spread

LOWEST_LOG = -100.0  # of a probability of 0, as published
EDGE = 0.001  # least distance of a mean profile from 0 and 1
LEAST_POWER = 10.0  # range of a power profile, 10 ln: a factor of e; nothing but flat grey has less


def spectral_loss(fake: Tensor, real: Tensor, cut: float = 0.0) -> Tensor:
    """Cross-entropy between the profile of each fake and the mean profile of the real images, a scalar.

    Durall et al., "Watch your Up-Convolution", CVPR 2020, https://arxiv.org/abs/2003.01826, section 4.1; each
    profile is spread over [0, 1]. fake: (B, C, H, W), real: (N, C, H, W), alike in size. cut: the lowest
    frequencies left out, as a fraction of the profile, in [0, 1). At least float32.

    Its gradient goes through the transform into the fakes; the published program's has none. It is linear in
    the real profiles, so that the mean over a batch is as good, on average, as that over all data. Where a
    fake reaches exactly 0 or 1 (its lowest and highest ring) there is no gradient.
    """
    with torch.no_grad():
        target = spread(spectral_profile(grey(real))).mean(0)  # (R,)
    predicted = spread(spectral_profile(grey(fake)))  # (B, R)
    return _cross_entropy(predicted, target, cut)


def mean_spectral_loss(fake: Tensor, real: Tensor, cut: float = 0.0) -> Tensor:
    """Cross-entropy between the mean profile of the fakes and that of the real images, a scalar.

    Ours, not the paper's: as `spectral_loss`, but one profile for all fakes, of the mean power of each ring
    (`power_profile`). Its least value is reached where both means are alike, and images may differ as they
    like; the other is larger for real images than for fakes that all have their mean.
    """
    with torch.no_grad():
        target = _spread_power(real)  # (R,)
    return _cross_entropy(_spread_power(fake)[None], target, cut)


def _spread_power(images: Tensor) -> Tensor:
    """(B, C, H, W) -> (R,): the mean of their power profiles, spread over [EDGE, 1 - EDGE].

    Off 0 and 1, where the slope of cross-entropy is infinite.
    """
    return EDGE + (1 - 2 * EDGE) * spread(power_profile(grey(images)), LEAST_POWER).mean(0)


def _cross_entropy(predicted: Tensor, target: Tensor, cut: float) -> Tensor:
    """(B, R) and (R,), in [0, 1] -> a scalar, over the rings from a fraction `cut` on."""
    first = int(cut * len(target))
    target, predicted = target[first:], predicted[:, first:]
    return -(target * _log(predicted) + (1 - target) * _log(1 - predicted)).mean()


def _log(probability: Tensor) -> Tensor:
    """Logarithm, not below LOWEST_LOG; without gradient at 0, where its own would not be finite."""
    positive = probability > 0
    logarithm = torch.where(positive, probability, 1).log().clamp_min(LOWEST_LOG)
    return torch.where(positive, logarithm, LOWEST_LOG)
