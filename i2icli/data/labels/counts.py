"""How often every class occurs in label maps: in how many pixels, in how many maps."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from i2icli.classes import UNLABELLED, Colour, LabelSet
from i2icli.data.labels.survey import CountedMap
from i2icli.image.class_indices import class_pixels
from i2icli.image.label_colours import colours_of


@dataclass(frozen=True)
class ClassCount:
    """A class, and how often it occurs."""

    id: int | None  # None: unlabelled pixels
    name: str
    colour: Colour  # in which it is displayed
    pixels: int
    share: float  # of all pixels
    maps: int


def class_counts(labels: LabelSet, maps: Sequence[CountedMap]) -> list[ClassCount]:
    """Every class in its order, and unlabelled pixels where there are any. Raises UserError for other ids."""
    pixels: Counter[int] = Counter()
    images: Counter[int] = Counter()
    for each in maps:
        found = class_pixels(each.found, labels, each.name, coloured=each.coloured)
        pixels.update(found)
        images.update(found.keys())
    names = [*((each.id, each.name) for each in labels.classes), (None, UNLABELLED)]
    counts = [
        ClassCount(number, name, colour, pixels[index], pixels[index] / pixels.total(), images[index])
        for index, ((number, name), colour) in enumerate(zip(names, colours_of(labels), strict=True))
    ]
    return counts if counts[-1].pixels else counts[:-1]
