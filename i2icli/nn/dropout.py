"""Dropout as the noise of a generator."""

import torch
from torch import Tensor, nn
from torch.nn import functional


class NoiseDropout(nn.Module):
    """Dropout that stays on after training, as the only noise of pix2pix.

    Isola et al., "Image-to-Image Translation with Conditional Adversarial Networks", CVPR 2017,
    section 3.1. In training it is ordinary dropout. In evaluation one mask is drawn per call and
    shared by all images of the batch, so an image's answer does not depend on its neighbours;
    seeding torch's default generator before the call makes the answer repeatable.
    """

    def __init__(self, probability: float = 0.5) -> None:
        """probability: of a value being dropped, in [0, 1); 0 makes this layer the identity."""
        super().__init__()
        self.probability = probability

    def forward(self, x: Tensor) -> Tensor:
        """x: (B, C, H, W). The same shape comes back."""
        if self.probability == 0:
            return x
        if self.training:
            return functional.dropout(x, self.probability)
        keep = torch.rand(x.shape[1:], device=x.device) >= self.probability  # (C, H, W)
        return x * (keep / (1 - self.probability)).to(x.dtype)

    def extra_repr(self) -> str:
        """What print(module) shows between the brackets."""
        return f"probability={self.probability}"
