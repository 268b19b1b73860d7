"""The history of generated images for CycleGAN's discriminators."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn


def draw_uniform() -> float:
    """A uniform number in [0, 1) from torch's default generator."""
    return torch.rand(()).item()


def draw_slot(size: int) -> int:
    """An index below `size` from torch's default generator."""
    return int(torch.randint(size, ()).item())


class ImagePool(nn.Module):
    """Return past fakes half of the time, so that D does not forget earlier outputs of G.

    Shrivastava et al., "Learning from Simulated and Unsupervised Images through Adversarial
    Training", CVPR 2017, section 2.3, https://arxiv.org/abs/1612.07828; 50 images in CycleGAN,
    section 4. The images are part of `state_dict()`, so a resumed run sees the same pool.
    """

    def __init__(
        self,
        size: int,
        uniform: Callable[[], float] = draw_uniform,
        slot: Callable[[int], int] = draw_slot,
    ) -> None:
        """size: number of stored images; 0 disables the pool. uniform, slot: the random draws."""
        super().__init__()
        self.size = size
        self.uniform = uniform
        self.slot = slot
        self.images: list[Tensor] = []  # (C, H, W) each

    def forward(self, images: Tensor) -> Tensor:
        """images: (B, C, H, W) new fakes -> (B, C, H, W) new or past fakes, detached.

        Stored images of another size are dropped, as in progressive growing.
        """
        if self.size == 0:
            return images.detach()
        if self.images and self.images[0].shape != images.shape[1:]:
            self.images.clear()
        return torch.stack([self._exchange(image) for image in images.detach()])

    def _exchange(self, image: Tensor) -> Tensor:
        """Fill the pool first (without a random draw); then swap with a past image half of the time."""
        if len(self.images) < self.size:
            self.images.append(image.clone())  # a view would keep the whole batch alive
            return image
        if self.uniform() <= 0.5:
            return image
        slot = self.slot(self.size)
        past, self.images[slot] = self.images[slot], image.clone()
        return past.to(image.device, image.dtype)

    def get_extra_state(self) -> dict[str, list[Tensor]]:
        """The stored images, as tensors and lists only, which weights-only loading accepts."""
        return {"images": list(self.images)}

    def set_extra_state(self, state: Any) -> None:
        """Restore the images of `get_extra_state`."""
        self.images = list(state["images"])
