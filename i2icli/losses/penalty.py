"""Gradient penalties of discriminators."""

from collections.abc import Callable
from contextlib import nullcontext

import torch
from torch import Tensor

from i2icli.losses.precision import at_least_float32


def interpolate(real: Tensor, fake: Tensor, weights: Tensor | None = None) -> Tensor:
    """Points on the lines between real images and fakes, (B, C, H, W) each.

    weights: (B, 1) in [0, 1], of the real image; drawn per image from torch's default generator if
    None (one draw per batch would depend on how the batch is split over processes).
    """
    if weights is None:
        weights = torch.rand(len(real), 1, device=real.device, dtype=real.dtype)
    weights = weights[:, :, None, None]  # (B, 1, 1, 1)
    return weights * real + (1 - weights) * fake


def gradient_penalty(
    D: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor, weights: Tensor | None = None
) -> Tensor:
    """Mean of (|gradient of D between real and fake| - 1)^2, unweighted, at least float32.

    Gulrajani et al., "Improved Training of Wasserstein GANs", NeurIPS 2017, Eq. (3),
    https://arxiv.org/abs/1704.00028. The gradient is that of the sum of all patch scores.
    real, fake: (B, C, H, W); weights as in `interpolate`.
    """
    # Second derivatives are too imprecise in half precision, so autocast is disabled for this loss.
    kind = real.device.type
    with torch.autocast(kind, enabled=False) if torch.amp.is_autocast_available(kind) else nullcontext():
        points = interpolate(at_least_float32(real.detach()), at_least_float32(fake.detach()), weights)
        points.requires_grad_(True)
        (gradient,) = torch.autograd.grad(D(points).sum(), points, create_graph=True)
        # The small constant avoids the singular derivative of the square root at zero.
        norm: Tensor = torch.linalg.vector_norm(gradient.flatten(1) + 1e-16, dim=1)  # (B,)
        return ((norm - 1) ** 2).mean()
