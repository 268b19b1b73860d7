"""What a user asks for by names, `Blond_Hair,Male`, as the labels of a StarGAN. No torch here."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from i2icli.errors import UserError, one_of


@dataclass(frozen=True)
class LabelSet:
    """The labels of one data set: attributes, of which several can be on, or domains, of which one is."""

    kind: Literal["attributes", "domains"]
    names: tuple[str, ...]
    groups: tuple[tuple[str, ...], ...]  # of the names in each at most one can be on


def chosen(text: str, sets: Sequence[LabelSet], what: str) -> tuple[int, frozenset[str]]:
    """The label set that names joined by commas are of, by its number, and the names.

    Raises UserError for an unknown name (listing all), names of different sets, and names of which
    only one can be on. `what` is "target" or "source".
    """
    known = [name for labels in sets for name in labels.names]
    names = [one_of(part.strip(), known, what) for part in text.split(",")]
    number = next(number for number, labels in enumerate(sets) if names[0] in labels.names)
    others = [name for name in names if name not in sets[number].names]
    if others:
        raise UserError(
            f"the {what} names {names[0]} and {others[0]}, which are of different label sets; name one's"
        )
    for group in sets[number].groups:
        together = [name for name in group if name in names]
        if len(together) > 1:
            raise UserError(f"the {what} names {' and '.join(together)}, of which only one can be on")
    return number, frozenset(names)


def spelled(names: frozenset[str], labels: LabelSet) -> str:
    """Names in the order of their set, joined by commas."""
    return ",".join(name for name in labels.names if name in names)


def flipped(on: frozenset[str], named: frozenset[str], labels: LabelSet) -> frozenset[str]:
    """The labels `on`, changed as the authors' test program does.

    A named member of an exclusive group takes the group's place; any other named label is turned over.
    """
    for name in named:
        group = next((group for group in labels.groups if name in group), None)
        on = on ^ {name} if group is None else on - set(group) | {name}
    return on
