"""The range of an image's values: which of them networks see as -1 and as 1. No torch here.

Written as LOW,HIGH, or how it is to be found: found, type, percentile:LOW,HIGH; two, for two sides, are
joined by a slash.
"""

import math
import re
from typing import NamedTuple

TYPE, FOUND, PERCENTILE = "type", "found", "percentile"
SEPARATOR = "/"
"""Between the ranges of two sides."""
EXPECTED = "expected found, type, LOW,HIGH or percentile:LOW,HIGH, or two of them as in 0,4095/type"

_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_PAIR = re.compile(rf"\s*({_NUMBER})\s*,\s*({_NUMBER})\s*")


class ValueRange(NamedTuple):
    """A range of values, and the number type that data of it were found in."""

    low: float  # what networks see as -1
    high: float  # as 1
    dtype: str = "float32"

    def __str__(self) -> str:
        return f"{number(self.low)} to {number(self.high)}"

    @property
    def span(self) -> float:
        """From the lowest to the highest."""
        return self.high - self.low


def parse_ranges(value: object) -> object:
    """A setting as it is kept: "0,4095", "type/found". Raises ValueError saying what is expected.

    Beside texts it takes two numbers, as Python and recipes may give them.
    """
    if isinstance(value, tuple | list) and len(value) == 2 and all(_is_number(each) for each in value):
        value = f"{number(value[0])},{number(value[1])}"
    if not isinstance(value, str):
        return value
    sides = value.split(SEPARATOR)
    if len(sides) > 2:
        raise ValueError(EXPECTED)
    return joined(*map(_checked, sides))


def joined(*sides: str) -> str:
    """The ranges of one or two sides as one setting."""
    return SEPARATOR.join(dict.fromkeys(sides))


def of_sides(setting: str) -> tuple[str, str]:
    """The ranges of both sides, the same where there is one."""
    first, _, second = setting.partition(SEPARATOR)
    return first, second or first


def bounds(side: str) -> tuple[float, float] | None:
    """The numbers of LOW,HIGH; None for a range that the data or the type tells."""
    match = _PAIR.fullmatch(side)
    return None if match is None else (float(match[1]), float(match[2]))


def percentiles(side: str) -> tuple[float, float] | None:
    """The numbers of percentile:LOW,HIGH; None for another range."""
    name, _, rest = side.partition(":")
    return bounds(rest) if name == PERCENTILE else None


def spelled(low: float, high: float) -> str:
    """LOW,HIGH, exact for the values of every type of 32 bits or fewer that holds no more than 24."""
    return f"{number(low)},{number(high)}"


def number(value: float) -> str:
    """A number as it is written: 4095, -0.5."""
    plain = float(value) + 0.0  # no negative zero
    return f"{plain:.0f}" if plain.is_integer() and abs(plain) < 2**53 else f"{plain:.9g}"


def _checked(side: str) -> str:
    """One range as it is kept. Raises ValueError."""
    text = side.strip()
    if text.casefold() in (TYPE, FOUND):
        return text.casefold()
    name, colon, rest = text.partition(":")
    if colon and name.strip().casefold() != PERCENTILE:
        raise ValueError(EXPECTED)
    found = bounds(rest if colon else text)
    if found is None or not all(map(math.isfinite, found)):
        raise ValueError(EXPECTED)
    low, high = found
    if low >= high:
        raise ValueError(f"{number(low)} is not below {number(high)}; the lower value comes first")
    if colon and (low < 0 or high > 100):
        raise ValueError("percentiles lie between 0 and 100")
    return f"{PERCENTILE}:{spelled(low, high)}" if colon else spelled(low, high)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
