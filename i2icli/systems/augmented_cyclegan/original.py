"""Checkpoints of the authors' program (aalmah/augmented_cyclegan): all networks in one file.

The file is a dictionary of state dicts, netG_A_B, netG_B_A, netE_B, netD_A, netD_B, netD_z_B, beside the
states of the optimisers. Generators and encoder are taken over.
"""

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from i2icli.errors import UserError
from i2icli.originals.checkpoint import (
    Known,
    Original,
    Part,
    Read,
    State,
    fit,
    known,
    mentions,
    rename,
    renaming,
    width_in,
)
from i2icli.systems.augmented_cyclegan.config import AugmentedCycleGANConfig
from i2icli.systems.augmented_cyclegan.names import (
    BLOCKS,
    discriminator_names,
    encoder_names,
    generator_names,
    latent_names,
    once,
)
from i2icli.systems.augmented_cyclegan.system import AugmentedCycleGAN
from i2icli.written import counted

THEIRS = {"netG_A_B": "G_AB", "netG_B_A": "G_BA", "netE_B": "E.B"}
"""Their networks that we take over -> ours."""

_NOTES = (
    "the file does not name its domains: A and B, images of B have the codes",
    "the encoder uses its stored statistics; the authors' program uses those of each batch",
)


def recognise(state: State, path: Path, _read: Read) -> Original | None:
    """Both generators and the encoder under our names, or None if the keys or shapes are something else's.

    Raises UserError if a network is missing, and for a file of one network alone.
    """
    if "model.2.scale_conv.0.weight" in state or "conv_modules.0.weight" in state:
        raise UserError(
            f"{path}: one network of an Augmented CycleGAN; expected the file that holds all of them"
        )
    parts = {name: _part(state, name) for name in THEIRS}
    if "model.2.scale_conv.0.weight" not in parts["netG_A_B"]:
        return None
    missing = [name for name, part in parts.items() if not part]
    if missing:
        raise UserError(f"{path}: an Augmented CycleGAN without {', '.join(missing)}; give the whole file")
    num_blocks = next(number for number in count() if not _has_block(parts["netG_B_A"], number))
    names = {
        "netG_A_B": generator_names(num_blocks, coded=True),
        "netG_B_A": generator_names(num_blocks, coded=False),
        "netE_B": encoder_names(),
    }
    tensors: State = {}
    for theirs, ours in THEIRS.items():
        part = rename(parts[theirs], names[theirs])
        if part is None:
            return None
        tensors |= {f"{ours}.{name}": tensor for name, tensor in part.items()}
    try:
        config = AugmentedCycleGANConfig.model_validate(_settings(tensors, num_blocks))
    except (ValueError, KeyError, IndexError):
        return None  # sizes that no such network has
    filled = _filled_and_checked(config, tensors)
    if filled is None:
        return None
    reason = (
        "netG_A_B, netG_B_A and netE_B in one file, model.2.scale_conv.0.weight in the first, "
        f"{num_blocks} residual blocks, {counted(config.num_latents, 'number')} in a code"
    )
    return Original("augmented_cyclegan", config, filled, _NOTES, reason=reason)


def parts(config: AugmentedCycleGANConfig) -> dict[str, Part]:
    """The discriminators in the file, for a training to start from."""
    A, B = config.domains
    images, codes = renaming(lambda _: discriminator_names()), renaming(lambda _: latent_names())
    return {
        "D_A": Part("D_A", images, f"judges {A}"),
        "D_B": Part("D_B", images, f"judges {B}"),
        "D_z_B": Part("D_z.B", codes, f"judges codes of {B}"),
    }


def networks_like(state: State) -> Iterator[Known]:
    """The whole file, in a size like that of an unknown one."""
    if not mentions(state, "net"):
        return
    num_blocks = 3
    width = width_in(state, "netG_A_B.model.1.weight", 32)
    config = AugmentedCycleGANConfig.model_validate({"width": width, "num_blocks": num_blocks})
    with torch.device("meta"):
        system = AugmentedCycleGAN(config)
    shapes: dict[str, tuple[int, ...]] = {}
    for theirs, ours in THEIRS.items():
        coded = theirs == "netG_A_B"
        names = encoder_names() if theirs == "netE_B" else generator_names(num_blocks, coded=coded)
        part = known("", system.get_submodule(ours).state_dict(), names)
        shapes |= {f"{theirs}.{name}": shape for name, shape in part.shapes.items()}
    yield Known("both generators and the encoder in one file", shapes)


def _part(state: State, network: str) -> State:
    start = f"{network}."
    part = {name.removeprefix(start): tensor for name, tensor in state.items() if name.startswith(start)}
    return once(part)


def _has_block(part: State, number: int) -> bool:
    return f"model.{BLOCKS + number}.conv_block.1.weight" in part


def _settings(tensors: State, num_blocks: int) -> dict[str, Any]:
    """What shapes tell, as settings."""
    stem, encoder = tensors["G_AB.stem.conv.weight"], tensors["E.B.stem.weight"]
    channels = (stem.shape[1], tensors["G_AB.head.weight"].shape[0])
    return {
        "channels": channels,
        "width": stem.shape[0],
        "num_blocks": num_blocks,
        "num_latents": tensors["G_AB.stem.norm.scale.weight"].shape[1],
        "encoder_width": encoder.shape[0],
        "encoder_input": "pair" if encoder.shape[1] == sum(channels) else "own",
    }


def _filled_and_checked(config: AugmentedCycleGANConfig, tensors: State) -> State | None:
    """The tensors as our networks want them; None if they are not exactly these networks'.

    Counters of batch norm, which old files lack, become 0.
    """
    with torch.device("meta"):
        system = AugmentedCycleGAN(config)
    wanted: dict[str, Tensor] = {
        f"{module}.{name}": tensor
        for module in system.inference_modules
        for name, tensor in system.get_submodule(module).state_dict().items()
    }
    return fit(tensors, wanted) if tensors.keys() <= wanted.keys() else None
