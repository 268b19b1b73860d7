"""Random translation of discriminator inputs."""

import torch
from torch import Tensor, nn
from torch.nn.functional import pad


class RandomShift(nn.Module):
    """Translate each image of a batch independently, by whole pixels, which avoids blur.

    Zhao et al., "Differentiable Augmentation for Data-Efficient GAN Training", NeurIPS 2020, section 3
    (translation), https://arxiv.org/abs/2006.10738. Applied to real and generated images, it keeps the
    discriminator from using margins and positions, and from memorising small training sets.
    """

    def __init__(self, fraction: float) -> None:
        """fraction: maximum shift relative to the sides; 0 disables it."""
        super().__init__()
        self.fraction = fraction

    def forward(self, images: Tensor) -> Tensor:
        """images: (B, C, H, W) -> the same shape; borders are replicated."""
        height, width = images.shape[2:]
        down, right = int(self.fraction * height), int(self.fraction * width)
        if images.is_meta or not (down or right):
            return images
        padded = pad(images, (right, right, down, down), mode="replicate")  # (B, C, H + 2 down, W + 2 right)
        tops = torch.randint(2 * down + 1, (len(images),)).tolist()
        lefts = torch.randint(2 * right + 1, (len(images),)).tolist()
        shifted = (
            image[:, top : top + height, left : left + width]
            for image, top, left in zip(padded, tops, lefts, strict=True)
        )
        return torch.stack(list(shifted))  # (B, C, H, W)
