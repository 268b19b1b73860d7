"""Instance norm whose scale and shift are computed from a latent code."""

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.functional import relu

from i2icli.nn.norm import normalised_in_steps


class ConditionalInstanceNorm(nn.Module):
    """Instance norm whose scale and shift, both at least zero, are computed from a latent code.

    Almahairi et al., ICML 2018, after Dumoulin et al., "A Learned Representation for
    Artistic Style", ICLR 2017, https://arxiv.org/abs/1610.07629. Epsilon 1e-5, unbiased variance.
    """

    def __init__(self, channels: int, num_latents: int) -> None:
        super().__init__()
        self.scale = nn.Conv2d(num_latents, channels, 1)
        self.shift = nn.Conv2d(num_latents, channels, 1)

    def forward(self, x: Tensor, code: Tensor) -> Tensor:
        """x: (B, C, H, W), code: (B, Z) -> the shape of x."""
        code = code[:, :, None, None]  # (B, Z, 1, 1)
        if torch.compiler.is_exporting():
            return normalised_in_steps(x, correction=1) * relu(self.scale(code)) + relu(self.shift(code))
        pixels = x.shape[2] * x.shape[3]
        # The fast operation uses the biased variance; the unbiased one is n / (n - 1) times as large.
        correction = max(pixels - 1, 1) / pixels
        scale = relu(self.scale(code)) * correction**0.5  # (B, C, 1, 1)
        return _normalised(x, scale.flatten(1), relu(self.shift(code)).flatten(1), 1e-5 * correction)


def _normalised(x: Tensor, scale: Tensor, shift: Tensor, epsilon: float) -> Tensor:
    """Instance norm of x (B, C, H, W) with a scale and shift (B, C) per image, fused into one operation."""
    if not x.is_contiguous():
        images = (
            functional.batch_norm(x[i : i + 1], None, None, scale[i], shift[i], True, eps=epsilon)
            for i in range(len(x))
        )
        return torch.cat(list(images))
    folded = x.view(1, -1, *x.shape[2:])  # (1, B C, H, W)
    normal = functional.group_norm(folded, folded.shape[1], scale.flatten(), shift.flatten(), epsilon)
    return normal.view_as(x)
