"""What the generator is shown of a film: the maps of the last frames, and the frames that came before.

A memory holds both. Maps are kept as they were read (class indices, not planes), so that it stays small.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from i2icli.nn.label_maps import boundaries, one_hot
from i2icli.nn.multiscale import input_pyramid
from i2icli.system import Inputs, Memory
from i2icli.systems.vid2vid.config import Vid2VidConfig, frames_at

MAPS, BOUNDARIES = "maps", "boundaries"


class Source:
    """How a frame of the source becomes planes."""

    def __init__(self, config: Vid2VidConfig) -> None:
        self.labels = config.reads == "labels"
        self.classes = config.label_set.count if self.labels else 0
        self.boundaries = self.labels and config.boundaries
        self.foreground = config.foreground_indices
        self.before = config.num_frames - 1

    def of(self, inputs: Inputs) -> Inputs:
        """What a memory keeps of one frame's inputs: the map (B, C, H, W), and boundaries (B, 1, H, W)."""
        if not self.labels:
            return {MAPS: inputs["source"]}
        found = {MAPS: inputs["labels"]}
        if self.boundaries:
            found[BOUNDARIES] = boundaries(inputs.get("instances", inputs["labels"]))
        return found

    def planes(self, sources: Inputs, frames: int, dtype: torch.dtype) -> Tensor:
        """Of so many frames (B, frames * C, H, W), kept as `of` says: (B, frames * planes, H, W)."""
        if not self.labels:
            return sources[MAPS].to(dtype)
        found = []
        for frame in range(frames):
            found.append(one_hot(sources[MAPS][:, frame : frame + 1], self.classes, dtype))
            if self.boundaries:
                found.append(sources[BOUNDARIES][:, frame : frame + 1].to(dtype))
        return torch.cat(found, 1)

    def mask(self, source: Inputs, dtype: torch.dtype) -> Tensor | None:
        """(B, 1, H, W): 1 where a frame shows a class of the foreground; None if there is no such branch."""
        if not self.foreground:
            return None
        wanted = torch.tensor(self.foreground, device=source[MAPS].device)
        return (source[MAPS] == wanted[:, None, None]).any(1, keepdim=True).to(dtype)

    def window(self, source: Inputs, memory: Memory | None) -> Inputs:
        """A frame's source after those of the memory; after itself where there are none."""
        return {
            name: torch.cat([memory[name] if memory else value.repeat(1, self.before, 1, 1), value], 1)
            for name, value in source.items()
        }

    def remembered(self, window: Inputs) -> Inputs:
        """A window without its oldest frame: what the memory keeps for the next one."""
        return {
            name: value[:, value.shape[1] // (self.before + 1) :]  # (B, (N - 1) * C, H, W)
            for name, value in window.items()
        }


def previous_frames(memory: Memory, levels: int) -> list[Tensor]:
    """Those of so many scales, the finest first."""
    return [memory[frames_at(level)] for level in range(levels)]


def with_frames(frames: list[Tensor]) -> Memory:
    """The reverse of `previous_frames`."""
    return {frames_at(level): each for level, each in enumerate(frames)}


def no_frames(like: Tensor, channels: int, levels: int, dtype: torch.dtype) -> list[Tensor]:
    """Zeros in place of previous frames: (B, channels, H, W) of the sides of `like`, and halves of it."""
    batch, _, height, width = like.shape
    return [
        torch.zeros(batch, channels, height >> level, width >> level, dtype=dtype, device=like.device)
        for level in range(levels)
    ]


def given_frames(frame: Tensor, count: int, levels: int) -> list[Tensor]:
    """A frame (B, C, H, W) in place of all `count` previous ones, at every scale."""
    return [each.repeat(1, count, 1, 1) for each in input_pyramid(frame, levels)]


def newest(frames: Tensor, channels: int) -> Tensor:
    """(B, N * C, H, W) -> (B, C, H, W): the last one."""
    return frames[:, -channels:]


def mixed(own: Tensor, generated: Memory, given: Memory) -> Memory:
    """A memory whose rows are those of `generated` where `own` (B,) says so, else those of `given`."""
    return {
        name: torch.where(own[:, None, None, None], value, given[name].to(value.dtype))
        for name, value in generated.items()
    }


def detached(memory: Mapping[str, Tensor]) -> Memory:
    """The same without gradients."""
    return {name: value.detach() for name, value in memory.items()}
