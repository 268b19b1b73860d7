"""Telling label maps from photos by their pixels."""

from dataclasses import dataclass, replace
from typing import Any

from numpy.typing import NDArray

from i2icli.errors import UserError
from i2icli.image import DecodedImage, FileItem, Header, IdMap, Item
from i2icli.image.class_indices import occurrences, runs
from i2icli.reading import AS_FOUND, Reading
from i2icli.value_range import ValueRange

LARGEST = 256  # ids or colours of label maps: more of them are no classes
_FLAT = 4  # pixels to a run of equal ids, on average: photos have hardly more than one


@dataclass(frozen=True)
class HalfItem:
    """The left or right half of an image file. See `image.Item` for the methods."""

    item: FileItem
    right: bool

    @property
    def name(self) -> str:
        """pairs/1.png, left half"""
        return f"{self.item.name}, {'right' if self.right else 'left'} half"

    def header(self) -> Header:
        """See `Item`."""
        header = self.item.header()
        return replace(header, size=(header.size[0], header.size[1] // 2))

    def read(self, range: ValueRange | None = None, reading: Reading = AS_FOUND) -> DecodedImage:
        """See `Item`."""
        image, half = self.item.read(range, reading), self._columns()
        alpha = None if image.alpha is None else image.alpha[:, half]
        return replace(image, pixels=image.pixels[:, half], alpha=alpha)

    def values(self, reading: Reading = AS_FOUND) -> NDArray[Any]:
        """See `FileItem`."""
        return self.item.values(reading)[:, self._columns()]

    def read_map(self, reading: Reading = AS_FOUND) -> IdMap:
        """See `Item`."""
        found = self.item.read_map(reading)
        return replace(found, ids=found.ids[:, self._columns()])

    def _columns(self) -> slice:
        half = self.item.size[1] // 2
        return slice(half, 2 * half) if self.right else slice(half)


def looks_like_labels(item: Item) -> bool:
    """Whether an image could be a label map: exact, of few ids or colours, in flat areas."""
    try:
        ids = item.read_map().ids
    except UserError:
        return False
    return len(occurrences(ids)) <= LARGEST and ids.size >= _FLAT * len(runs(ids)[0])
