"""Whole training checkpoints: both generators in one file, beside discriminators and optimisers.

The authors' code saves one network to a file, which translates one way (see pix2pix); many other programs
save all of them under names such as G_A2B and G_B2A. Discriminators are not read: their names do not tell
which domain they judge.
"""

import re
from pathlib import Path

import torch

from i2icli.originals.checkpoint import Original, Part, Read, State, Weights
from i2icli.originals.classic import (
    ClassicGenerator,
    discriminator_weights,
    generator_weights,
    read_generator,
)
from i2icli.originals.forms import without_prefixes
from i2icli.systems.cyclegan.config import CycleGANConfig
from i2icli.systems.cyclegan.system import CycleGAN

FORTH = ("ab", "xy", "a", "x", "12", "st")
"""What is left of a name that leads from the first domain to the second: G_A2B, netG_AB, genAtoB, G_A ..."""

BACK = ("ba", "yx", "b", "y", "21", "ts")
"""The same of its counterpart, in the same order."""


def recognise(state: State, _path: Path, _read: Read) -> Original | None:
    """Both generators of a whole checkpoint, or None if there are no two of equal size and opposite names."""
    names = _pair({key.partition(".")[0] for key in state})
    if names is None:
        return None
    parts = [read_generator(without_prefixes(_part(state, name))) for name in names]
    forth, back = parts
    if forth is None or back is None:
        return None
    config = _config(forth, back)
    if config is None:
        return None
    with torch.device("meta"):
        system = CycleGAN(config)
    tensors: State = {}
    for module, part in (("G_AB", forth), ("G_BA", back)):
        fitted = part.fitted(system.get_submodule(module).state_dict())
        if fitted is None:
            return None
        tensors |= {f"{module}.{name}": tensor for name, tensor in fitted.items()}
    reason = f"two generators, {names[0]} and {names[1]}, each with {forth.reason}"
    return Original("cyclegan", config, tensors, _notes(names), reason=reason)


def parts(config: CycleGANConfig) -> dict[str, Part]:
    """The four networks of the authors' program, for a training to start from.

    Its discriminators are called after the generators that they judge: D_A scores images of B. Other
    programs call them after the domain.
    """
    A, B = config.domains
    return {
        "G_A": Part("G_AB", _generator_weights, f"{A} to {B}", _spelled(FORTH) | {"g"}),
        "G_B": Part("G_BA", _generator_weights, f"{B} to {A}", _spelled(BACK) | {"f"}),
        "D_A": Part("D_B", discriminator_weights, f"judges {B}", frozenset({"db", "dy"})),
        "D_B": Part("D_A", discriminator_weights, f"judges {A}", frozenset({"da", "dx"})),
    }


def _generator_weights(state: State) -> Weights | None:
    found = generator_weights(state)
    return found if found is not None and "num_blocks" in found.settings else None  # a U-Net is none of these


def _spelled(ways: tuple[str, ...]) -> frozenset[str]:
    return frozenset(f"g{way}" for way in ways)


def _pair(networks: set[str]) -> tuple[str, str] | None:
    """The names of the generators there and back; None if there is no such pair, or more than one."""
    if {"G", "F"} <= networks:
        return "G", "F"  # the paper's
    ways: dict[str, str] = {}
    for name in sorted(networks):
        left = re.fullmatch(r"(?:net_?)?(?:generator|gen|g)_?(\w+)", name.lower())
        way = re.sub(r"_|2(?=\D)|to(?=\w)", "", left[1]) if left else ""
        if way in (*FORTH, *BACK):
            ways[way] = name
    found = [(ways[a], ways[b]) for a, b in zip(FORTH, BACK, strict=True) if a in ways and b in ways]
    return found[0] if len(found) == 1 else None


def _part(state: State, network: str) -> State:
    start = f"{network}."
    return {name.removeprefix(start): tensor for name, tensor in state.items() if name.startswith(start)}


def _config(forth: ClassicGenerator, back: ClassicGenerator) -> CycleGANConfig | None:
    """The settings; None if the two are of different kinds, or of sizes that no such network has."""
    there, again = forth.settings, back.settings
    if "num_blocks" not in there or there.pop("channels") != again.pop("channels")[::-1] or there != again:
        return None
    try:
        return CycleGANConfig.model_validate(forth.settings)
    except ValueError:
        return None


def _notes(names: tuple[str, str]) -> tuple[str, ...]:
    """What keys and shapes leave open."""
    forth, back = names
    taken = f"by its name {forth} is taken for A to B, {back} for B to A"
    return (f"the file does not name its domains: they are A and B here; {taken}",)
