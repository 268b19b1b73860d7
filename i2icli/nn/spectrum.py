"""What frequencies pictures hold: the azimuthal average of their power spectrum."""

from math import hypot

import torch
from torch import Tensor

EPSILON = 1e-8  # added to the transform, so that its logarithm is finite
GREY = (0.2989, 0.5870, 0.1140)  # what red, green and blue add to brightness


def grey(images: Tensor) -> Tensor:
    """(B, C, H, W) -> brightness (B, H, W); other than three channels count alike."""
    if images.shape[1] != len(GREY):
        return images.mean(1)  # (B, H, W)
    return (images * images.new_tensor(GREY)[:, None, None]).sum(1)  # (B, H, W)


def log_spectrum(brightness: Tensor) -> Tensor:
    """(B, H, W) -> 20 ln|F|, (B, H, W), the zero frequency in the middle. Natural logarithm, not scaled.

    Durall et al., "Watch your Up-Convolution: CNN Based Generative Deep Neural Networks are Failing to
    Reproduce Spectral Distributions", CVPR 2020, https://arxiv.org/abs/2003.01826, section 3.1, and
    their code. At least float32.
    """
    if brightness.dtype in (torch.bfloat16, torch.float16):
        brightness = brightness.float()
    transform = torch.fft.fftshift(torch.fft.fft2(brightness), dim=(-2, -1))
    logarithm: Tensor = (transform + EPSILON).abs().log()
    return 20 * logarithm


def azimuthal_average(values: Tensor) -> Tensor:
    """(B, H, W) -> (B, R): means over rings of whole radii about the middle, from radius 1 outwards.

    The middle is that of the picture, ((W-1)/2, (H-1)/2): beside the zero frequency where a side is
    even. The innermost ring and the outermost are left out, as in the authors' code.
    """
    height, width = values.shape[-2:]
    y = torch.arange(height, device=values.device, dtype=torch.float64) - (height - 1) / 2
    x = torch.arange(width, device=values.device, dtype=torch.float64) - (width - 1) / 2
    ring = torch.hypot(y[:, None], x).long().flatten()  # (H W)
    number = int(hypot((height - 1) / 2, (width - 1) / 2)) + 1  # the corners are farthest out
    sums = values.new_zeros(values.shape[0], number).index_add(1, ring, values.flatten(1))  # (B, R)
    counts = values.new_zeros(number).index_add(0, ring, torch.ones_like(values[0]).flatten())  # (R,)
    return (sums / counts)[:, 1:-1]  # (B, R)


def spectral_profile(brightness: Tensor) -> Tensor:
    """(B, H, W) -> (B, R): the azimuthal average of the log spectrum. Differentiable.

    R depends on the size alone: 44 for 64x64, 88 for 128x128. The average is over logarithms.
    """
    return azimuthal_average(log_spectrum(brightness))


def spectral_distance(images: Tensor, truth: Tensor) -> Tensor:
    """(B, C, H, W) twice, of one size -> (B,): root mean square difference of their profiles.

    In the unit of `log_spectrum`: 20 ln, so that twice the amplitude at all frequencies makes 13.9.
    """
    difference = spectral_profile(grey(images)) - spectral_profile(grey(truth))  # (B, R)
    return difference.square().mean(1).sqrt()  # (B,)
