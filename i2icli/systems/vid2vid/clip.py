"""A training clip and how a step walks through it."""

from collections.abc import Sequence

import torch
from torch import Tensor

from i2icli.system import Batch, Inputs
from i2icli.systems.vid2vid.config import temporal_stride

SOURCES = ("source", "labels", "instances")


class Clip:
    """A batch of clips: "frames" (B, T, C, H, W), what they are made of, and a teacher's flows.

    Those are "flow_n" (B, T, 2, H, W) and "confidence_n" (B, T, 1, H, W), from each frame to the n-th before.
    """

    def __init__(self, batch: Batch) -> None:
        self.batch = batch
        self.frames = batch["frames"]

    def __len__(self) -> int:
        return self.frames.shape[1]

    def inputs(self, time: int) -> Inputs:
        """What a frame is made of, (B, C, H, W) each."""
        return {name: self.batch[name][:, time] for name in SOURCES if name in self.batch}

    def real(self, times: Sequence[int]) -> Tensor:
        """Some frames one after the other, (n * B, C, H, W), those of a time together."""
        return self._at("frames", times)

    def flow(self, times: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Flows (n * B, 2, H, W) of some frames to those before, and confidences (n * B, 1, H, W)."""
        return self._at("flow_1", times), self._at("confidence_1", times)

    def flows_between(self, triplets: Sequence[Sequence[int]], scale: int) -> Tensor:
        """Of triplets of times the flows of the second to the first, and of the third to the second.

        (n * B, 2, 2, H, W); scale: that of the temporal discriminator, whose triplets these are.
        """
        flows = self.batch[f"flow_{temporal_stride(scale)}"]
        return torch.cat([flows[:, triplet[1:]] for triplet in triplets])

    def real_triplets(self, triplets: Sequence[Sequence[int]]) -> Tensor:
        """(n * B, 3, C, H, W)."""
        return torch.cat([self.frames[:, triplet] for triplet in triplets])

    def _at(self, name: str, times: Sequence[int]) -> Tensor:
        return torch.cat([self.batch[name][:, time] for time in times])


def groups(start: int, length: int, size: int) -> list[list[int]]:
    """The frames of a clip that are generated for one update each; the first takes frame 0 along.

    start: the first that is generated, 0 or 1. So there are as many updates either way.
    """
    found = [list(range(first, min(first + size, length))) for first in range(1, length, size)]
    if start == 0:
        found = [[0, *found[0]], *found[1:]] if found else [[0]]
    return found
