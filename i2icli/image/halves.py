"""The halves of an image that is a pair side by side."""

from dataclasses import dataclass, replace
from typing import Any

from numpy.typing import NDArray

from i2icli.image.decoded import DecodedImage, Header
from i2icli.image.geo import GeoTags
from i2icli.image.id_maps import IdMap
from i2icli.image.items import Item
from i2icli.reading import AS_FOUND, Reading
from i2icli.value_range import ValueRange


@dataclass(frozen=True)
class HalfItem:
    """The left or right half of an image. See `Item` for the methods."""

    item: Item
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
        pixels, alpha = image.pixels[:, half], None if image.alpha is None else image.alpha[:, half]
        metadata = image.metadata
        if metadata is not None:  # a place on the map is that of the whole
            metadata = replace(metadata, size=pixels.shape[:2], geo=GeoTags())
        return replace(image, pixels=pixels, alpha=alpha, metadata=metadata)

    def values(self, reading: Reading = AS_FOUND) -> NDArray[Any]:
        """See `FileItem`."""
        values: NDArray[Any] = self.item.values(reading)  # type: ignore[attr-defined]
        return values[:, self._columns()]

    def read_map(self, reading: Reading = AS_FOUND) -> IdMap:
        """See `Item`."""
        found = self.item.read_map(reading)
        return replace(found, ids=found.ids[:, self._columns()])

    def _columns(self) -> slice:
        half = self.item.header().size[1] // 2
        return slice(half, 2 * half) if self.right else slice(half)
