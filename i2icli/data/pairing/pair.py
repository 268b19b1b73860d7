"""Two images of one scene."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from i2icli.image import Item, Pixels
from i2icli.image.halves import HalfItem
from i2icli.image.kinds import decode
from i2icli.pair_config import MOST_ASPECTS, PairConfig
from i2icli.pair_pattern import PairPattern, parse_pattern
from i2icli.task import Port


@dataclass(frozen=True)
class PairChoice:
    """What a user says of how images are paired."""

    pattern: PairPattern | None = None
    side_by_side: bool = False  # the halves of an image are a pair, whatever its shape
    inputs: tuple[str, ...] = ()  # folders whose images are stacked as the source

    @classmethod
    def of(cls, config: PairConfig) -> Self:
        """As configured."""
        inputs = tuple(getattr(config, "inputs", ()))
        return cls(parse_pattern(config.pair) if config.pair else None, config.side_by_side, inputs)


AS_FOUND = PairChoice()


@dataclass(frozen=True)
class Pair:
    """Two images of one scene; `b` is None where the halves of `a` are the pair."""

    a: Item
    b: Item | None

    @property
    def files(self) -> tuple[Item, Item]:
        """What A and B are in."""
        return self.a, self.b or self.a

    @property
    def apart(self) -> tuple[Item, Item]:
        """A and B, each to be read alone."""
        return (HalfItem(self.a, False), HalfItem(self.a, True)) if self.b is None else (self.a, self.b)

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of A, to which B is resized."""
        height, width = self.a.header().size
        return (height, width // 2) if self.b is None else (height, width)

    def read(self, ports: tuple[Port, Port]) -> tuple[Pixels, Pixels]:
        """A and B, decoded (H, W, C) as their ports have it. Raises UserError."""
        a = decode(self.a, ports[0])
        if self.b is not None:
            return a, decode(self.b, ports[1])
        both = a if ports[0].range == ports[1].range else decode(self.a, ports[1])
        half = a.shape[1] // 2
        return a[:, :half], both[:, half:]


@dataclass(frozen=True)
class FoundPairs:
    """The pairs of a user's folders, to be read yet."""

    how: str  # they were found, for the report
    train: list[tuple[Path, Path | None]]
    validation: list[tuple[Path, Path | None]] | None  # None: there is no place for them
    validation_from: str = ""
    skipped: tuple[str, ...] = ()
    names: tuple[str, str] | None = None  # of A and B, if their folders have telling ones
    stacked: Mapping[Path, tuple[Path, ...]] = field(default_factory=dict)  # what is stacked on an A
    pattern: PairPattern | None = None  # by which their names differ


def known_again(found: FoundPairs, pairs: Sequence[Pair]) -> dict[str, Any]:
    """The settings of `PairConfig` by which a model that learned from pairs knows such pairs again."""
    sizes = (pair.a.header().size for pair in pairs if pair.b is None)
    usual = Counter(round(width / height, 2) for height, width in sizes).most_common(MOST_ASPECTS)
    return {
        "pair_names": found.names or ("A", "B"),
        "pair_aspects": tuple(aspect for aspect, _ in usual),
        "pair_found": str(found.pattern) if found.pattern else None,
    }
