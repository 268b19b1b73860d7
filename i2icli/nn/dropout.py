"""Dropout as the noise of a generator."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

Planes = Sequence[Tensor]
"""Noise (1, C, H, W) in [0, 1) for each dropout of a network, in its order; empty where it draws its own."""


class NoiseDropout(nn.Module):
    """Dropout that stays on after training, as the only noise of pix2pix.

    Isola et al., "Image-to-Image Translation with Conditional Adversarial Networks", CVPR 2017,
    section 3.1. In training it is ordinary dropout. In evaluation one plane of noise is shared by all
    images of a batch, so that an image's output does not depend on its neighbours: the one that is
    given, or one that is drawn from torch's default generator.
    """

    def __init__(self, probability: float = 0.5) -> None:
        """probability: of a value being dropped, in [0, 1); 0 makes this layer the identity."""
        super().__init__()
        self.probability = probability

    def forward(self, x: Tensor, noise: Tensor | None = None) -> Tensor:
        """x: (B, C, H, W), noise: (1, C, H, W) in [0, 1). The shape of x comes back."""
        if self.probability == 0:
            return x
        if self.training:
            return functional.dropout(x, self.probability)
        if noise is None:
            noise = torch.rand(x.shape[1:], device=x.device)  # (C, H, W)
        keep = noise >= self.probability
        return x * (keep / (1 - self.probability)).to(x.dtype)

    def extra_repr(self) -> str:
        """What print(module) shows between the brackets."""
        return f"probability={self.probability}"
