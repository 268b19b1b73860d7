"""What an unknown checkpoint resembles most, and where it first differs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module

from torch import Tensor

from i2icli.originals.checkpoint import Known, State
from i2icli.originals.forms import inner_networks
from i2icli.originals.reader import shape_text, short
from i2icli.registry import SYSTEMS

LEAST = 0.15  # of all names and shapes that must agree for a resemblance to be worth a word
MOST_SHOWN = 3  # differences
MOST_PARTS = 2  # networks of a file that are compared, beside the whole


@dataclass(frozen=True)
class Nearest:
    """The known network that an unknown file shares most names and shapes with."""

    system: str
    what: str
    part: str  # the network in the file, "" for the whole
    agreeing: int  # names with the same shape
    expected: int  # names that the known network has
    differences: tuple[str, ...]  # the first ones, in words

    def __str__(self) -> str:
        where = f"{self.part} of it is " if self.part else ""
        return (
            f"{where}nearest to {self.system}, {self.what} ({self.agreeing} of {self.expected} tensors "
            f"agree); first differences: {', '.join(self.differences)}"
        )


def nearest(state: State) -> Nearest | None:
    """The closest of what all systems know; None if nothing has much in common with the file."""
    best: tuple[float, str, Known, str, State] | None = None
    inner = [(name, part) for name, part in inner_networks(state) if len(part) * 10 >= len(state)]
    parts = [("", state), *inner[:MOST_PARTS]]
    for name, part in parts:
        for system, network in _known(part):
            score = _score(part, network)
            if best is None or score > best[0]:
                best = score, system, network, name, part
    if best is None or best[0] < LEAST:
        return None
    _, system, network, name, part = best
    agreeing = sum(tuple(part[key].shape) == shape for key, shape in network.shapes.items() if key in part)
    differences = tuple(_differences(part, network))[:MOST_SHOWN]
    return Nearest(system, network.what, short(name), agreeing, len(network.shapes), differences)


def _known(state: State) -> Iterator[tuple[str, Known]]:
    for system, entry in SYSTEMS.items():
        if entry.original is None:
            continue
        networks_like = getattr(import_module(entry.original), "networks_like", None)
        try:
            for network in networks_like(state) if networks_like else ():
                yield system, network
        except (ValueError, KeyError, IndexError):
            continue  # sizes in the file that no such network has


def _score(state: Mapping[str, Tensor], network: Known) -> float:
    """Between 0 and 1: names that both have, and among them those of equal shape."""
    names = {name for name in state if not _unused(name, network)}
    common = names & network.shapes.keys()
    equal = sum(tuple(state[name].shape) == network.shapes[name] for name in common)
    return (len(common) + equal) / (2 * max(1, len(names | network.shapes.keys())))


def _differences(state: Mapping[str, Tensor], network: Known) -> Iterator[str]:
    """In the order of layers: other shapes and missing tensors, then tensors that are not expected."""
    for name, shape in network.shapes.items():
        if name not in state:
            yield f"{name} ({shape_text(shape)}) is missing"
        elif tuple(state[name].shape) != shape:
            yield f"{name} is {shape_text(tuple(state[name].shape))} instead of {shape_text(shape)}"
    for name in state:
        if name not in network.shapes and not _unused(name, network):
            yield f"{short(name)} is not expected"


def _unused(name: str, network: Known) -> bool:
    """Counters, and statistics that old versions of the library saved beside norms that have none."""
    statistics = name.endswith(("running_mean", "running_var")) and name not in network.shapes
    return statistics or name.endswith("num_batches_tracked")
