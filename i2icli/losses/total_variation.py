"""Total variation of images."""

from torch import Tensor

from i2icli.losses.precision import at_least_float32

_TINY = 1e-16  # avoids the singular derivative of the root at zero


def total_variation(images: Tensor, exponent: float = 1.0) -> Tensor:
    """Sum of (down^2 + across^2)^(exponent / 2) over the pixels that have both neighbours, mean over images.

    down, across: differences to the next pixel. images: (B, C, H, W). Mahendran and Vedaldi,
    "Understanding Deep Image Representations by Inverting Them", CVPR 2015, section 2.2,
    https://arxiv.org/abs/1412.0035.
    """
    images = at_least_float32(images)
    inner = images[:, :, :-1, :-1]  # (B, C, H - 1, W - 1)
    down = images[:, :, 1:, :-1] - inner
    across = images[:, :, :-1, 1:] - inner
    slope = (down.square() + across.square() + _TINY) ** (exponent / 2)
    return slope.sum(dim=(1, 2, 3)).mean()
