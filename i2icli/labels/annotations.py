"""What every format of annotations is read as: named entries that become label and instance maps."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from i2icli.classes import Colour, LabelClass
from i2icli.errors import UserError
from i2icli.image import Ids
from i2icli.image.decoded import ImageError, check_size
from i2icli.labels.shapes import Region

UNLABELLED = -1  # the id of pixels of no class, before it is known how files are written
LARGEST_ID = 65534  # the last value of 16 bit means unlabelled
LARGEST_INSTANCE = 65535


@dataclass(frozen=True, eq=False)
class Drawn:
    """The maps of one image."""

    ids: Ids  # (H, W): of classes; -1: unlabelled
    instances: Ids | None = None  # (H, W): a number for each object, unique within the image; 0: no object
    left_out: tuple[str, ...] = ()  # what could not be drawn, in words that are counted: "points"


@dataclass(frozen=True)
class Entry:
    """One image of a set of annotations."""

    name: str  # of the results: a path below their folder without suffix, such as "bonn/0001"
    source: str  # what messages call it
    read: Callable[[], Drawn]  # raises UserError


@dataclass(frozen=True)
class Failure:
    """Something that cannot be read, found before anything was drawn."""

    source: str
    reason: str


@dataclass(frozen=True)
class Annotations:
    """Everything that was found in one place, in one format."""

    entries: tuple[Entry, ...]
    classes: tuple[LabelClass, ...] | None = None  # None: those that occur in the maps
    failures: tuple[Failure, ...] = ()
    notes: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()  # ids or names of classes that mean unlabelled
    palette: tuple[Colour, ...] = ()  # the colours of ids, where `classes` is None


def annotations_of(
    files: Iterable[Path],
    name: Callable[[Path], str],
    read: Callable[[Path, str], Drawn],
    classes: tuple[LabelClass, ...] | None = None,
) -> Annotations:
    """One entry for each file. `name` names the results of a file, or raises UserError; `read` gets both."""
    entries, failures = [], []
    for file in files:
        try:
            called = name(file)
        except UserError as error:
            failures.append(Failure(str(file), str(error)))
        else:
            entries.append(Entry(called, str(file), partial(read, file, called)))
    return Annotations(tuple(entries), classes, tuple(failures))


class Canvas:
    """Maps of one image on which shapes are drawn, the later over the earlier."""

    def __init__(self, size: tuple[int, int]) -> None:
        """size: (height, width). Raises UserError for one that is absurd."""
        check(size)
        self.ids = np.full(size, UNLABELLED, np.int32)
        self.instances = np.zeros(size, np.int32)

    def draw(self, region: Region, class_id: int, instance: int) -> None:
        """Give the pixels of a region a class and the number of an object; 0: of none."""
        height, width = region.mask.shape
        window = (slice(region.top, region.top + height), slice(region.left, region.left + width))
        self.ids[window][region.mask] = class_id
        self.instances[window][region.mask] = instance

    def finished(self, left_out: Sequence[str] = ()) -> Drawn:
        """What was drawn."""
        return Drawn(self.ids, self.instances, tuple(left_out))


class ObjectNumbers:
    """Numbers of the objects of an image: one for each key, from 1, in the order of their first use."""

    def __init__(self) -> None:
        self.numbers: dict[object, int] = {}

    def of(self, key: object) -> int:
        """Raises UserError when 16 bit are used up."""
        number = self.numbers.setdefault(key, len(self.numbers) + 1)
        if number > LARGEST_INSTANCE:
            raise UserError(f"more than {LARGEST_INSTANCE:,} objects in one image")
        return number


def check(size: tuple[int, int]) -> None:
    """Raise UserError for an image of no pixels, or of more than is plausible."""
    try:
        check_size(*size)
    except ImageError as error:
        raise UserError(str(error)) from error


def unique_names(entries: Sequence[Entry]) -> Iterator[Entry | Failure]:
    """Entries, or a failure for one whose name another has, case aside."""
    seen: dict[str, Entry] = {}
    for entry in entries:
        other = seen.setdefault(entry.name.casefold(), entry)
        if other is entry:
            yield entry
        else:
            yield Failure(entry.source, f"its result has the name of that of {other.source}: {entry.name}")
