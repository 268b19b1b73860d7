"""The range of values that a side is trained in: as asked, or found in its images."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10

import numpy as np

from i2icli.data.describe import counted
from i2icli.data.left_out import refuse_remainder
from i2icli.data.values import WIDE, Values, look_at, type_range
from i2icli.errors import UserError, print_number
from i2icli.image import Item
from i2icli.image.decoded import ImageError
from i2icli.image.values import FARTHEST, bits, check_holds
from i2icli.reading import AS_FOUND, Reading
from i2icli.value_range import (
    FOUND,
    PERCENTILE,
    TYPE,
    ValueRange,
    bounds,
    joined,
    number,
    of_sides,
    percentiles,
    spelled,
)

_CUT = 0.01  # share of the values outside a given range from which on this is reported
_ROUNDING = 1.0 + 1e-3  # floats up to this are in [-1, 1]
_HALF = 0.5  # share of [-1, 1] that floats from 0 to 1 use
_BYTE = 255


@dataclass(frozen=True)
class _Side:
    """A side, what its images hold, and what was asked for it."""

    name: str  # "" where there is one side
    asked: str
    values: Values | None  # None: frames of videos

    @property
    def called(self) -> str:
        """At the beginning of a message."""
        return f"{self.name}: " if self.name else ""


def find_ranges(
    sides: Mapping[str, Sequence[Item]],
    asked: str,
    readings: Sequence[Reading] = (AS_FOUND, AS_FOUND),
    *,
    pairs: bool = False,
) -> tuple[str, list[str]]:
    """The setting `range` with numbers in place of what was to be found, and lines for the report.

    sides: the images of one side (whose name is "") or two; readings: how those of each are read; pairs:
    whether those of two sides belong together one by one. Raises UserError for images that do not fit the
    range that was asked for, for floats that need one, and if too many images, or pairs, cannot be used.
    """
    wanted = of_sides(asked)
    if len(sides) == 1 and wanted[0] != wanted[1]:
        raise UserError(f"--range {asked}: expected one range, all images are read alike here")
    looked: list[_Side] = []
    for (name, images), side, reading in zip(sides.items(), wanted, readings, strict=False):
        known = next((each for each in looked if list(sides[each.name]) == list(images)), None)
        every = side == FOUND or percentiles(side) is not None
        if known is not None and (known.asked == side or not every):
            looked.append(_Side(name, side, known.values))
        else:
            looked.append(_Side(name, side, look_at(images, every=every, reading=reading)))
    lines = [line for side in looked for line in _lost(side)]
    if pairs:
        _refuse_lost_pairs(looked)
    resolved = [_resolved(side) for side in looked]
    lines += [line for side, found in zip(looked, resolved, strict=True) for line in _about(side, found)]
    return joined(*resolved), lines + _hints(looked)


def _lost(side: _Side) -> list[str]:
    """A line about images that cannot be used."""
    values = side.values
    if values is None or not values.lost or not values.complete:
        return []  # training says which ones it cannot read
    lost = list(values.lost.values())
    refuse_remainder(lost, values.read, side.name or "the data")
    return [f"{side.called}{counted(len(lost), 'image')} cannot be used: {lost[0]}"]


def _refuse_lost_pairs(sides: Sequence[_Side]) -> None:
    """Raise UserError if too many pairs cannot be used, as one of their images cannot."""
    complete = [side.values for side in sides if side.values is not None and side.values.complete]
    lost = {index: why for values in complete for index, why in values.lost.items()}
    if lost:
        refuse_remainder(list(lost.values()), max(each.read for each in complete), "the data", "pairs")


def _resolved(side: _Side) -> str:
    """The range of a side in numbers, or "type"."""
    values, asked = side.values, side.asked
    if asked == TYPE:
        return TYPE
    if values is None:
        raise UserError(f"{side.called}--range {asked} is for images; frames of videos span their type")
    if (limits := bounds(asked)) is not None:
        return spelled(*limits)
    low, high = values.low, values.high
    if (which := percentiles(asked)) is not None:
        low, high = map(float, np.percentile(values.kept(), which))
    if not low < high:
        raise UserError(f"{side.called}--range {asked}: all values are {number(low)}, there is no range")
    return spelled(low, high)


def _about(side: _Side, resolved: str) -> list[str]:
    """What the range of a side was found to be, and what lies outside. Raises UserError if nothing fits."""
    limits, values = bounds(resolved), side.values
    if limits is None or values is None:
        return []
    wanted = ValueRange(*limits, np.result_type(*values.dtypes).name)
    for dtype in values.dtypes:
        try:
            check_holds(dtype, wanted)
        except ImageError as error:
            raise UserError(f"{side.called}--range {resolved}: the images are of {error}") from None
    if side.asked == FOUND or side.asked.startswith(PERCENTILE):
        return [f"{side.called}range of the values ({side.asked}): {wanted}"]
    found = f"the values are {_text(values)}"
    if not values.is_constant and (values.high <= wanted.low or values.low >= wanted.high):
        raise UserError(f"{side.called}--range {resolved}: {found}; expected a range that they lie in")
    kept = values.kept()
    outside = float(((kept < wanted.low) | (kept > wanted.high)).mean())
    if outside <= _CUT:
        return []
    cut = f"{outside:.0%} of the values lie outside --range {resolved} and are cut to it"
    return [f"{side.called}{cut}: {found}"]


def _hints(sides: Sequence[_Side]) -> list[str]:
    """One line about values that use little of their type, with the option to type.

    Raises UserError for floats that need a range.
    """
    narrow = [side for side in sides if side.asked == TYPE and _is_narrow(side.values)]
    if not narrow:
        return []
    values = [side.values for side in narrow if side.values is not None]
    alike = len(narrow) == len(sides) and len({each.dtypes for each in values}) == 1
    option = joined(*(_suggested(side.values) if side in narrow else side.asked for side in sides))
    if alike:
        option = _suggested(*values)
    beyond = [side for side, each in zip(narrow, values, strict=True) if _reach(each) > FARTHEST]
    if beyond:
        first = next(each for side, each in zip(narrow, values, strict=True) if side is beyond[0])
        raise UserError(
            f"{beyond[0].called}floats {_text(first)} ({first.farthest}), expected in [-1, 1] or in a range; "
            f"add --range {option}, or --range {PERCENTILE}:1,99 to cut outliers off"
        )
    texts = [f"{side.called}{_usage(each)}" for side, each in zip(narrow, values, strict=True)]
    texts = [_usage(*values)] if alike else texts
    return [f"{', '.join(texts)}: add --range {option}"]


def _is_narrow(values: Values | None) -> bool:
    """Whether a range would help: little of the type is used, or floats reach beyond theirs."""
    if values is None or values.is_constant or len(values.dtypes) > 1:
        return False
    if values.dtypes[0].kind != "f":
        return values.share < WIDE
    return _reach(values) > _ROUNDING or values.share < WIDE or (values.low >= 0 and values.share <= _HALF)


def _reach(values: Values) -> float:
    """Of floats the largest absolute value; 0 for integers."""
    return max(-values.low, values.high) if values.dtypes[0].kind == "f" else 0.0


def _usage(*sides: Values) -> str:
    """values 0 to 4095 use 6 % of 16 bit"""
    low, high = min(each.low for each in sides), max(each.high for each in sides)
    dtype = sides[0].dtypes[0]
    read, total = (sum(getattr(each, name) for each in sides) for name in ("read", "total"))
    some = f" (in {read:,} of {total:,} images)" if read < total else ""
    text = f"values {_short(low)} to {_short(high)}{some}"
    ends = type_range(dtype)
    if max(ends[0] - low, high - ends[1]) > 0:
        return f"{text} reach beyond [-1, 1]"
    share = 100 * (high - low) / (ends[1] - ends[0])
    percent = f"{share:.0f}" if share >= 1 else f"{share:.1g}"
    return f"{text} use {percent} % of {'[-1, 1]' if dtype.kind == 'f' else bits(dtype)}"


def _suggested(*sides: Values | None) -> str:
    """A range to type for values that were found: these, or what floats are likely to be meant in."""
    known = [each for each in sides if each is not None]
    low, high = min(each.low for each in known), max(each.high for each in known)
    if known[0].dtypes[0].kind != "f":
        return spelled(low, high)
    if low >= 0 and WIDE < high <= 1:
        return spelled(0, 1)
    if low >= 0 and FARTHEST < high <= _BYTE:
        return spelled(0, _BYTE)
    return spelled(-_above(-low), _above(high))


def _above(value: float) -> float:
    """The next number of three digits that is not smaller."""
    if value == 0:
        return 0.0
    unit: float = 10.0 ** (floor(log10(abs(value))) - 2)
    return ceil(value / unit - 1e-4) * unit  # without what float32 has rounded


def _text(values: Values) -> str:
    return f"{_short(values.low)} to {_short(values.high)}"


def _short(value: float) -> str:
    return number(value) if float(value).is_integer() else print_number(value, 4)
