"""The classes of label maps that nobody listed: from a file near them, a known data set, or the maps."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from i2icli.class_files import ClassList, class_file_near, read_classes
from i2icli.classes import NO_CLASS, Colour, LabelClass, label_set
from i2icli.data.labels.content import LARGEST
from i2icli.data.labels.survey import CountedMap
from i2icli.data.labels.usage import spoilt
from i2icli.errors import UserError
from i2icli.image.class_indices import find_unknown, grey_ids


def listed_classes(
    folder: Path, top: Path, data_set: str | None, maps: Sequence[CountedMap], ignore: Sequence[str]
) -> tuple[ClassList, str] | None:
    """The classes of a file near the maps, or of the data set that they are of, and where they are from.

    None if there is neither, or if the maps do not hold the classes of that data set. Raises UserError for
    a file that cannot be read.
    """
    file = class_file_near([folder], top)
    if file is not None:
        return read_classes(file), str(file)
    if data_set is None:
        return None
    known = read_classes(data_set)
    labels = label_set(known.classes, [*_ids(ignore), *known.ignore])
    if any(find_unknown(each.found, labels, coloured=each.coloured) for each in maps):
        return None
    return known, f"{data_set}, by the names of the files"


def found_classes(maps: Sequence[CountedMap], folder: Path, ignore: Sequence[str]) -> ClassList:
    """The classes that maps hold: their ids, with the colours of palettes, or their colours.

    Names are "class 7". Raises UserError if there are too many, or if they do not look like classes.
    """
    coloured = [each for each in maps if each.coloured]
    if coloured and len(coloured) < len(maps):
        other = next(each for each in maps if not each.coloured)
        raise UserError(
            f"{coloured[0].name} holds colours, {other.name} ids; give --classes with ids and colours, "
            "or make all label maps alike"
        )
    numbers = sorted({number for each in maps for number in each.found})
    what = "colours" if coloured else "ids"
    if len(numbers) > LARGEST:
        raise UserError(
            f"{folder}: its label maps hold {len(numbers):,} different {what}, e.g. {maps[0].name}; classes "
            f"are {LARGEST} at most: are they photos or instance maps, or smoothed, resized or compressed?"
        )
    if why := spoilt(maps):
        raise UserError(f"{folder}: {why}, or give --classes")
    if coloured and grey_ids(numbers) is None:
        return ClassList(tuple(map(_coloured, range(len(numbers)), numbers)))
    ids = grey_ids(numbers) if coloured else numbers
    assert ids is not None
    binary = set(ids) == {0, 255}  # a mask: 255 is its class
    ignored = {number for number in NO_CLASS if not binary} | set(map(int, _ids(ignore)))
    minus = (str(number) for number in ids if number < 0)
    classes = [number for number in ids if number >= 0 and number not in ignored]
    if not classes:
        raise UserError(f"{folder}: its label maps hold no classes but unlabelled pixels ({ids[0]})")
    return ClassList(_with_colours(classes, maps), tuple(minus))


def _ids(ignore: Iterable[str]) -> list[str]:
    """Of what is ignored, that which is named by id."""
    return [each for each in ignore if each.lstrip("-").isdigit()]


def _coloured(index: int, number: int) -> LabelClass:
    return LabelClass(index, f"class {index}", (number & 255, number >> 8 & 255, number >> 16))


def _with_colours(ids: Sequence[int], maps: Sequence[CountedMap]) -> tuple[LabelClass, ...]:
    """Classes with the colours of the first palette that has them, as far as they differ."""
    used: set[Colour] = set()
    classes = []
    palettes = list(dict.fromkeys(each.palette for each in maps))
    for number in ids:
        colour = next((palette[number] for palette in palettes if number < len(palette)), None)
        classes.append(LabelClass(number, f"class {number}", None if colour in used else colour))
        used |= {colour} if colour else set()
    return tuple(classes)
