"""Spectral regularisation: generated images should have the spectral profile of real images."""

import torch
from torch import Tensor

from i2icli.nn.spectrum import grey, min_max_normalise, power_profile, spectral_profile

MIN_LOG = -100.0  # log of a probability of 0, as published
MARGIN = 0.001  # minimum distance of a mean profile from 0 and 1
MIN_POWER_RANGE = 10.0  # of a power profile, 10 ln: a factor of e; only uniform images have less


def spectral_loss(fake: Tensor, real: Tensor, cut: float = 0.0) -> Tensor:
    """Cross-entropy between the profile of each fake and the mean profile of the real images, a scalar.

    Durall et al., "Watch your Up-Convolution", CVPR 2020, https://arxiv.org/abs/2003.01826, section 4.1; each
    profile is normalised to [0, 1]. fake: (B, C, H, W), real: (N, C, H, W), of one size. cut: fraction of the
    profile, in [0, 1), that is ignored from the lowest frequency on. At least float32.

    Its gradient flows through the transform into the fakes; in the published code it does not. The loss is
    linear in the real profiles, so the mean of a batch is an unbiased estimate of that of all data. At
    exactly 0 or 1 (the lowest and highest ring of a fake) the gradient is zero.
    """
    with torch.no_grad():
        target = min_max_normalise(spectral_profile(grey(real))).mean(0)  # (R,)
    predicted = min_max_normalise(spectral_profile(grey(fake)))  # (B, R)
    return _cross_entropy(predicted, target, cut)


def mean_spectral_loss(fake: Tensor, real: Tensor, cut: float = 0.0) -> Tensor:
    """Cross-entropy between the mean profile of the fakes and that of the real images, a scalar.

    Ours, not the paper's: as `spectral_loss`, but with one profile for all fakes, of the mean power of each
    ring (`power_profile`). Its minimum is reached when both means are equal, whatever the variation between
    images; `spectral_loss` is larger for real images than for fakes that all have the mean profile.
    """
    with torch.no_grad():
        target = _mean_power_profile(real)  # (R,)
    return _cross_entropy(_mean_power_profile(fake)[None], target, cut)


def _mean_power_profile(images: Tensor) -> Tensor:
    """(B, C, H, W) -> (R,): the mean power profile, normalised to [MARGIN, 1 - MARGIN].

    The slope of cross-entropy is infinite at 0 and 1.
    """
    return MARGIN + (1 - 2 * MARGIN) * min_max_normalise(power_profile(grey(images)), MIN_POWER_RANGE).mean(0)


def _cross_entropy(predicted: Tensor, target: Tensor, cut: float) -> Tensor:
    """(B, R) and (R,), in [0, 1] -> a scalar, over the rings above a fraction `cut`."""
    first = int(cut * len(target))
    target, predicted = target[first:], predicted[:, first:]
    return -(target * _log(predicted) + (1 - target) * _log(1 - predicted)).mean()


def _log(probability: Tensor) -> Tensor:
    """Logarithm, clamped to MIN_LOG; the gradient at 0 is zero instead of infinite."""
    positive = probability > 0
    logarithm = torch.where(positive, probability, 1).log().clamp_min(MIN_LOG)
    return torch.where(positive, logarithm, MIN_LOG)
