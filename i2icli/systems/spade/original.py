"""Networks saved by the authors' program (NVlabs/SPADE), one to a file: `<epoch>_net_G.pth`, `_D`, `_E`.

A generator is the model; its encoder, where it has one, and its discriminators are found beside it. What keys
and shapes leave open is read from the text of options that the program writes beside them, if it is there.
"""

from collections.abc import Iterator, Mapping
from itertools import count
from math import isqrt
from pathlib import Path
from typing import Any

import torch

from i2icli.classes import numbered
from i2icli.errors import UserError
from i2icli.originals.checkpoint import (
    Known,
    Original,
    Part,
    Read,
    State,
    Weights,
    fit,
    inputs_in,
    mentions,
    width_in,
)
from i2icli.originals.options_file import options_beside
from i2icli.systems.spade.config import MORE, NumUpsampling, SPADEConfig
from i2icli.systems.spade.label_channels import LabelChannels
from i2icli.systems.spade.names import (
    discriminator_names,
    encoder_names,
    generator_names,
    original_shapes,
    renamed,
)
from i2icli.systems.spade.system import SPADE

ENCODER_LAYERS = 6  # it is made for 256 px, and only for those

CITYSCAPES = 36  # channels of the published model that upsamples once more, for 512x256

FIRST_OF_G, FIRST_OF_E, FIRST_OF_D = "head_0.conv_0.", "layer1.0.", "discriminator_0.model0.0."


def recognise(state: State, path: Path, read: Read) -> Original | None:
    """A generator under our names, with its encoder and discriminators, or None for something else's keys.

    Raises UserError for a network that cannot translate alone: an encoder, a discriminator, or a generator
    whose encoder is missing.
    """
    if _starts(state, FIRST_OF_D) or (_starts(state, FIRST_OF_E) and "fc_mu.weight" in state):
        kind = "a discriminator" if _starts(state, FIRST_OF_D) else "an encoder"
        raise UserError(f"{path}: this is SPADE's {kind}; give the generator's file beside it (.._net_G..)")
    if not (_starts(state, FIRST_OF_G) and {"fc.weight", "conv_img.weight"} <= state.keys()):
        return None
    options = options_beside(path)
    try:
        labels = LabelChannels.of(state["head_0.norm_0.mlp_shared.0.weight"].shape[1], options)
        config = SPADEConfig.model_validate(labels.settings | _settings(state, options))
    except (ValueError, KeyError, IndexError, ZeroDivisionError):
        return None  # sizes that no such network has
    with torch.device("meta"):
        wanted = SPADE(config).state_dict()
    tensors = _fitted(renamed(state, generator_names(len(_levels(state)))), "G", wanted)
    if tensors is None:
        return None
    if config.vae:
        tensors |= _encoder(path, read, wanted)
    config, discriminators = _with_discriminators(path, read, config)
    notes = (*labels.notes, *_notes(config, options))
    channels = state["head_0.norm_0.mlp_shared.0.weight"].shape[1]
    reason = (
        f"{FIRST_OF_G}{_weight(state)}, fc.weight, conv_img.weight, {len(_levels(state))} blocks that "
        f"upsample (up_0 ...), {channels} label channels in mlp_shared"
    )
    return Original("spade", config, tensors | discriminators, notes, reason=reason)


def parts(_config: SPADEConfig) -> dict[str, Part]:
    """Those beside a generator, which is read with them, for a training to start from each alone."""
    return {"E": Part("E", _encoder_weights), "D": Part("D", _discriminator_weights)}


def _encoder_weights(state: State) -> Weights | None:
    found = renamed(state, encoder_names(ENCODER_LAYERS)) if _starts(state, FIRST_OF_E) else None
    return Weights(found) if found else None


def _discriminator_weights(state: State) -> Weights | None:
    if not _starts(state, FIRST_OF_D):
        return None
    num_scales, last = _sizes_of_discriminators(state)
    found = renamed(state, discriminator_names(num_scales, last))
    return Weights(found, {"num_scales": num_scales, "num_layers": last}) if found else None


def _sizes_of_discriminators(state: State) -> tuple[int, int]:
    """How many there are, and the layers of each."""
    num_scales = next(number for number in count() if not _starts(state, f"discriminator_{number}."))
    last = next(number for number in count(1) if not _starts(state, f"discriminator_0.model{number}.")) - 1
    return num_scales, last


def networks_like(state: State) -> Iterator[Known]:
    """A generator in a size like that of an unknown file."""
    if not mentions(state, "fc.", "head_0.", "up_0.", "G_middle", "conv_img."):
        return
    levels = min(max(len(_levels(state)), 1), 5) if "fc.weight" in state else 4
    spectral = not any(name == f"{FIRST_OF_G}weight" for name in state)
    wide = width_in(state, f"{FIRST_OF_G}{_weight(state)}", 1024)
    planes = inputs_in(state, "fc.weight", 36)
    sizes: dict[str, Any] = {"width": max(1, wide >> levels), "num_levels": levels, "spectral_norm": spectral}
    sizes["norm"] = "batch" if any(name.endswith("running_mean") for name in state) else "instance"
    config = SPADEConfig.model_validate(sizes | {"classes": numbered(planes), "dont_care": False})
    with torch.device("meta"):
        network = SPADE(config).G.state_dict()
    yield Known(f"a generator of {levels + 3} blocks", original_shapes(network, generator_names(levels)))


