"""vid2vid's losses on the frames of a clip.

Wang et al., "Video-to-Video Synthesis", NeurIPS 2018, section 3.2, https://arxiv.org/abs/1808.06601; the
weights are those of the authors' code.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from i2icli.losses.adversarial import AdversarialLoss
from i2icli.losses.feature_matching import Features
from i2icli.losses.flow import masked_l1
from i2icli.losses.multiscale import discriminator_loss, generator_loss, matching_loss
from i2icli.nn.warp import warp

LARGE_FLOW = 20.0  # pixels that a discriminator is shown as 1

Losses = dict[str, Tensor]


def triplets(times: Iterable[int], stride: int) -> list[list[int]]:
    """For each time the frames so far apart that end with it, the oldest first; none where some lack."""
    return [[time - 2 * stride, time - stride, time] for time in times if time >= 2 * stride]


def temporal_input(frames: Tensor, flows: Tensor) -> Tensor:
    """What a temporal discriminator sees: (B, 3, C, H, W) and (B, 2, 2, H, W) -> (B, 3 C + 4, H, W).

    flows: from the second frame to the first, and from the third to the second, in pixels.
    """
    return torch.cat([frames.flatten(1, 2), flows.flatten(1, 2) / LARGE_FLOW], 1)


@dataclass(frozen=True)
class Adversaries:
    """The losses of frames, or triplets of frames, that discriminators tell from real ones."""

    gan: AdversarialLoss
    matching_weight: float

    def of_generator(self, fakes: Iterable[Features], real: Features, name: str = "") -> Losses:
        """Every kind of fakes counts (blended and raw frames, section 3.2); `name` ends the names."""
        each = list(fakes)
        losses = {f"gan{name}": torch.stack([generator_loss(self.gan, fake) for fake in each]).sum()}
        if self.matching_weight:
            matching = torch.stack([matching_loss(fake, real) for fake in each]).sum()
            losses[f"matching{name}"] = self.matching_weight * matching
        return losses

    def of_discriminator(self, fakes: Iterable[Features], real: Features) -> Losses:
        """Against every kind of fakes."""
        each = [discriminator_loss(self.gan, real, fake) for fake in fakes]
        return {"gan": torch.stack(each).sum()}


@dataclass(frozen=True)
class Moved:
    """Frames that followed others, (B, ..., H, W) each, and what a teacher says of the real ones."""

    image: Tensor  # generated
    before: Tensor  # the frame that was remembered
    real: Tensor
    real_before: Tensor
    flow: Tensor | None  # of the generator
    weight: Tensor | None  # of the raw frame
    teacher: Tensor  # flow from each frame to the one before it
    confidence: Tensor  # (B, 1, H, W) in {0, 1}

    def losses(self, flow_weight: float, warp_weight: float, *, level: int, own_first: bool) -> Losses:
        """Eq. (7): the flow is the teacher's and moves real frames onto each other; and a generated frame is
        the one before it, moved (authors' code).

        level: local generators in use, whose flows have as many more pixels; own_first: clips begin with
        generated frames, where the weight of raw frames is held down (authors' code).
        """
        mask, losses = self.confidence, {}
        moved = warp(self.before.detach(), self.teacher)  # a target: frames follow those before them
        losses["warp"] = warp_weight * masked_l1(self.image, moved, mask)
        if self.flow is not None and self.weight is not None:
            losses["flow"] = flow_weight / 2**level * masked_l1(self.flow, self.teacher, mask)
            moved = warp(self.real_before, self.flow)
            losses["flow_warp"] = flow_weight * masked_l1(moved, self.real, mask)
            if own_first:
                losses["weight"] = masked_l1(self.weight, torch.zeros_like(mask), mask)
        return {name: loss for name, loss in losses.items() if _weighs(name, flow_weight, warp_weight)}


def _weighs(name: str, flow_weight: float, warp_weight: float) -> bool:
    weights: Mapping[str, float] = {"warp": warp_weight, "flow": flow_weight, "flow_warp": flow_weight}
    return weights.get(name, 1.0) > 0
