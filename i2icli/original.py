"""What a system makes of somebody else's checkpoint.

It stands beside the contract because both sides import it: the systems, which recognise the
files of their paper's authors, and `i2icli.originals` above them, which asks each in turn.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

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
