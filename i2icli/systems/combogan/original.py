"""Checkpoints of the authors' program (AAnoosheh/ComboGAN).

A model is many files, `<epoch>_net_G<k>.pth`: the encoders of all domains, the first half of the shared
centre if there is one, then the decoders and the centre's second half. Any of them leads to the others.
"""

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, Literal

import torch
from torch import nn

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
    rename,
    width_in,
)
from i2icli.systems.combogan.config import ComboGANConfig
from i2icli.systems.combogan.names import (
    branch_names,
    count_blocks,
    decoder_names,
    encoder_names,
    shared_names,
)
from i2icli.systems.combogan.system import ComboGAN, module_name

Kind = Literal["encoder", "decoder", "shared"]
_NAMES = {"encoder": encoder_names, "decoder": decoder_names, "shared": shared_names}


def recognise(state: State, path: Path, read: Read) -> Original | None:
    """All parts of a model, or None if this file is none of them.

    Raises UserError for a discriminator, and for parts that are missing or do not belong together.
    """
    if _is_discriminator(state):
        raise UserError(f"{path}: this is a discriminator; give a generator's file beside it (.._net_G0.pth)")
    if _kind(state) is None:
        return None
    parts = _parts(state, path, read)
    kinds = [_kind(part) for part in parts]
    number = kinds.count("encoder")
    centre: list[Kind] = ["shared"] if "shared" in kinds else []
    if number < 2 or kinds != ["encoder"] * number + centre + ["decoder"] * number + centre:
        found = ", ".join(f"G{k}: {kind or 'something else'}" for k, kind in enumerate(kinds))
        raise UserError(
            f"{path}: the files beside it are not one model ({found}); expected an encoder for each of "
            "two domains or more, then as many decoders, numbered from G0"
        )
    try:
        config = _config(parts, number, bool(centre))
    except (KeyError, IndexError, ValueError):
        return None  # layers are missing, or sizes are beyond what any such network has
    tensors = _tensors(config, parts, path)
    reason = (
        f"PReLUs of one weight behind convolutions (model.3.weight), {config.num_blocks} residual blocks in "
        f"all, {number} encoders and {number} decoders in files beside each other"
    )
    return Original("combogan", config, tensors, _notes(config), reason=reason)


def parts(config: ComboGANConfig) -> dict[str, Part]:
    """All networks, in the order in which the authors' program numbers them, for a training to start from."""
    domains, centre = config.domains, bool(config.num_shared)
    places = [
        (f"{kind}s.{module_name(name)}", f"{kind} of {name}")
        for kind in ("encoder", "decoder")
        for name in domains
    ]
    if centre:
        places.insert(len(domains), ("encoders.shared", "shared, towards the code"))
        places.append(("decoders.shared", "shared, from the code"))
    generators = {
        f"G{k}": Part(module, partial(_part_weights, about.split()[0]), about)
        for k, (module, about) in enumerate(places)
    }
    discriminators = {
        f"D{k}": Part(f"discriminators.{module_name(name)}", _discriminator_weights, f"judges {name}")
        for k, name in enumerate(domains)
    }
    return generators | discriminators


def _part_weights(wanted: str, state: State) -> Weights | None:
    kind = _kind(state)
    ours = rename(state, _NAMES[kind](count_blocks(state))) if kind else None
    if ours is None or not (kind or "").startswith(wanted.rstrip(",")):
        return None
    settings = {"width": len(state["model.1.weight"])} if kind == "encoder" else {}
    return Weights(ours, settings)


def _discriminator_weights(state: State) -> Weights | None:
    if not _is_discriminator(state):
        return None
    num_layers = number_of(lambda k: mentions(state, f"model_gray.{k + 1}."))
    ours = rename(state, branch_names(num_layers))
    settings = {"num_layers": num_layers, "discriminator_width": len(state["model_gray.0.0.weight"])}
    return Weights(ours, settings) if ours else None


def _is_discriminator(state: State) -> bool:
    return "model_gray.0.0.weight" in state


def networks_like(state: State) -> Iterator[Known]:
    """An encoder and a decoder in sizes like that of an unknown file."""
    if not mentions(state, "model."):
        return
    blocks = min(count_blocks(state) or 4, 50)
    width = width_in(state, "model.1.weight")
    config = ComboGANConfig.model_validate({"domains": ("0", "1"), "num_blocks": 2 * blocks, "width": width})
    with torch.device("meta"):
        system = ComboGAN(config)
    for place, names in (("encoders", encoder_names), ("decoders", decoder_names)):
        network = system.get_submodule(f"{place}.{module_name('0')}")
        own = count_inside(network.state_dict())
        yield known(f"one of its {place}, of {own} blocks", network.state_dict(), names(own))


def count_inside(state: State) -> int:
    """Residual blocks of a part of ours."""
    return len({name.split(".")[1] for name in state if name.startswith("blocks.")})


