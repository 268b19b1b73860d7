"""The classes of label maps: their ids in files, names and colours, and what counts as no class. No torch."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

from i2icli.errors import one_of

Colour = tuple[int, int, int]

MOST = 10_000  # classes of label maps that a network reads
NO_CLASS = (255, 65535)  # ids that mean "no class" in files of 8 and 16 bit, unless a class has them
UNLABELLED = "unlabelled"  # what the don't-care class is called
NO_COLOUR: Colour = (224, 224, 192)  # what it is drawn in: the colour of borders in Pascal VOC

_TEXT = re.compile(r"(-?\d+)\s+(.*?)(?:\s+#([0-9a-fA-F]{6}))?")


@dataclass(frozen=True)
class LabelClass:
    """A class of label maps. As text: "7 road #804080"."""

    id: int  # its value in label maps
    name: str
    colour: Colour | None = None  # in maps that are colour-coded, and where classes are displayed

    def __str__(self) -> str:
        colour = "" if self.colour is None else " #{:02x}{:02x}{:02x}".format(*self.colour)
        return f"{self.id} {self.name}{colour}"

    @classmethod
    def parse(cls, text: str) -> "LabelClass":
        """The reverse of `str`. Raises ValueError."""
        match = _TEXT.fullmatch(text.strip())
        if match is None or not match[2]:
            raise ValueError(
                f"{text!r} is no class; expected an id, a name and perhaps a colour: 7 road #804080"
            )
        colour = None if match[3] is None else _colour(match[3])
        return cls(int(match[1]), match[2], colour)


@dataclass(frozen=True)
class LabelSet:
    """The classes that a model knows. Networks see indices: positions in `classes`, then don't-care."""

    classes: tuple[LabelClass, ...]
    ignored: tuple[int, ...] = NO_CLASS  # ids that become the don't-care class
    dont_care: bool = False  # whether the networks have a channel for it
    ignored_colours: tuple[Colour, ...] = ()  # colours that become it

    @property
    def count(self) -> int:
        """Channels of one-hot planes: the classes, and don't-care where the networks know it."""
        return len(self.classes) + self.dont_care

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the classes, by index."""
        return tuple(each.name for each in self.classes)

    @cached_property
    def index_of_id(self) -> dict[int, int]:
        """The index that an id in a file stands for; of ids that are ignored, that of don't-care."""
        indices = dict.fromkeys(self.ignored, len(self.classes))
        return indices | {each.id: index for index, each in enumerate(self.classes)}

    @cached_property
    def index_of_colour(self) -> dict[int, int]:
        """The index that a colour in a file stands for, colours being red + 256 green + 65536 blue."""
        indices = dict.fromkeys(map(colour_number, self.ignored_colours), len(self.classes))
        return indices | {
            colour_number(each.colour): index
            for index, each in enumerate(self.classes)
            if each.colour is not None
        }

    def find(self, text: str) -> int:
        """The index of a class by its name, case aside, or by its id. Raises UserError listing them."""
        by_id = self.index_of_id.get(int(text)) if text.lstrip("-").isdigit() else None
        if by_id is not None:
            return by_id
        names = (*self.names, UNLABELLED) if self.dont_care else self.names
        return names.index(one_of(text, names, "class"))


def colour_number(colour: Colour) -> int:
    """A colour as a whole number: red + 256 green + 65536 blue."""
    red, green, blue = colour
    return red + 256 * green + 65536 * blue


def numbered(number: int) -> tuple[LabelClass, ...]:
    """So many classes, from id 0, of which only the ids are known.

    Raises ValueError for more than any network of label maps has.
    """
    if number > MOST:
        raise ValueError(f"{number:,} classes are more than the {MOST:,} that networks here read")
    return tuple(LabelClass(each, str(each)) for each in range(number))


def checked(classes: Iterable[LabelClass]) -> tuple[LabelClass, ...]:
    """The classes as they are.

    Raises ValueError if two share an id, a name or a colour, or there are too many.
    """
    found = tuple(islice(classes, MOST + 1))
    if len(found) > MOST:
        raise ValueError(f"more than {MOST:,} classes; networks here read at most so many")
    for what, values in (
        ("id", [each.id for each in found]),
        ("name", [each.name.casefold() for each in found]),
        ("colour", [each.colour for each in found if each.colour is not None]),
    ):
        seen: set[object] = set()
        for value in values:
            if value in seen:
                raise ValueError(f"two classes have the {what} {value}")
            seen.add(value)
    return found


def _colour(text: str) -> Colour:
    red, green, blue = bytes.fromhex(text)
    return red, green, blue


def label_set(classes: Sequence[LabelClass], ignore: Iterable[str], *, dont_care: bool = False) -> LabelSet:
    """The classes without those that are ignored, by id or name.

    255 and 65535 are ignored, too, unless they are classes. Raises UserError for a name that no class has.
    """
    ignored = _ids_of(ignore, classes)
    kept = tuple(each for each in classes if each.id not in ignored)
    usual = [number for number in NO_CLASS if all(each.id != number for each in kept)]
    colours = [each.colour for each in classes if each.id in ignored and each.colour is not None]
    return LabelSet(kept, tuple(dict.fromkeys((*ignored, *usual))), dont_care, tuple(colours))


def _ids_of(names: Iterable[str], classes: Iterable[LabelClass]) -> tuple[int, ...]:
    """Ids that are given as numbers or as names of classes. Raises UserError for a name of none."""
    known = {each.name: each.id for each in classes}
    return tuple(
        int(name) if name.lstrip("-").isdigit() else known[one_of(name, tuple(known), "class")]
        for name in names
    )
