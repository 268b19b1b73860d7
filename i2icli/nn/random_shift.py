"""What a discriminator is shown: images moved about at random."""

import torch
from torch import Tensor, nn
from torch.nn.functional import pad


class RandomShift(nn.Module):
    """Move each image of a batch by itself, by whole pixels so that nothing is blurred.

    Zhao et al., "Differentiable Augmentation for Data-Efficient GAN Training", NeurIPS 2020, section 3
    (translation), https://arxiv.org/abs/2006.10738. Shown to the discriminator, real and made images
    alike, it keeps margins and positions from telling a look, and few images from being learned by heart.
    """

    def __init__(self, share: float) -> None:
        """share: how far at most, of the sides; at 0 nothing is done."""
        super().__init__()
        self.share = share

    def forward(self, images: Tensor) -> Tensor:
        """images: (B, C, H, W) -> the same shape; beyond the borders their colours go on."""
        height, width = images.shape[2:]
        down, right = int(self.share * height), int(self.share * width)
        if images.is_meta or not (down or right):
            return images
        framed = pad(images, (right, right, down, down), mode="replicate")  # (B, C, H + 2 down, W + 2 right)
        tops = torch.randint(2 * down + 1, (len(images),)).tolist()
        lefts = torch.randint(2 * right + 1, (len(images),)).tolist()
        cut = (
            image[:, top : top + height, left : left + width]
            for image, top, left in zip(framed, tops, lefts, strict=True)
        )
        return torch.stack(list(cut))  # (B, C, H, W)
