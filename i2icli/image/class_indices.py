"""The classes that the ids and colours of label maps stand for, as indices; how often each id occurs."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from i2icli.classes import LabelSet
from i2icli.errors import UserError
from i2icli.image.id_maps import IdMap, Ids

_GREY = 0x010101  # a grey as a number is its level, times this
_MIXED = 4  # a map with more unknown colours was hardly drawn with them


@dataclass(frozen=True)
class Occurrence:
    """How often an id occurs in a map, and where first."""

    pixels: int
    first: tuple[int, int]  # (x, y)


def occurrences(ids: Ids) -> dict[int, Occurrence]:
    """Every id of a map (H, W), in ascending order."""
    values, starts, lengths = runs(ids)
    found, first, inverse = np.unique(values, return_index=True, return_inverse=True)
    pixels = np.bincount(inverse, lengths).astype(np.int64)
    width = ids.shape[1]
    return {
        int(value): Occurrence(int(count), (int(start % width), int(start // width)))
        for value, count, start in zip(found, pixels, starts[first], strict=True)
    }


def class_indices(found: IdMap, labels: LabelSet, name: str) -> NDArray[Any]:
    """(H, W) indices of classes, len(classes) where ids are ignored; uint8 if they fit, else int32.

    Colours stand for the classes that have them; greys (red = green = blue) are ids if no class has a colour.
    Raises UserError naming the map, an id or colour that no class has, a pixel, and how many are like it.
    """
    values, _, lengths = runs(found.ids)
    keys, indices = _table(labels, found.coloured)
    at = np.searchsorted(keys, values).clip(max=len(keys) - 1)
    if (keys[at] != values).any():
        class_pixels(occurrences(found.ids), labels, name, coloured=found.coloured)
    return np.repeat(indices[at], lengths).reshape(found.ids.shape)  # (H, W)


def class_pixels(
    found: Mapping[int, Occurrence], labels: LabelSet, name: str, *, coloured: bool = False
) -> dict[int, int]:
    """Pixels of each class that a map holds, by index. Raises UserError as `class_indices`."""
    unknown = find_unknown(found, labels, coloured=coloured)
    if unknown:
        raise _refused(found, unknown, labels, name, coloured)
    keys, indices = (each.tolist() for each in _table(labels, coloured))
    index_of = dict(zip(keys, indices, strict=True))
    pixels: dict[int, int] = {}
    for number, each in found.items():
        pixels[index_of[number]] = pixels.get(index_of[number], 0) + each.pixels
    return pixels


def find_unknown(found: Iterable[int], labels: LabelSet, *, coloured: bool = False) -> list[int]:
    """The ids, or colours, of a map that no class has."""
    keys = set(_table(labels, coloured)[0].tolist())
    return [number for number in found if number not in keys]


def grey_ids(colours: Iterable[int]) -> list[int] | None:
    """The ids that colours are, if all of them are greys: red = green = blue."""
    numbers = list(colours)
    return None if any(each != (each & 255) * _GREY for each in numbers) else [each & 255 for each in numbers]


def hexadecimal(number: int) -> str:
    """A colour that is a number (red + 256 green + 65536 blue) as text: #804080."""
    return "#" + number.to_bytes(3, "little").hex()


def spans(ids: Iterable[int], limit: int = 4) -> str:
    """Ids in few words: "0 to 7, 11, 13 to 20"."""
    found: list[list[int]] = []
    for number in sorted(ids):
        if found and number == found[-1][-1] + 1:
            found[-1][1:] = [number]
        else:
            found.append([number])
    words = [" to ".join(map(str, span)) for span in found]
    return ", ".join(words if len(words) <= limit else [*words[: limit - 1], "...", words[-1]])


def _refused(
    found: Mapping[int, Occurrence], unknown: Sequence[int], labels: LabelSet, name: str, coloured: bool
) -> UserError:
    """The error about a map that holds ids, or colours, of no class."""
    number = max(unknown, key=lambda each: found[each].pixels)
    share = sum(found[each].pixels for each in unknown) / sum(each.pixels for each in found.values())
    expected = spans(each.id for each in labels.classes)
    what = f"id {number}"
    advice = "correct the map, or train with it in --classes or --ignore"
    if coloured:
        what = f"colour {hexadecimal(number)}"
        expected = "such as " + ", ".join(map(str, labels.classes[:2]))
        advice = "correct the map, or train with it in --classes"
        if not labels.index_of_colour:
            expected = f"{spans(each.id for each in labels.classes)}, without colours"
            advice = "use ids (a palette or greyscale PNG), or train with colours in --classes"
        elif len(unknown) > _MIXED:
            advice = f"{len(unknown):,} such colours look smoothed, resized or compressed; save it without"
    return UserError(
        f"{name}: {what} at pixel {found[number].first} is none of the {len(labels.classes)} classes' "
        f"({expected}); {share:.2%} of the pixels have none; {advice}",
        exit_code=1,
    )


def runs(ids: Ids) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Ids, starts and lengths, (N,) each, of the runs of equal ids, row by row; label maps have few."""
    flat = ids.reshape(-1)
    starts = np.concatenate([[0], np.flatnonzero(flat[1:] != flat[:-1]) + 1])
    return flat[starts], starts, np.diff(starts, append=flat.size)


@lru_cache(maxsize=16)
def _table(labels: LabelSet, coloured: bool) -> tuple[NDArray[Any], NDArray[Any]]:
    """Ids, or colours as numbers, in ascending order, and the indices that they stand for."""
    known = labels.index_of_id
    if coloured:
        greys = {number * _GREY: index for number, index in known.items() if 0 <= number < 256}
        known = labels.index_of_colour or greys
    keys = np.array(sorted(known), np.int64)
    kind = np.uint8 if len(labels.classes) < 256 else np.int32
    return keys, np.array([known[key] for key in keys.tolist()], kind)
