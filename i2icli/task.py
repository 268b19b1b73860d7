"""What a model can be asked for. No torch: the command line, `info`, exports and servers read it."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple

from i2icli.classes import LabelSet
from i2icli.conditions import Condition
from i2icli.errors import UserError, about, one_of
from i2icli.reading import AS_FOUND, Reading
from i2icli.value_range import TYPE, ValueRange, bounds, of_sides, spelled

ALL = "all"  # the value of --to that means every target

Kind = Literal["image", "labels", "instances", "condition"]
"""How a file becomes a tensor, is resized, padded and written.

image: values in [-1, 1], resized bicubically, padded by reflection. labels and instances: whole numbers
(class or object ids) that are never interpolated, scaled, reflected or colour-converted. condition: planes
that are computed from another input (edges, landmarks), resized and padded like images.
"""
Tiling = Literal["free", "global-norm", "whole"]
"""free: tiles of an image give the same output as the whole; global-norm: but for norms over the whole image;
whole: the output depends on the whole image."""


class StackPart(NamedTuple):
    """One of several images that are stacked as the channels of an input."""

    name: str
    channels: int
    range: ValueRange | None = None  # as that of a port

    def __str__(self) -> str:
        """As settings hold it: "1 0,4095 uint16 depth", "3 type - rgb"."""
        limits = spelled(self.range.low, self.range.high) if self.range else TYPE
        return f"{self.channels} {limits} {self.range.dtype if self.range else '-'} {self.name}"

    @classmethod
    def parse(cls, text: str) -> "StackPart":
        """What `str` makes a text of. Raises ValueError for anything else."""
        channels, limits, dtype, name = text.split(" ", 3)
        known = bounds(limits)
        return cls(name, int(channels), None if known is None else ValueRange(*known, dtype))


@dataclass(frozen=True)
class Port:
    """One input or output of a task."""

    channels: int = 3  # of labels: the planes of their classes
    kind: Kind = "image"
    condition: Condition | None = None  # how its planes are computed from an image, with kind "condition"
    labels: LabelSet | None = None  # what the ids of label maps stand for; None: 0 to channels - 1
    instead: str | None = None  # of an input: that whose values stand in for it; None: it must be given
    multiple: int = 1  # sides are padded to a multiple of this
    minimum: int = 16  # pixels: smaller sides are padded to a multiple of this, too
    scale: float = 1.0  # of an output: its sides over those of the first input
    fixed: tuple[int, int] | None = None  # (height, width), where there is only one
    dtype: str | None = None  # number type of its images' values; None: of an output as the first input's
    range: ValueRange | None = None  # the values that become -1 and 1; None: all that their type holds
    reading: Reading = AS_FOUND  # of its images, apart from the number of channels
    parts: tuple[StackPart, ...] = ()  # the images stacked in it, see `image.stacked`; none: it is one


def image_ports(
    channels: tuple[int, int],
    types: Sequence[str] | None,
    ranges: str,
    reading: Reading = AS_FOUND,
    alpha: Sequence[bool] | None = None,
) -> tuple[Port, Port]:
    """The ports of images of two sides, as settings describe them.

    types: number types that were found, of one side or two; ranges: see `value_range`, as far as they are
    known; alpha: whether the last channel of a side is transparency. Values of 8 bits on both sides leave the
    type of an output to that of the input.
    """
    found = (types[0], types[-1]) if types else (None, None)
    dtypes = (None, None) if set(found) <= {None, "uint8"} else found

    def port(side: int) -> Port:
        limits = bounds(of_sides(ranges)[side])
        known = None if limits is None else ValueRange(*limits, found[side] or "float32")
        how = replace(reading, alpha=bool(alpha and (alpha[0], alpha[-1])[side]))
        return Port(channels[side], dtype=known.dtype if known else dtypes[side], range=known, reading=how)

    return port(0), port(1)


@dataclass(frozen=True)
class Noise:
    """Planes of uniform random numbers in [0, 1) that the networks read, drawn from the seed."""

    channels: int
    scale: float  # sides over those of the first input


@dataclass(frozen=True)
class PairSide:
    """Which side of pairs a task translates; the other one is its ground truth."""

    index: int  # 0: A, the left half of a pair side by side; 1: B, the right one
    names: tuple[str, ...] = ("A", "B")  # of the folders of A and B
    aspects: tuple[float, ...] = ()  # width over height of the pairs side by side it learned from
    pattern: str | None = None  # how names of A and B differ, see `pair_pattern`
    aligned: bool = True  # it learned from pairs; False: equal names are pairs only where all have partners


@dataclass(frozen=True)
class Task:
    """One thing a model can be asked for."""

    name: str | None  # what --to calls it; None: the only one
    inputs: Mapping[str, Port] = field(hash=False)  # the first is translated; {}: it generates from codes
    output: Port
    reads: frozenset[str] = frozenset()  # what decides the output: to, source, reference, latent, style, ...
    requires: frozenset[str] = frozenset()  # of these, what must be given
    source: str | None = None  # the domain of the input, where that selects networks
    sources: tuple[str, ...] = ()  # domains that a folder above an input may name
    latent_size: int = 0  # numbers in a latent code, Z; 0: it reads none
    reference: Port | None = None  # what a reference is read as
    noise: Mapping[str, Noise] = field(default_factory=dict, hash=False)
    memory: Mapping[str, Port] = field(default_factory=dict, hash=False)  # carried from frame to frame
    pair: PairSide | None = None  # the side of pairs that it translates, if there are two
    tiling: Tiling = "whole"
    broadcasts: bool = False  # whether an input of one row may meet the codes or references of many
    condition_per_input: bool = False  # whether `Config.conditions` reads the inputs; else it has none
    graph: str = ""  # tasks of different ones are computed by different networks, see `graph_key`
    untraceable: str = ""  # why `System.forward` cannot be exported as a graph; "": it can

    @property
    def generates(self) -> bool:
        """Whether it makes images of latent codes alone."""
        return not self.inputs

    @property
    def graph_key(self) -> tuple[str, str | None]:
        """Equal for tasks that the same networks compute: their conditions alone tell them apart."""
        return self.graph, self.source if self.sources else None


def noise_planes(planes: Sequence[Noise]) -> dict[str, Noise]:
    """The planes of noise that a network reads, in its order, by name."""
    return {f"noise_{number}": plane for number, plane in enumerate(planes, 1)}


def names_of(tasks: Sequence[Task]) -> tuple[str, ...]:
    """What `--to` may call them, the default first."""
    return tuple(task.name for task in tasks if task.name is not None)


def find_task(tasks: Sequence[Task], to: str | None) -> Task:
    """The task of that name, case aside; the first without a name. Raises UserError listing them."""
    if to is None:
        return tasks[0]
    names = names_of(tasks)
    with about_target(tasks, to):
        name = one_of(to, names, "target")
    return next(task for task in tasks if task.name == name)


@contextmanager
def about_target(tasks: Sequence[Task], to: str) -> Iterator[None]:
    """Errors raised inside are about `--to`, and say how to ask for every target."""
    try:
        with about(f"--to {to}"):
            yield
    except UserError as error:
        every = f"; {ALL} means every one" if len(names_of(tasks)) > 1 else ""
        raise UserError(f"{error}{every}") from None


def is_all(to: str | None) -> bool:
    """Whether `--to` means every target."""
    return to is not None and to.casefold() == ALL
