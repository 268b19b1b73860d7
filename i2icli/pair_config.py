"""Settings of systems that learn from pairs, or are scored on them. No torch here."""

from typing import ClassVar

from pydantic import Field

from i2icli.config import Config
from i2icli.pair_pattern import Pair


class PairConfig(Config):
    """How images are known to be a pair, where neither the same names nor their shape tell."""

    may_change: ClassVar[frozenset[str]] = Config.may_change | {"pair", "side_by_side"}

    pair: Pair | None = Field(
        None,
        description="how the names of a pair differ, A:B with {} for what they share, such as "
        "'{}_A.png:{}_B.png' or 'images/{}.jpg:masks/{}_mask.png'; default: the same names, or as found",
    )
    side_by_side: bool = Field(
        False,
        description="the halves of every image are a pair; default: where images are twice as wide as high",
    )
