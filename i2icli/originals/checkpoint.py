"""What a system makes of somebody else's checkpoint.

It stands beside the contract because both sides import it: the systems, which recognise the
files of their paper's authors, and `i2icli.originals` above them, which asks each in turn.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from i2icli.config import Config

State = dict[str, Tensor]
Read = Callable[[Path], State]
"""Reads another checkpoint safely: the parts of one model often lie in several files."""


@dataclass(frozen=True)
class Original:
    """A checkpoint of the paper's authors, in our words."""

    system: str  # name in the registry
    config: Config
    tensors: dict[str, Tensor]  # as in System.state_dict(), at least the inference modules: "G.head.bias"
    notes: tuple[str, ...] = ()  # what the file cannot tell, one sentence each
    translates: bool = True  # False: it holds a part of a system, which can only start a training
    stage: str | None = None  # in which it was saved, by name; None: the first of these settings
    stage_step: int = 0
    reason: str = ""  # the keys and shapes it was recognised by, in one line


@dataclass(frozen=True)
class Weights:
    """One network of a file, in our words."""

    tensors: State  # by their names inside our network
    settings: Mapping[str, Any] = field(default_factory=dict)  # that keys and shapes tell


@dataclass(frozen=True)
class Part:
    """A network of the authors' program that a training may start from, one by one (`--init-from`)."""

    module: str  # ours: "G_AB"
    read: Callable[[State], Weights | None]  # a file's tensors under our names; None if it is another network
    about: str = ""  # which one it is: "horse to zebra"
    names: frozenset[str] = frozenset()  # what others call it, as `plain_name` gives them


def plain_name(name: str) -> str:
    """Names of one network that differ in spelling alone: netG_A2B, G_AB and G_AtoB are "gab"."""
    word = re.sub(r"^net_?|_", "", name.lower())
    return re.sub(r"(?<=[a-z])(2|to)(?=[a-z])", "", re.sub(r"^(generator|gen)", "g", word))


def renaming(names: Callable[[State], Mapping[str, str]]) -> Callable[[State], Weights | None]:
    """A reader of files whose layers are only called otherwise; `names` gives ours for their prefixes."""

    def read(state: State) -> Weights | None:
        found = rename(state, names(state))
        return Weights(found) if found else None

    return read


@dataclass(frozen=True)
class Known:
    """A network as its authors' files hold it, for unknown files to be compared with."""

    what: str  # "a ResNet generator of 9 blocks"
    shapes: Mapping[str, tuple[int, ...]]  # by their names


def known(what: str, network: Mapping[str, Tensor], names: Mapping[str, str]) -> Known:
    """A network of ours under the names of its authors; `names` gives ours for their prefixes.

    Counters, which old files lack, are left out.
    """
    theirs = {ours: prefix for prefix, ours in names.items()}
    shapes = {}
    for name, tensor in network.items():
        prefix, _, last = name.rpartition(".")
        if prefix in theirs and last != "num_batches_tracked":
            shapes[f"{theirs[prefix]}.{last}"] = tuple(tensor.shape)
    return Known(what, shapes)


def mentions(state: State, *starts: str) -> bool:
    """Whether a name begins so: what has no name in common with a network need not be compared with it."""
    return any(name.startswith(starts) for name in state)


def width_in(state: State, name: str, otherwise: int = 64) -> int:
    """Channels that a convolution makes, if the file has it in a usual size."""
    weight = state.get(name)
    return (
        weight.shape[0]
        if weight is not None and weight.ndim == 4 and 0 < weight.shape[0] <= 512
        else otherwise
    )


def inputs_in(state: State, name: str, otherwise: int = 3) -> int:
    """Channels that a convolution reads, if the file has it in a usual size."""
    weight = state.get(name)
    return (
        weight.shape[1]
        if weight is not None and weight.ndim == 4 and 0 < weight.shape[1] <= 512
        else otherwise
    )


def number_of(there: Callable[[int], bool], otherwise: int = 0, most: int = 64) -> int:
    """How many of something there are, numbered from 0; `otherwise` if there are none or too many."""
    number = next(index for index in range(most + 2) if index > most or not there(index))
    return number if 0 < number <= most else otherwise


def rename(state: State, names: Mapping[str, str]) -> State | None:
    """The same tensors under our names: `names` gives ours for the prefixes of theirs.

    "model.4" stands for "model.4.weight" and "model.4.bias". None if a tensor has no name there.
    """
    found: State = {}
    for name, tensor in state.items():
        prefix, _, last = name.rpartition(".")
        if prefix not in names:
            return None
        found[f"{names[prefix]}.{last}"] = tensor
    return found


def fit(state: State, wanted: State, default: Callable[[str], float | None] = lambda _: None) -> State | None:
    """The tensors that networks of ours hold, `wanted`, out of a file; None if one is not as it should be.

    `default` names the value of a tensor that files may lack, None where it must be there. Counters of
    batch norm, which old files lack, become 0.
    """
    found: State = {}
    for name, like in wanted.items():
        tensor = state.get(name)
        value = 0.0 if name.endswith("num_batches_tracked") else default(name)
        if tensor is None and value is not None:
            tensor = torch.full(like.shape, value)
        if tensor is None or tensor.shape != like.shape:
            return None
        found[name] = tensor.to(like.dtype).contiguous()
    return found


def without_biases(state: State) -> State:
    """Our names, without biases in front of batch norms, which ours lack: they only move the running mean."""
    found = dict(state)
    for name in state:
        layer = name.removesuffix(".norm.running_mean")
        if layer != name and f"{layer}.conv.bias" in state:
            found[name] = state[name] - found.pop(f"{layer}.conv.bias")
    return found