def _kind(state: State) -> Kind | None:
    """Which part of a model a file holds: PReLUs, and blocks with them, are ComboGAN's alone."""
    blocks = count_blocks(state)
    if state.get("model.3.weight", torch.empty(0)).shape == (1,) and "model.7.weight" in state:
        return "encoder"
    if blocks and not any(f"model.{place}.conv_block.3.weight" in state for place in (0, 10)):
        return None
    if blocks and f"model.{blocks + 7}.weight" in state and f"model.{blocks + 2}.weight" in state:
        return "decoder"
    return "shared" if blocks and all(".conv_block." in key for key in state) else None


def _parts(state: State, path: Path, read: Read) -> list[State]:
    """The states of G0, G1, ... beside a file that is one of them."""
    match = re.fullmatch(r"(.*_net_G)(\d+)", path.stem)
    if match is None:
        raise UserError(
            f"{path}: one part of a ComboGAN, but its name does not lead to the others; "
            "expected <epoch>_net_G<number>.pth beside its fellows"
        )
    numbers = sorted({
        int(found[1])
        for beside in path.parent.iterdir()
        if (found := re.fullmatch(re.escape(match[1]) + r"(\d+)" + re.escape(path.suffix), beside.name))
    })  # fmt: skip
    missing = next((place for place, number in enumerate(numbers) if place != number), None)
    if missing is not None:
        raise UserError(
            f"{path}: a ComboGAN of {numbers[-1] + 1} files or more, but "
            f"{match[1]}{missing}{path.suffix} is missing; put all of them into one folder"
        )
    return [
        state if number == int(match[2]) else read(path.with_name(f"{match[1]}{number}{path.suffix}"))
        for number in numbers
    ]


def _config(parts: list[State], number: int, centre: bool) -> ComboGANConfig:
    """What keys and shapes tell. Raises KeyError, IndexError or ValueError for what no ComboGAN has."""
    encoder, half = parts[0], len(parts) // 2
    decoder = parts[half]
    blocks = count_blocks(decoder)
    shared = count_blocks(parts[number]) + count_blocks(parts[-1]) if centre else 0
    settings: dict[str, Any] = {
        "domains": tuple(str(k) for k in range(number)),
        "width": encoder["model.1.weight"].shape[0],
        "channels": (encoder["model.1.weight"].shape[1],),
        "num_blocks": count_blocks(encoder) + blocks + shared,
        "num_shared": shared,
        "norm": _norm(encoder),
    }
    return ComboGANConfig.model_validate(settings)


def _norm(encoder: State) -> str:
    """Batch norm has weights; beside a missing norm the authors' convolutions have no bias."""
    if "model.2.weight" in encoder:
        return "batch"
    return "instance" if "model.1.bias" in encoder else "none"


def _tensors(config: ComboGANConfig, parts: list[State], path: Path) -> State:
    """All parts under our names. Raises UserError for one that is of another size."""
    with torch.device("meta"):
        system = ComboGAN(config)
    domains = [module_name(name) for name in config.domains]
    places = [f"encoders.{name}" for name in domains]
    places += ["encoders.shared"] * bool(config.num_shared)
    places += [f"decoders.{name}" for name in domains]
    places += ["decoders.shared"] * bool(config.num_shared)
    tensors: State = {}
    for number, (place, part) in enumerate(zip(places, parts, strict=True)):
        ours = _fitted(part, system.get_submodule(place))
        if ours is None:
            raise UserError(
                f"{path}: the file G{number} beside it is not of the size that the other parts have; "
                "put files of one model into one folder"
            )
        tensors |= {f"{place}.{name}": tensor for name, tensor in ours.items()}
    return tensors


def _fitted(state: State, network: nn.Module) -> State | None:
    """A part as our network wants it, float32; None if it is not exactly this network's.

    Counters of batch norm and biases beside a missing norm become 0, statistics that files of
    library 0.3 keep for instance norms are left out.
    """
    kind = _kind(state)
    ours = rename(state, _NAMES[kind](count_blocks(state))) if kind else None
    if ours is None:
        return None
    wanted = network.state_dict()
    old = ("running_mean", "running_var", "num_batches_tracked")
    if any(name not in wanted and not name.endswith(old) for name in ours):
        return None
    return fit(ours, wanted, lambda name: 0.0 if name.endswith(".bias") else None)


def _notes(config: ComboGANConfig) -> tuple[str, ...]:
    """What the files leave open."""
    last = config.domains[-1]
    notes = [
        f"the files do not name the domains; they are 0 to {last} here, in the alphabetical order of the "
        "folders they were trained on (train10 before train2)"
    ]
    if config.norm == "batch":
        notes.append("batch norm uses the statistics of each image, as the authors' test program does")
    return tuple(notes)
