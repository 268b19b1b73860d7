"""Generators saved by the authors' program (cc-hpc-itwm/UpConv), one network to a file, under our names.

Keys and shapes tell everything of a generator with batch norm. Those with other norms do not show which one
it was.
"""

from collections.abc import Iterator
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
    fit,
    known,
    mentions,
    number_of,
)
from i2icli.systems.spectral_dcgan.config import SpectralDCGANConfig
from i2icli.systems.spectral_dcgan.system import SpectralDCGAN

FIRST = "net.0.0.weight"  # of a generator: from the code to 4x4 features


def recognise(state: State, path: Path, _read: Read) -> Original | None:
    """A generator with batch norm, or None if the keys or shapes are something else's.

    Raises UserError for a discriminator of the same code, which cannot generate.
    """
    if _is_discriminator(state):
        raise UserError(f"{path}: this is spectral DCGAN's discriminator; give the generator's file")
    if FIRST not in state or state[FIRST].ndim != 4 or "net.0.1.running_mean" not in state:
        return None
    try:
        config = SpectralDCGANConfig.model_validate(_settings(state))
    except (ValueError, KeyError, IndexError):
        return None  # layers are missing, or sizes are beyond what any such network has
    with torch.device("meta"):
        wanted = SpectralDCGAN(config).G.state_dict()
    tensors = fit(state, wanted) if state.keys() <= wanted.keys() else None
    if tensors is None:
        return None
    reason = (
        f"{FIRST} from codes of {config.num_latents} numbers, {config.doublings} blocks with batch norm, "
        f"{config.final_layers} convolutions of 5x5 at the end"
    )
    named = {f"G.{name}": tensor for name, tensor in tensors.items()}
    return Original("spectral_dcgan", config, named, reason=reason)


def parts(_config: SpectralDCGANConfig) -> dict[str, Part]:
    """Both networks, for a training to start from: its settings tell the norm, which files do not."""
    return {"G": Part("G", _generator_weights), "D": Part("D", _discriminator_weights)}


def _generator_weights(state: State) -> Weights | None:
    return Weights(state) if FIRST in state else None


def _discriminator_weights(state: State) -> Weights | None:
    return Weights(state) if _is_discriminator(state) else None


def _is_discriminator(state: State) -> bool:
    first = state.get("net.0.weight")
    return first is not None and "net.2.0.weight" in state and first.shape[2:] == (4, 4)


def _settings(state: State) -> dict[str, Any]:
    """What keys and shapes tell, as settings."""
    blocks = number_of(lambda k: f"net.{k}.0.weight" in state)
    first = blocks + 1  # behind the last upsampling, which has no weights
    final = number_of(lambda k: f"net.{first + k}.weight" in state)
    last = state[f"net.{first + final - 1}.weight"]
    return {
        "num_latents": state[FIRST].shape[0],
        "channels": (last.shape[0] if final else last.shape[1],),
        "width": (width := state[f"net.{blocks - 1}.1.weight"].shape[0]),
        "widest": max(1, state[FIRST].shape[1] // max(1, width)),
        "crop_size": 4 << blocks,
        "final_layers": final,
    }


def networks_like(state: State) -> Iterator[Known]:
    """A generator in a size like that of an unknown file."""
    if not mentions(state, "net.0.", "net.1."):
        return
    blocks = number_of(lambda k: mentions(state, f"net.{k}.0."), 5, 8)
    last = state.get(f"net.{blocks - 1}.0.weight", torch.empty(0, 32))
    width = min(max(last.shape[1], 1), 512) if last.ndim > 1 else 32
    config = SpectralDCGANConfig.model_validate({"crop_size": 4 << max(blocks, 2), "width": width})
    with torch.device("meta"):
        network = SpectralDCGAN(config).G.state_dict()
    names = {name.rpartition(".")[0]: name.rpartition(".")[0] for name in network}
    yield known(f"a generator of {config.crop_size[0]} px", network, names)
