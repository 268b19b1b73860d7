"""The pool of past fakes that CycleGAN shows its discriminators."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn


def draw_uniform() -> float:
    """A number in [0, 1) from torch's default generator."""
    return torch.rand(()).item()


def draw_slot(size: int) -> int:
    """An index below `size` from torch's default generator."""
    return int(torch.randint(size, ()).item())


class ImagePool(nn.Module):
    """Give back past fakes half of the time, so that D does not forget what G used to do.

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
        """size: images kept; 0 turns the pool off. `uniform` and `slot` supply the random draws."""
        super().__init__()
        self.size = size
        self.uniform = uniform
        self.slot = slot
        self.images: list[Tensor] = []  # (C, H, W) each

    def forward(self, images: Tensor) -> Tensor:
        """images: (B, C, H, W) new fakes -> (B, C, H, W), new or past ones, without gradient.

        Past images of another size are forgotten: a stage of growth shows larger ones than the one before.
        """
        if self.size == 0:
            return images.detach()
        if self.images and self.images[0].shape != images.shape[1:]:
            self.images.clear()
        return torch.stack([self._exchange(image) for image in images.detach()])

    def _exchange(self, image: Tensor) -> Tensor:
        """ImageCache while there is room (no draw is made); then swap with a past image half of the time."""
        if len(self.images) < self.size:
            self.images.append(image.clone())  # not a view that keeps its whole batch alive
            return image
        if self.uniform() <= 0.5:
            return image
        slot = self.slot(self.size)
        past, self.images[slot] = self.images[slot], image.clone()
        return past.to(image.device, image.dtype)

    def get_extra_state(self) -> dict[str, list[Tensor]]:
        """The stored images; tensors and lists only, so that tensors-only readers accept it."""
        return {"images": list(self.images)}

    def set_extra_state(self, state: Any) -> None:
        """Take up what `get_extra_state` gave."""
        self.images = list(state["images"])
