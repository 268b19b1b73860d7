"""Generators saved by the authors' PyTorch code (junyanz/pytorch-CycleGAN-and-pix2pix).

Its files hold one network each: `<epoch>_net_G.pth` (pix2pix), `_G_A` and `_G_B` (CycleGAN). A
generator of CycleGAN is the same ResNet, and alone it translates in one direction, so it becomes
a pix2pix system with that generator. Forks name or build some layers otherwise: see `classic_names`.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch

from i2icli.errors import UserError
from i2icli.originals.checkpoint import (
    Known,
    Original,
    Part,
    Read,
    State,
    Weights,
    inputs_in,
    known,
    width_in,
)
from i2icli.originals.classic import (
    ClassicGenerator,
    discriminator_weights,
    generator_weights,
    is_discriminator,
    layouts_like,
    likely_norm,
    read_generator,
)
from i2icli.originals.classic_names import Layout
from i2icli.originals.options_file import options_beside
from i2icli.systems.pix2pix.config import Pix2PixConfig
from i2icli.systems.pix2pix.networks import build_generator

_DROPOUT = {"False": 0.5, "True": 0.0}  # by what the option no_dropout says


def recognise(state: State, path: Path, _read: Read) -> Original | None:
    """A U-Net or ResNet generator with our names, or None if the keys or shapes are something else's.

    Raises UserError for a discriminator of the same code, which cannot translate.
    """
    if is_discriminator(state):
        raise UserError(f"{path}: this is a discriminator; give the generator's file beside it (.._net_G..)")
    found = read_generator(state)
    options = options_beside(path)
    config = _config(found, _told(found, path, options)) if found else None
    if found is None or config is None:
        return None
    source, target = config.two_channels
    with torch.device("meta"):
        wanted = build_generator(config, source, target).state_dict()
    filled = found.fitted(wanted)
    if filled is None:
        return None
    tensors = {f"G.{name}": tensor for name, tensor in filled.items()}
    return Original("pix2pix", config, tensors, _notes(config, path, options), reason=found.reason)


def parts(_config: Pix2PixConfig) -> dict[str, Part]:
    """Both networks, for a training to start from."""
    return {"G": Part("G", _generator_weights), "D": Part("D", discriminator_weights)}


def _generator_weights(state: State) -> Weights | None:
    found = generator_weights(state)
    if found is None:
        return None
    unet = "num_blocks" not in found.settings
    return Weights(found.tensors, {"generator": "unet" if unet else "resnet", **found.settings})


def _config(found: ClassicGenerator, told: dict[str, Any]) -> Pix2PixConfig | None:
    """The settings, with what is told beside the file; None for sizes beyond what any such network has."""
    try:
        return Pix2PixConfig.model_validate(found.settings | _shape_of(found.layout) | told)
    except ValueError:
        return None


def _told(found: ClassicGenerator, path: Path, options: Mapping[str, str]) -> dict[str, Any]:
    """What the options of the training and the name of the file tell that keys do not."""
    told: dict[str, Any] = {"direction": "BtoA" if _is_backwards(path, options) else "AtoB"}
    if found.layout.generator == "unet" and options.get("no_dropout") in _DROPOUT:
        told["dropout"] = _DROPOUT[options["no_dropout"]]
    return told


def _is_backwards(path: Path, options: Mapping[str, str]) -> bool:
    """Whether it translates B to A; CycleGAN's G_B leads back."""
    return (options.get("direction") == "BtoA") != path.stem.endswith("_G_B")


def _shape_of(layout: Layout) -> dict[str, Any]:
    """The settings that pix2pix alone has."""
    settings = {"generator": layout.generator, "statistics": "image"}
    if layout.generator == "resnet":
        return settings
    # The authors build a U-Net that leaves one pixel at the bottom: unet_256 has 8 halvings.
    return settings | {"depth": layout.size, "crop_size": max(32, 2**layout.size)}


def networks_like(state: State) -> Iterator[Known]:
    """Every generator that is recognised, in a size like that of an unknown file."""
    for what, layout in layouts_like(state):
        unet = layout.generator == "unet"
        first = f"{layout.theirs('down.0.conv' if unet else 'stem.conv')}.weight"
        head = f"{layout.theirs('head')}.weight"
        width, source = width_in(state, first), inputs_in(state, first)
        target = inputs_in(state, head) if unet else width_in(state, head, 3)  # transposed: (in, out)
        size = (
            {"depth": layout.size} if unet else {"num_blocks": layout.size, "upsampling": layout.upsampling}
        )
        norm = likely_norm(state)
        config = Pix2PixConfig.model_validate(_shape_of(layout) | size | {"norm": norm, "width": width})
        with torch.device("meta"):
            network = build_generator(config, source, target)
        yield known(f"{what} with {norm} norms", network.state_dict(), layout.names)


def _notes(config: Pix2PixConfig, path: Path, options: Mapping[str, str]) -> tuple[str, ...]:
    """What keys, shapes and options leave open."""
    notes = [_direction(path, options)]
    dropout = config.generator == "unet" and config.unet_depth > 5
    if dropout and options.get("no_dropout") in _DROPOUT:
        has = "dropout, which stays on as in the authors' test program" if config.dropout else "no dropout"
        notes.append(f"by the options beside the file the U-Net has {has}")
    elif dropout:
        notes.append(
            "the keys of a U-Net do not show dropout; it is off here, so outputs are deterministic; "
            "the authors' test program leaves it on if the network was trained with it"
        )
    if config.down_padding == "reflect":
        notes.append(
            "the keys do not show how borders are padded; as in the program that names layers so, all are "
            "reflected (--down-padding)"
        )
    if config.norm == "batch":
        notes.append("batch norm uses the statistics of each image, as the authors' test program does")
    return tuple(notes)


def _direction(path: Path, options: Mapping[str, str]) -> str:
    """Which way it translates: not in the file, at most in its name or in options beside it."""
    if "direction" in options:
        way = "from B to A" if _is_backwards(path, options) else "from A to B"
        return f"by the options beside the file it translates {way}"
    note = "the file holds one direction and cannot tell which domain is read and which comes out"
    for end, hint in (("_G_A", "from A to B"), ("_G_B", "from B to A")):
        if path.stem.endswith(end):
            note += f"; by its name it is CycleGAN's {hint}"
    return note
