"""Pickles of whole networks as the paper's program of Progressive GAN saves them, read without running code.

Such a file holds `tfutil.Network` objects, each a dict of settings, variables and the source text of its
builder. See `array_pickles` for how it is read.
"""

from collections.abc import Mapping
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from i2icli.errors import UserError
from i2icli.originals.array_pickles import Array, load_pickle
from i2icli.originals.pickle_machine import TOO_MUCH, RefusedError, StandIn

LARGEST = 4 * 2**30  # bytes of a file that is read into memory
LAYERS = 10_000  # variables of all networks together, far more than any have
_HEAD = 256  # bytes among which such a file names its class


def is_network_pickle(path: Path) -> bool:
    """Whether a file begins like such a pickle."""
    with path.open("rb") as file:
        head = file.read(_HEAD)
    return head[:1] == b"\x80" and b"tfutil" in head


def read_network_pickle(path: Path) -> dict[str, Tensor]:
    """The variables of all networks in the file, "<network>.<variable>", on the CPU.

    Networks are called G, D and Gs (the moving average of G) where there are three, as in published files,
    else by their own names. Their settings that are numbers follow as "<network>.static_kwargs/<name>".
    Raises UserError for anything else.
    """
    try:
        if path.stat().st_size > LARGEST:
            raise RefusedError(f"it is larger than {LARGEST >> 30} GB")
        data = path.read_bytes()
        networks = _networks(load_pickle(data, _STAND_INS))
        _check_memory(networks, len(data))
        found: dict[str, Tensor] = {}
        for name, network in networks.items():
            found |= {f"{name}.{key}": value for key, value in _tensors(network).items()}
        return found
    except Exception as error:  # hostile files find every way to fail
        reason = str(error) if isinstance(error, RefusedError) else "it is damaged"
        raise UserError(
            f"{path}: not a pickle of networks that can be read safely ({reason}); "
            "expected one as the paper's program of Progressive GAN writes it"
        ) from None


# -- stand-ins -------------------------------------------------------------------------------------


class _Network(StandIn):
    """What `tfutil.Network` keeps."""

    def __init__(self) -> None:
        self.state: Mapping[str, Any] = {}

    def set_state(self, state: object) -> None:
        """Keep it, if it is a dictionary."""
        self.state = state if isinstance(state, Mapping) else {}


_STAND_INS = {("tfutil", "Network"): _Network}


# -- what came out ---------------------------------------------------------------------------------


def _networks(found: object) -> dict[str, _Network]:
    """The networks by name."""
    several = found if isinstance(found, tuple | list) else (found,)
    networks = [each for each in several if isinstance(each, _Network)]
    if not networks or len(networks) != len(several):
        raise RefusedError("it holds no networks")
    if len(networks) == 3:
        return dict(zip(("G", "D", "Gs"), networks, strict=True))
    return {str(network.state.get("name", number)): network for number, network in enumerate(networks)}


def _check_memory(networks: Mapping[str, _Network], length: int) -> None:
    """Raise RefusedError for more layers or numbers than a file of so many bytes can hold."""
    states = [network.state for network in networks.values()]
    lists = [each for state in states if isinstance(each := state.get("variables"), list)]
    settings = [each for state in states if isinstance(each := state.get("static_kwargs"), Mapping)]
    if max(len(states), sum(map(len, lists)), sum(map(len, settings))) > LAYERS:
        raise RefusedError(TOO_MUCH)
    entries = chain.from_iterable(lists)
    arrays = (entry[1] for entry in entries if isinstance(entry, tuple) and len(entry) == 2)
    if sum(array.size for array in arrays if isinstance(array, Array)) > length:
        raise RefusedError(TOO_MUCH)


def _tensors(network: _Network) -> dict[str, Tensor]:
    variables, settings = network.state.get("variables"), network.state.get("static_kwargs")
    if not isinstance(variables, list):
        raise RefusedError("a network without variables")
    found: dict[str, Tensor] = {}
    for entry in variables:
        if not isinstance(entry, tuple) or len(entry) != 2 or not isinstance(entry[0], str):
            raise RefusedError("a network whose variables have no names")
        name, value = entry
        if isinstance(value, float):
            found[name] = torch.tensor(value)
            continue
        if not isinstance(value, Array):
            raise RefusedError(f"its variable {name[:60]!r} is no array")
        found[name] = torch.from_numpy(value.values().astype(np.float32))
    if isinstance(settings, Mapping):
        for key, value in settings.items():
            if isinstance(key, str) and isinstance(value, bool | int | float) and abs(value) < 2**31:
                found[f"static_kwargs/{key}"] = torch.tensor(float(value))
    return found
