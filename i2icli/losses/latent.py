"""Losses on latent codes with Gaussian or Laplace distributions."""

import math

import torch
from torch import Tensor

from i2icli.losses.precision import at_least_float32


def kl_divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """mean, log_variance: (B, Z) -> (B,): KL divergence of that Gaussian from N(0, 1), in nats.

    Kingma and Welling, "Auto-Encoding Variational Bayes", ICLR 2014, appendix B,
    https://arxiv.org/abs/1312.6114.
    """
    mean, log_variance = at_least_float32(mean), at_least_float32(log_variance)
    return 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).sum(dim=1)


def gaussian_log_likelihood(code: Tensor, mean: Tensor, log_variance: Tensor) -> Tensor:
    """All (B, Z) -> (B, Z): log density of `code` under that Gaussian."""
    code, mean, log_variance = map(at_least_float32, (code, mean, log_variance))
    squared = (code - mean) ** 2 * torch.exp(-log_variance)
    return -0.5 * (math.log(2 * math.pi) + log_variance + squared)


def laplace_log_likelihood(code: Tensor, mean: Tensor, log_variance: Tensor) -> Tensor:
    """All (B, Z) -> (B, Z): log density of `code` under a Laplace distribution, scale e^(log_variance/2)."""
    code, mean, log_variance = map(at_least_float32, (code, mean, log_variance))
    log_scale = 0.5 * log_variance
    return -(math.log(2) + log_scale + (code - mean).abs() * torch.exp(-log_scale))
