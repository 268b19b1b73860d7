"""What a growing system generated as each of its resolutions was done, for later sheets."""

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from i2icli.stage import Stage
from i2icli.system import Batch, System

LARGEST = 256  # pixels: the longer side of a picture that is kept

History = dict[str, dict[str, Tensor]]
"""By name of stage, then of picture: (N, C, H, W) uint8, one for each example."""


def completes(stage: Stage, following: Stage | None) -> bool:
    """Whether the end of a stage is the end of its resolution, fully learned."""
    if stage.resolution is None or stage.fading:
        return False
    return following is None or following.resolution != stage.resolution


def made_by(system: System[Any], batches: Iterable[Batch]) -> dict[str, Tensor]:
    """What the system generates of the batches, by name: (N, C, H, W) uint8."""
    found: dict[str, list[Tensor]] = {}
    for batch in batches:
        for name, (made, _) in system.evaluate(batch).generated.items():
            found.setdefault(name, []).append(_stored(made))
    return {name: torch.cat(parts) for name, parts in found.items()}


def columns(kept: History, stages: Sequence[Stage], now: Stage, number: int) -> dict[str, Tensor]:
    """The pictures (C, H, W) in [-1, 1] of one example from all stages before this one, by name of column."""
    shown: dict[str, Tensor] = {}
    place = [stage.name for stage in stages].index(now.name)
    for stage in stages[:place]:
        for name, pictures in kept.get(stage.name, {}).items():
            if number < len(pictures):
                shown[f"{stage.name} {name}".strip() + ", done"] = pictures[number].float() / 127.5 - 1
    return shown


def _stored(images: Tensor) -> Tensor:
    """(B, C, H, W) in [-1, 1] -> (B, C, h, w) uint8, the longer side 256 at most, on the CPU."""
    images = images.detach().float().cpu()
    height, width = images.shape[-2:]
    factor = LARGEST / max(height, width)
    if factor < 1:
        size = [max(1, round(side * factor)) for side in (height, width)]
        images = interpolate(images, size=size, mode="bilinear", antialias=True)  # (B, C, h, w)
    return ((images.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)
