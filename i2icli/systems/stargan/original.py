"""Generators saved by the authors' code (yunjey/stargan): `<iteration>-G.ckpt`, plain weights.

Keys and shapes tell width, blocks and the number of labels, but no names: five labels are assumed to be
those of the published CelebA models, eight for RaFD's expressions, fifteen for both with a mask.
"""

import re
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
    mentions,
    number_of,
    width_in,
)
from i2icli.systems.stargan.config import CELEBA, StarGANConfig
from i2icli.systems.stargan.networks import Generator

_RAFD = ("angry", "contemptuous", "disgusted", "fearful", "happy", "neutral", "sad", "surprised")
MOST_LABELS = 10_000
_STATISTICS = ("running_mean", "running_var", "num_batches_tracked")  # never used by the authors' program


def recognise(state: State, path: Path, _read: Read) -> Original | None:
    """A generator with our names, or None if the keys or shapes are something else's.

    Raises UserError for a discriminator of the same code, which cannot translate.
    """
    if _is_discriminator(state):
        raise UserError(
            f"{path}: this is StarGAN's discriminator; give the generator's file beside it (..-G.ckpt)"
        )
    blocks = _count_blocks(state)
    names = generator_names(blocks)
    if not names or not set(names) <= state.keys():
        return None
    tensors = {ours: state[theirs] for theirs, ours in names.items()}
    left = [key for key in state if key not in names and not key.endswith(_STATISTICS)]
    stem, head = tensors["stem.conv.weight"], tensors["head.weight"]
    if left or stem.ndim != 4 or head.ndim != 4 or stem.shape[1] <= head.shape[0]:
        return None
    num_labels = stem.shape[1] - head.shape[0]
    if num_labels > MOST_LABELS:
        return None
    settings, note = _labels(num_labels)
    try:
        config = StarGANConfig.model_validate(
            {"width": stem.shape[0], "num_blocks": blocks, "channels": (head.shape[0],), **settings}
        )
    except ValueError:
        return None  # sizes beyond what any such network has
    if not _fits(config, head.shape[0], num_labels, tensors):
        return None
    return Original(
        "stargan",
        config,
        {f"G.{name}": tensor.float().contiguous() for name, tensor in tensors.items()},
        (note,),
        reason=f"main.0.weight of 7x7 to {config.width} channels, {blocks} residual blocks (main.9.main "
        f"...), main.{15 + blocks}.weight, {num_labels} planes beside the image",
    )


def parts(_config: StarGANConfig) -> dict[str, Part]:
    """Both networks, for a training to start from."""
    return {"G": Part("G", _generator_weights), "D": Part("D", _discriminator_weights)}


def _generator_weights(state: State) -> Weights | None:
    blocks = _count_blocks(state)
    names = generator_names(blocks)
    if not blocks or not names.keys() <= state.keys():
        return None
    tensors = {ours: state[theirs] for theirs, ours in names.items()}
    return Weights(tensors, {"width": len(state["main.0.weight"]), "num_blocks": blocks})


def _discriminator_weights(state: State) -> Weights | None:
    if not _is_discriminator(state):
        return None
    layers = number_of(lambda layer: f"main.{2 * layer}.weight" in state)
    names = discriminator_names(layers)
    if names.keys() != state.keys():
        return None
    tensors = {ours: state[theirs] for theirs, ours in names.items()}
    return Weights(tensors, {"discriminator_width": len(state["main.0.weight"]), "num_layers": layers})


def _count_blocks(state: State) -> int:
    return len({match[1] for key in state if (match := re.fullmatch(r"main\.(\d+)\.main\.0\.weight", key))})


def networks_like(state: State) -> Iterator[Known]:
    """A generator in a size like that of an unknown file."""
    if not mentions(state, "main."):
        return
    blocks = len({key.split(".")[1] for key in state if re.match(r"main\.\d+\.main\.", key)}) or 6
    with torch.device("meta"):
        ours = Generator(3, 5, width_in(state, "main.0.weight"), min(blocks, 50)).state_dict()
    names = generator_names(min(blocks, 50))
    shapes = {theirs: tuple(ours[name].shape) for theirs, name in names.items()}
    yield Known(f"a generator of {min(blocks, 50)} blocks", shapes)


def generator_names(num_blocks: int) -> dict[str, str]:
    """The authors' keys of a generator's weights -> ours; running statistics are left out."""
    names = _conv_norm(0, "stem") | _conv_norm(3, "down.0") | _conv_norm(6, "down.1")
    for block in range(num_blocks):
        for place, ours in ((0, "first"), (3, "second")):
            names |= _conv_norm(place, f"blocks.{block}.{ours}", f"main.{9 + block}.main")
    last = 9 + num_blocks
    names |= _conv_norm(last, "up.0") | _conv_norm(last + 3, "up.1")
    return names | {f"main.{last + 6}.weight": "head.weight"}


def discriminator_names(num_layers: int) -> dict[str, str]:
    """The authors' keys of a discriminator's weights -> ours."""
    names = {"conv1.weight": "score.weight", "conv2.weight": "classify.weight"}
    for layer in range(num_layers):
        names |= {f"main.{2 * layer}.{kind}": f"layers.{layer}.{kind}" for kind in ("weight", "bias")}
    return names


def _conv_norm(place: int, ours: str, inside: str = "main") -> dict[str, str]:
    """A convolution without bias and the norm behind it."""
    norm = {f"{inside}.{place + 1}.{kind}": f"{ours}.norm.{kind}" for kind in ("weight", "bias")}
    return {f"{inside}.{place}.weight": f"{ours}.conv.weight"} | norm


def _is_discriminator(state: State) -> bool:
    return {"conv1.weight", "conv2.weight", "main.0.weight", "main.0.bias"} <= state.keys()


def _labels(number: int) -> tuple[dict[str, Any], str]:
    """The settings that name so many labels, and a note on what the file cannot tell."""
    unknown = "the file does not name its labels"
    if number == len(CELEBA):
        return {
            "attributes": CELEBA
        }, f"{unknown}: five are assumed to be those of the published CelebA models"
    if number == len(_RAFD):
        return {
            "domains": _RAFD
        }, f"{unknown}: eight are assumed to be RaFD's expressions in alphabetical order"
    if number == len(CELEBA) + len(_RAFD) + 2:
        settings = {"attributes": CELEBA, "domains": _RAFD, "sets": ("attributes:5", "domains:8")}
        return settings, f"{unknown}: fifteen are assumed to be CelebA's five, RaFD's eight and a mask of two"
    numbers = tuple(str(place + 1) for place in range(number))
    return {
        "attributes": numbers
    }, f"{unknown}, nor which exclude each other: they are called by their numbers"


def _fits(config: StarGANConfig, channels: int, num_labels: int, state: State) -> bool:
    """Whether the weights are exactly those of our generator."""
    with torch.device("meta"):
        wanted = Generator(channels, num_labels, config.width, config.num_blocks).state_dict()
    return {name: tensor.shape for name, tensor in state.items()} == {
        name: tensor.shape for name, tensor in wanted.items()
    }