def _settings(state: State, options: Mapping[str, str]) -> dict[str, Any]:
    """What keys and shapes tell, as settings."""
    levels, shared = _levels(state), state["head_0.norm_0.mlp_shared.0.weight"]
    conv, start = state[f"{FIRST_OF_G}{_weight(state)}"], state["fc.weight"]
    mode = _mode(shared.shape[1], options, most="up_4" in levels)
    num_levels = len(levels) - (mode == "most")
    vae = start.ndim == 2
    first = start.shape[0] // conv.shape[0] if vae else 0  # pixels of the first map
    return {
        "width": conv.shape[0] >> num_levels,
        "num_levels": num_levels,
        "num_upsampling": mode,
        "modulation_width": shared.shape[0],
        "kernel": shared.shape[2],
        "norm": "batch" if "head_0.norm_0.param_free_norm.running_mean" in state else "instance",
        "spectral_norm": _weight(state) == "weight_orig",
        "channels": (state["conv_img.weight"].shape[0],),
        "vae": vae,
        "crop_size": _crop_size(first, 2 << num_levels + MORE[mode], shared.shape[1], options),
    } | ({"num_latents": start.shape[1]} if vae else {})


def _mode(channels: int, options: Mapping[str, str], *, most: bool) -> NumUpsampling:
    """How often features are upsampled. Only `most` shows, by one block more."""
    if most:
        return "most"
    said = options.get("num_upsampling_layers")
    published: NumUpsampling = "more" if channels == CITYSCAPES else "normal"
    return said if said in ("normal", "more") else published  # type: ignore[return-value]


def _crop_size(first: int, multiple: int, channels: int, options: Mapping[str, str]) -> tuple[int, int]:
    """(height, width) of training images, of which a generator with an encoder makes no others."""
    try:
        width, aspect = int(options["crop_size"]), float(options.get("aspect_ratio", 1))
        said = round(width / multiple / aspect) * multiple, width
    except (KeyError, ValueError, ZeroDivisionError):
        said = (256, 512) if channels == CITYSCAPES else (256, 256)
    if first == 0 or said[0] * said[1] == first * multiple**2:
        return said
    across = isqrt(first)  # square, or twice as wide as high
    down = across if across**2 == first else isqrt(first // 2)
    return down * multiple, first // down * multiple


def _encoder(path: Path, read: Read, wanted: State) -> State:
    """The encoder in the file beside the generator's. Raises UserError if there is none, or another one's."""
    beside = _beside(path, "E")
    if beside is None:
        raise UserError(f"{path}: this generator reads latent codes of an encoder; put .._net_E.. beside it")
    fitted = _fitted(renamed(read(beside), encoder_names(ENCODER_LAYERS)), "E", wanted)
    if fitted is None:
        raise UserError(f"{beside}: not the encoder of {path.name}; expected the one of the same run")
    return fitted


def _with_discriminators(path: Path, read: Read, config: SPADEConfig) -> tuple[SPADEConfig, State]:
    """Settings and weights of the discriminators in the file beside the generator's, if they fit."""
    beside = _beside(path, "D")
    state = read(beside) if beside is not None else {}
    if not _starts(state, FIRST_OF_D):
        return config, {}
    num_scales, last = _sizes_of_discriminators(state)
    settings = {"num_scales": num_scales, "num_layers": last}
    try:
        settings["discriminator_width"] = len(state[f"{FIRST_OF_D}weight"])
        found = SPADEConfig.model_validate(config.model_dump() | settings)
    except (ValueError, KeyError, TypeError):
        return config, {}
    with torch.device("meta"):
        wanted = SPADE(found).state_dict()
    fitted = _fitted(renamed(state, discriminator_names(num_scales, last)), "D", wanted)
    return (config, {}) if fitted is None else (found, fitted)


def _beside(path: Path, network: str) -> Path | None:
    """The file of another network of the same epoch."""
    beside = path.with_name(path.name.replace("_net_G", f"_net_{network}"))
    return beside if beside != path and beside.is_file() else None


def _fitted(state: State | None, network: str, system: State) -> State | None:
    """The tensors of one network, by their names in the system's state; None if they are not exactly its."""
    start = f"{network}."
    wanted = {name.removeprefix(start): each for name, each in system.items() if name.startswith(start)}
    if state is None or not state.keys() <= wanted.keys():
        return None
    found = fit(state, wanted)
    return None if found is None else {f"{start}{name}": tensor for name, tensor in found.items()}


def _levels(state: State) -> list[str]:
    """The blocks that halve the channels."""
    numbers = (f"up_{number}" for number in count())
    found: list[str] = []
    for name in numbers:
        if not _starts(state, f"{name}."):
            break
        found.append(name)
    return found


def _weight(state: State) -> str:
    """What the weight of a convolution of features is called: by spectral normalisation, otherwise."""
    return "weight_orig" if f"{FIRST_OF_G}weight_orig" in state else "weight"


def _starts(state: State, prefix: str) -> bool:
    return any(name.startswith(prefix) for name in state)


def _notes(config: SPADEConfig, options: Mapping[str, str]) -> list[str]:
    """What keys and shapes leave open."""
    if config.num_upsampling == "most" or "num_upsampling_layers" in options:
        return []
    taken = f"{config.num_upsampling} is taken, as in the published model of so many channels"
    return [f"the keys do not show how often features are upsampled (normal or more); {taken}"]
