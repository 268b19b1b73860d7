"""How the authors' PyTorch code numbers the layers of its generators, beside our names for them.

Names are prefixes: "model.4" stands for "model.4.weight", "model.4.bias" and so on. Layers without
weights take a number too (padding, ReLU, dropout), which is what makes the gaps.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Literal

from torch import Tensor


@dataclass(frozen=True)
class Layout:
    """A generator of the authors' code, as far as its keys tell."""

    generator: Literal["unet", "resnet"]
    size: int  # halvings of a U-Net, blocks of a ResNet
    dropout: bool  # whether the keys show dropout; those of a U-Net never do
    names: dict[str, str]  # their prefix -> ours


def find_layout(state: Mapping[str, Tensor]) -> Layout | None:
    """The layout that the keys of a state dict suggest, None if they look like neither generator."""
    if _has_kernel(state, "model.model.0.weight", 4):
        depth = _first_missing(state, lambda level: f"{_unet_level(level)}.1.weight", start=1)
        return Layout("unet", depth, False, unet_names(depth)) if depth >= 2 else None
    if _has_kernel(state, "model.1.weight", 7):
        num_blocks = _first_missing(state, lambda block: f"model.{10 + block}.conv_block.1.weight", start=0)
        dropout = "model.10.conv_block.5.weight" not in state
        return (
            Layout("resnet", num_blocks, dropout, resnet_names(num_blocks, dropout)) if num_blocks else None
        )
    return None


def unet_names(depth: int) -> dict[str, str]:
    """Prefixes of a U-Net of so many halvings; each level is nested in the one above."""
    names = {f"{_unet_level(0)}.0": "down.0.conv", f"{_unet_level(0)}.3": "head"}
    for level in range(1, depth):
        theirs, up = _unet_level(level), f"up.{depth - 1 - level}"
        innermost = level == depth - 1
        names[f"{theirs}.1"] = f"down.{level}.conv"
        names[f"{theirs}.{3 if innermost else 5}"] = f"{up}.conv"
        names[f"{theirs}.{4 if innermost else 6}"] = f"{up}.norm"
        if not innermost:
            names[f"{theirs}.2"] = f"down.{level}.norm"
    return names


def resnet_names(num_blocks: int, dropout: bool) -> dict[str, str]:
    """Prefixes of a ResNet of so many blocks; dropout takes a number inside each of them."""
    after = 10 + num_blocks  # number of the first layer behind the blocks
    names = {"model.1": "stem.conv", "model.2": "stem.norm", f"model.{after + 7}": "head"}
    for i in range(2):
        names |= {f"model.{4 + 3 * i}": f"down.{i}.conv", f"model.{5 + 3 * i}": f"down.{i}.norm"}
        names |= {f"model.{after + 3 * i}": f"up.{i}.conv", f"model.{after + 1 + 3 * i}": f"up.{i}.norm"}
    second = 6 if dropout else 5
    for block in range(num_blocks):
        theirs, ours = f"model.{10 + block}.conv_block", f"blocks.{block}"
        names |= {f"{theirs}.1": f"{ours}.first.conv", f"{theirs}.2": f"{ours}.first.norm"}
        names |= {
            f"{theirs}.{second}": f"{ours}.second.conv",
            f"{theirs}.{second + 1}": f"{ours}.second.norm",
        }
    return names


def _unet_level(level: int) -> str:
    """The prefix of a level of the U-Net, 0 at the image."""
    return "model.model" if level == 0 else "model.model.1.model" + ".3.model" * (level - 1)


def _has_kernel(state: Mapping[str, Tensor], name: str, side: int) -> bool:
    return name in state and state[name].shape[2:] == (side, side)


def _first_missing(state: Mapping[str, Tensor], key: Callable[[int], str], start: int) -> int:
    """The first index whose key the state lacks."""
    return next(index for index in count(start) if key(index) not in state)
