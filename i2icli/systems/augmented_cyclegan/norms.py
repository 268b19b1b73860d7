"""Instance norms whose scale and shift are learned, or follow from a latent code."""

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.functional import relu

from i2icli.nn.norm import per_image


class AffineInstanceNorm(nn.Module):
    """Instance norm with a learned scale and shift per channel; scales start near zero, from N(0, 0.02).

    Ulyanov et al., 2016, https://arxiv.org/abs/1607.08022. Epsilon 1e-5, biased variance.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.zeros(channels))
        self.shift = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor, _code: Tensor | None = None) -> Tensor:
        """x: (B, C, H, W). The same shape comes back."""
        return per_image(x, self.scale, self.shift)


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
        """x: (B, C, H, W), code: (B, Z). The shape of x comes back."""
        pixels = x.shape[2] * x.shape[3]
        # The unbiased variance is n / (n - 1) times the biased one, which is what the fast operation takes.
        share = max(pixels - 1, 1) / pixels
        code = code[:, :, None, None]  # (B, Z, 1, 1)
        scale = relu(self.scale(code)) * share**0.5  # (B, C, 1, 1)
        return _normalised(x, scale.flatten(1), relu(self.shift(code)).flatten(1), 1e-5 * share)


def _normalised(x: Tensor, scale: Tensor, shift: Tensor, epsilon: float) -> Tensor:
    """Instance norm of x (B, C, H, W), then scaled and shifted by (B, C) numbers, all in one operation."""
    if not x.is_contiguous():
        images = (
            functional.batch_norm(x[i : i + 1], None, None, scale[i], shift[i], True, eps=epsilon)
            for i in range(len(x))
        )
        return torch.cat(list(images))
    as_one = x.view(1, -1, *x.shape[2:])  # (1, B C, H, W)
    normal = functional.group_norm(as_one, as_one.shape[1], scale.flatten(), shift.flatten(), epsilon)
    return normal.view_as(x)
