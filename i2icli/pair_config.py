"""Settings of systems that learn from pairs, or are scored on them. No torch here."""

from collections.abc import Sequence
from typing import Annotated, ClassVar

from pydantic import Field

from i2icli.config import Config, TwoNames
from i2icli.pair_pattern import Pair
from i2icli.task import PairSide, Port

MOST_ASPECTS = 8  # that a model remembers
Aspects = Annotated[tuple[Annotated[float, Field(gt=0, le=1000)], ...], Field(max_length=MOST_ASPECTS)]
LABEL_SIDES = ("labels", "photos")
"""What the sides of pairs are called of which one is label maps, where their folders have no names."""
_FOUND = frozenset({"pair_names", "pair_aspects", "pair_found"})


class PairConfig(Config):
    """How images are known to be a pair, where neither the same names nor their shape tell."""

    may_change: ClassVar[frozenset[str]] = Config.may_change | {"pair", "side_by_side"} | _FOUND
    found_only: ClassVar[frozenset[str]] = Config.found_only | _FOUND

    pair: Pair | None = Field(
        None,
        description="how the names of a pair differ, A:B with {} for what they share, such as "
        "'{}_A.png:{}_B.png' or 'images/{}.jpg:masks/{}_mask.png'; default: the same names, or as found",
    )
    side_by_side: bool = Field(
        False,
        description="the halves of every image are a pair; default: where images are twice as wide as high",
    )
    pair_names: TwoNames = Field(("A", "B"), description="names of the sides A and B; found")
    pair_aspects: Aspects = Field(
        (), description="width over height of images that were pairs side by side; found"
    )
    pair_found: Pair | None = Field(None, description="how the names of a pair differ; found")

    def pair_side(self, index: int, names: Sequence[str], *, aligned: bool = True) -> PairSide:
        """The side of pairs that a task translates (0: A, 1: B), told as it was in training."""
        pattern = self.pair or self.pair_found
        return PairSide(index, tuple(names), self.pair_aspects, pattern, aligned)

    def label_side(self) -> PairSide:
        """The side of the label maps, of pairs of these and photos."""
        return self.pair_side(int(self.pair_names[1] == LABEL_SIDES[0]), self.pair_names)


def label_side(port: Port) -> PairSide | None:
    """The side of label maps, where these are what an input reads."""
    return PairSide(0, LABEL_SIDES) if port.kind == "labels" else None
