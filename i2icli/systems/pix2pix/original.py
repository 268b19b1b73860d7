"""Generators saved by the authors' PyTorch code (junyanz/pytorch-CycleGAN-and-pix2pix).

Its files hold one network each: `<epoch>_net_G.pth` (pix2pix), `_G_A` and `_G_B` (CycleGAN). A
generator of CycleGAN is the same ResNet, and alone it translates in one direction, so it becomes
a pix2pix system with that generator.
"""

from pathlib import Path
from typing import Any

import torch

from i2icli.errors import UserError
from i2icli.originals.checkpoint import Original, Read, State, fit, rename
from i2icli.systems.pix2pix.config import Pix2PixConfig
from i2icli.systems.pix2pix.names import Layout, find_layout
from i2icli.systems.pix2pix.networks import build_generator


def recognise(state: State, path: Path, _read: Read) -> Original | None:
    """A U-Net or ResNet generator with our names, or None if the keys or shapes are something else's.

    Raises UserError for a discriminator of the same code, which cannot translate.
    """
    if _is_discriminator(state):
        raise UserError(f"{path}: this is a discriminator; give the generator's file beside it (.._net_G..)")
    layout = find_layout(state)
    ours = rename(state, layout.names) if layout else None
    if layout is None or ours is None or "head.weight" not in ours:
        return None
    norm, tensors = _without_old_statistics(ours)
    try:
        config = Pix2PixConfig.model_validate(_settings(layout, norm, tensors))
    except ValueError:
        return None  # sizes beyond what any such network has
    filled = _filled_and_checked(config, tensors)
    if filled is None:
        return None
    tensors = {f"G.{name}": tensor for name, tensor in filled.items()}
    return Original("pix2pix", config, tensors, _notes(config, path))


def _settings(layout: Layout, norm: str, state: State) -> dict[str, Any]:
    """What keys and shapes tell, as fields of Pix2PixConfig."""
    first, head = (
        state["down.0.conv.weight" if layout.generator == "unet" else "stem.conv.weight"],
        state["head.weight"],
    )
    target = head.shape[1] if layout.generator == "unet" else head.shape[0]  # transposed: (in, out, 4, 4)
    settings = {
        "generator": layout.generator,
        "width": first.shape[0],
        "channels": (first.shape[1], target),
        "norm": norm,
        "dropout": 0.5 if layout.dropout else 0.0,
        "statistics": "image",
    }
    if layout.generator == "resnet":
        return settings | {"num_blocks": layout.size}
    # The authors build a U-Net that leaves one pixel at the bottom: unet_256 has 8 halvings.
    return settings | {"depth": layout.size, "crop_size": max(32, 2**layout.size)}


def _is_discriminator(state: State) -> bool:
    """PatchGAN: model.0, model.2, 4x4; PixelGAN: net.0, net.2, 1x1; both end in one channel."""
    for first, second, side in (("model.0.weight", "model.2.weight", 4), ("net.0.weight", "net.2.weight", 1)):
        if first in state and second in state and state[first].shape[2:] == (side, side):
            return True
    return False


def _without_old_statistics(state: State) -> tuple[str, State]:
    """The norm, found from what is there, and the state without what files of library 0.3 hold for nothing.

    Instance norms of that time stored running statistics that the program never used. A batch norm
    also has weights; a network without norm has no bias in front of where the norm would be.
    """
    if any(name.endswith("norm.weight") for name in state):
        return "batch", state
    kept = {name: tensor for name, tensor in state.items() if ".norm." not in name}
    has_bias = any(name.endswith(".conv.bias") for name in kept)
    return ("instance" if has_bias else "none"), kept


def _filled_and_checked(config: Pix2PixConfig, state: State) -> State | None:
    """The state as our generator wants it, float32; None if it is not exactly this network's.

    Counters of batch norm, which old files lack, become 0, as do the biases that the authors' code
    leaves out beside a missing norm.
    """
    source, target = config.channels or (3, 3)
    with torch.device("meta"):
        wanted = build_generator(config, source, target).state_dict()
    if not state.keys() <= wanted.keys():
        return None
    return fit(state, wanted, lambda n: 0.0 if config.norm == "none" and n.endswith("conv.bias") else None)


def _notes(config: Pix2PixConfig, path: Path) -> tuple[str, ...]:
    """What keys and shapes leave open."""
    notes = [_direction(path)]
    if config.generator == "unet" and config.unet_depth > 5:
        notes.append(
            "the keys of a U-Net do not show dropout; it is off here, so outputs are deterministic; "
            "the authors' test program leaves it on if the network was trained with it"
        )
    if config.norm == "batch":
        notes.append("batch norm uses the statistics of each image, as the authors' test program does")
    return tuple(notes)


def _direction(path: Path) -> str:
    """Which way it translates: not in the file, at most in its name."""
    note = "the file holds one direction and cannot tell which domain is read and which comes out"
    for end, hint in (("_G_A", "from A to B"), ("_G_B", "from B to A")):
        if path.stem.endswith(end):
            note += f"; by its name it is CycleGAN's {hint}"
    return note
