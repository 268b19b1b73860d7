"""Samples of a growing system at the end of each resolution, for later sample sheets."""

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from i2icli.stage import Stage
from i2icli.system import Batch, System

LARGEST = 256  # pixels: the longer side of a stored sample

History = dict[str, dict[str, Tensor]]
"""By stage name, then column name: (N, C, H, W) uint8, one per example."""


def ends_resolution(stage: Stage, following: Stage | None) -> bool:
    """Whether a stage is the last one of its resolution."""
    if stage.resolution is None or stage.fading:
        return False
    return following is None or following.resolution != stage.resolution


def generate_from(system: System[Any], batches: Iterable[Batch]) -> dict[str, Tensor]:
    """The images generated for the batches, by name: (N, C, H, W) uint8."""
    found: dict[str, list[Tensor]] = {}
    for batch in batches:
        for name, (generated, _) in system.evaluate(batch).generated.items():
            found.setdefault(name, []).append(_stored(generated))
    return {name: torch.cat(parts) for name, parts in found.items()}


def columns(history: History, stages: Sequence[Stage], now: Stage, number: int) -> dict[str, Tensor]:
    """The images (C, H, W) in [-1, 1] of one example from all earlier stages, by column name."""
    shown: dict[str, Tensor] = {}
    current = [stage.name for stage in stages].index(now.name)
    for stage in stages[:current]:
        for name, images in history.get(stage.name, {}).items():
            if number < len(images):
                shown[f"{stage.name} {name}".strip() + ", done"] = images[number].float() / 127.5 - 1
    return shown


def _stored(images: Tensor) -> Tensor:
    """(B, C, H, W) in [-1, 1] -> (B, C, h, w) uint8 on the CPU, the longer side at most 256."""
    images = images.detach().float().cpu()
    height, width = images.shape[-2:]
    factor = LARGEST / max(height, width)
    if factor < 1:
        size = [max(1, round(side * factor)) for side in (height, width)]
        images = interpolate(images, size=size, mode="bilinear", antialias=True)  # (B, C, h, w)
    return ((images.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)
