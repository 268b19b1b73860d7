"""Which network of the authors' code a file holds, by its keys."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

from i2icli.originals.checkpoint import State, rename, without_biases
from i2icli.systems.pix2pixhd.names import grown_names, resnet_names


@dataclass(frozen=True)
class Layout:
    """A network of the authors' code, as far as its keys tell."""

    depth: int
    num_blocks: int
    enhancers: int = 0
    enhancer_blocks: int = 0

    @property
    def head(self) -> str:
        """Our name of the last layer's weights."""
        return f"G.levels.{self.enhancers - 1}.head.weight" if self.enhancers else "G.head.weight"

    @property
    def names(self) -> dict[str, str]:
        """Their prefixes -> ours."""
        if not self.enhancers:
            return resnet_names(self.depth, self.num_blocks)
        return grown_names(self.depth, self.num_blocks, self.enhancers, self.enhancer_blocks)


def find_layout(state: State) -> Layout | None:
    """The layout that the keys of a generator or an encoder suggest; None if they look like neither."""
    if not has_kernel(state, "model.1.weight", 7):
        return None
    width = state["model.1.weight"].shape[0]
    downs = number_there(lambda k: _leads(state, f"model.{4 + 3 * k}.weight", width << k, width << k + 1))
    blocks = number_there(lambda k: f"model.{4 + 3 * downs + k}.conv_block.1.weight" in state)
    enhancers = number_there(lambda k: has_kernel(state, f"model{k + 1}_1.1.weight", 7))
    inner = number_there(lambda k: f"model1_2.{k}.conv_block.1.weight" in state)
    return Layout(downs, blocks, enhancers, inner) if downs else None


def renamed(state: State, layout: Layout | None) -> State | None:
    """A network's tensors under our names, without what old files hold for nothing; None if it is another.

    Instance norms of library 0.3 stored running statistics that the program never used.
    """
    ours = rename(state, layout.names) if layout else None
    if ours is None:
        return None
    if any(name.endswith("norm.weight") for name in ours):
        return without_biases(ours)
    return without_norms(ours)


def without_norms(state: State) -> State:
    """Without what old files keep beside instance norms."""
    return {name: tensor for name, tensor in state.items() if ".norm." not in name}


def has_kernel(state: State, name: str, side: int) -> bool:
    """Whether there is a convolution of that kernel."""
    return name in state and state[name].shape[2:] == (side, side)


def _leads(state: State, name: str, before: int, after: int) -> bool:
    """Whether there is a convolution between so many channels."""
    return has_kernel(state, name, 3) and state[name].shape[:2] == (after, before)


def number_there(there: Callable[[int], bool]) -> int:
    """How many of something there are, numbered from 0."""
    return next(index for index in count() if not there(index))
