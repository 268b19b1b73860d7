"""How the names of two images of a pair differ: {}_A.png:{}_B.png. No torch here."""

import re
import unicodedata
from functools import lru_cache
from pathlib import PurePosixPath
from typing import Annotated, NamedTuple

from pydantic import BeforeValidator

EXPECTED = (
    "expected A:B with one {} on each side, such as {}_A.png:{}_B.png or images/{}.jpg:masks/{}_mask.png"
)
_ANY = "{}"


class PairPattern(NamedTuple):
    """What paths of A and B look like below the data folder; {} stands for what they share."""

    a: str
    b: str

    def __str__(self) -> str:
        return f"{self.a}:{self.b}"

    def key(self, side: int, path: str) -> tuple[str, str] | None:
        """What a path, with slashes, shares with its partner; None if it is none of that side (0: A, 1: B).

        Folders above those of the pattern are shared, too. Case and Unicode form make no difference, and a
        side without suffix stands for files of any.
        """
        match = _expression(self[side]).fullmatch(plain(path))
        return (match["above"], match["own"]) if match else None


def parse_pattern(text: str) -> PairPattern:
    """A pattern as it is written. Raises ValueError saying what is expected."""
    sides = text.strip().split(":")
    if len(sides) != 2 or any(side.count(_ANY) != 1 for side in sides):
        raise ValueError(EXPECTED)
    for side in sides:
        if side.startswith("/") or "\\" in side or ".." in side.split("/"):
            raise ValueError(f"{side!r} leaves the data folder; {EXPECTED}")
    if plain(sides[0]) == plain(sides[1]):
        raise ValueError(f"both sides are {sides[0]!r}; {EXPECTED}")
    return PairPattern(*sides)


def plain(path: str) -> str:
    """A path in the form in which paths are compared."""
    return unicodedata.normalize("NFC", path).casefold()


def _checked(value: object) -> object:
    return str(parse_pattern(value)) if isinstance(value, str) else value


Pair = Annotated[str, BeforeValidator(_checked)]
"""A pattern as a setting."""


@lru_cache(maxsize=64)
def _expression(side: str) -> re.Pattern[str]:
    before, after = (re.escape(plain(part)) for part in side.removeprefix("./").split(_ANY))
    suffix = "" if PurePosixPath("x" + side.rpartition(_ANY)[2]).suffix else r"\.[^./]+"
    return re.compile(rf"(?P<above>(?:.*/)?){before}(?P<own>.+){after}{suffix}", re.DOTALL)
