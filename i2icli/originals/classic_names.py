"""How programs number or name the layers of pix2pix's and CycleGAN's networks, beside our names for them.

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
    """A generator of one of these programs, as far as its keys tell."""

    generator: Literal["unet", "resnet"]
    size: int  # halvings of a U-Net, blocks of a ResNet
    dropout: bool  # whether the keys show dropout; those of a U-Net never do
    names: dict[str, str]  # their prefix -> ours
    upsampling: Literal["transposed", "nearest"] = "transposed"
    down_padding: Literal["zeros", "reflect"] = "zeros"

    def theirs(self, ours: str) -> str:
        """Their name for a layer of ours."""
        return next(theirs for theirs, each in self.names.items() if each == ours)


def find_layout(state: Mapping[str, Tensor]) -> Layout | None:
    """The layout that the keys of a state dict suggest, None if they look like no such generator."""
    if _has_kernel(state, "model.model.0.weight", 4):
        depth = _first_missing(state, lambda level: f"{_unet_level(level)}.1.weight", start=1)
        return Layout("unet", depth, False, unet_names(depth)) if depth >= 2 else None
    if _has_kernel(state, "model.1.weight", 7):
        return _numbered(state)
    return _named(state) if _has_kernel(state, "initial.0.weight", 7) else None


# -- the authors' code, and forks that number their layers -----------------------------------------


def _numbered(state: Mapping[str, Tensor]) -> Layout | None:
    """The authors' ResNet ("conv_block"), and those whose blocks or doublings are other ones."""
    block = next((name for name in ("conv_block", "block") if f"model.10.{name}.1.weight" in state), None)
    if block is None:
        return None
    num_blocks = _first_missing(state, lambda number: f"model.{10 + number}.{block}.1.weight", start=0)
    dropout = f"model.10.{block}.5.weight" not in state
    resized = f"model.{10 + num_blocks}.weight" not in state  # a layer that resizes has no weights
    names = resnet_names(num_blocks, dropout, block=block, resized=resized)
    return Layout("resnet", num_blocks, dropout, names, "nearest" if resized else "transposed")


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


def resnet_names(
    num_blocks: int, dropout: bool, *, block: str = "conv_block", resized: bool = False
) -> dict[str, str]:
    """Prefixes of a ResNet of so many blocks; dropout takes a number inside each of them.

    block: what the layers of a residual block are called; resized: features are resized, then convolved,
    which takes a number more than a transposed convolution.
    """
    after, step = 10 + num_blocks, 4 if resized else 3  # number of the first layer behind the blocks
    names = {"model.1": "stem.conv", "model.2": "stem.norm", f"model.{after + 2 * step + 1}": "head"}
    for i in range(2):
        up = after + step * i + resized
        names |= {f"model.{4 + 3 * i}": f"down.{i}.conv", f"model.{5 + 3 * i}": f"down.{i}.norm"}
        names |= {f"model.{up}": f"up.{i}.conv", f"model.{up + 1}": f"up.{i}.norm"}
    second = 6 if dropout else 5
    for number in range(num_blocks):
        theirs, ours = f"model.{10 + number}.{block}", f"blocks.{number}"
        names |= {f"{theirs}.1": f"{ours}.first.conv", f"{theirs}.2": f"{ours}.first.norm"}
        names |= {
            f"{theirs}.{second}": f"{ours}.second.conv",
            f"{theirs}.{second + 1}": f"{ours}.second.norm",
        }
    return names


# -- a widely used tutorial's, which gives its layers names ----------------------------------------


def _named(state: Mapping[str, Tensor]) -> Layout | None:
    """initial, down_blocks, res_blocks (or residual_blocks), up_blocks, last; it reflects all borders."""
    for blocks in ("res_blocks", "residual_blocks"):
        num_blocks = _first_missing(state, _first_of(blocks), start=0)
        if num_blocks:
            names = named_names(num_blocks, blocks)
            return Layout("resnet", num_blocks, False, names, down_padding="reflect")
    return None


def _first_of(blocks: str) -> Callable[[int], str]:
    """The name of the first weight in each residual block."""
    return lambda number: f"{blocks}.{number}.block.0.conv.0.weight"


def named_names(num_blocks: int, blocks: str = "res_blocks") -> dict[str, str]:
    """Prefixes of such a ResNet. blocks: what its residual blocks are called."""
    names = {"initial.0": "stem.conv", "initial.1": "stem.norm", "last": "head"}
    for i in range(2):
        names |= {f"{way}_blocks.{i}.conv.0": f"{way}.{i}.conv" for way in ("down", "up")}
        names |= {f"{way}_blocks.{i}.conv.1": f"{way}.{i}.norm" for way in ("down", "up")}
    for number in range(num_blocks):
        for place, ours in enumerate(("first", "second")):
            layer = f"{blocks}.{number}.block.{place}.conv"
            names |= {
                f"{layer}.0": f"blocks.{number}.{ours}.conv",
                f"{layer}.1": f"blocks.{number}.{ours}.norm",
            }
    return names


def patch_names(num_layers: int) -> dict[str, str]:
    """Prefixes of a patch discriminator."""
    names = {"model.0": "stem", f"model.{3 * num_layers + 2}": "head"}
    for layer in range(num_layers):
        names[f"model.{3 * layer + 2}"] = f"layers.{layer}.conv"
        names[f"model.{3 * layer + 3}"] = f"layers.{layer}.norm"
    return names


PIXEL_NAMES = {"net.0": "stem", "net.2": "layer.conv", "net.3": "layer.norm", "net.5": "head"}
"""Prefixes of a pixel discriminator."""


def _unet_level(level: int) -> str:
    """The prefix of a level of the U-Net, 0 at the image."""
    return "model.model" if level == 0 else "model.model.1.model" + ".3.model" * (level - 1)


def _has_kernel(state: Mapping[str, Tensor], name: str, side: int) -> bool:
    return name in state and state[name].shape[2:] == (side, side)


def _first_missing(state: Mapping[str, Tensor], key: Callable[[int], str], start: int) -> int:
    """The first index whose key the state lacks."""
    return next(index for index in count(start) if key(index) not in state)
