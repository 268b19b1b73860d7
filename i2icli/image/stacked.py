"""Several images of one scene, stacked as the channels of one."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from i2icli.errors import UserError
from i2icli.image.decoded import DecodedImage, Header, Pixels
from i2icli.image.id_maps import IdMap
from i2icli.image.items import Item
from i2icli.image.pixels import change_type, convert_channels, resize
from i2icli.reading import AS_FOUND, Reading
from i2icli.task import StackPart
from i2icli.value_range import ValueRange


@dataclass(frozen=True)
class StackedItem:
    """Images read as one, in the order of the parts of a port. See `Item` for the methods.

    Each is read with the channels and range of its part and brought to the size of the first; what is left
    spans the widest of their types.
    """

    items: tuple[Item, ...]
    parts: tuple[StackPart, ...]

    @property
    def name(self) -> str:
        """That of the first."""
        return self.items[0].name

    def header(self) -> Header:
        """See `Item`."""
        headers = [item.header() for item in self.items]
        both = zip(self.parts, headers, strict=True)
        types = [each.dtype if part.range is None else np.dtype(np.float32) for part, each in both]
        channels = sum(part.channels for part in self.parts)
        return replace(headers[0], channels=channels, alpha=False, dtype=_widest(types), stored=None)

    def read(self, range: ValueRange | None = None, reading: Reading = AS_FOUND) -> DecodedImage:  # noqa: ARG002 - each part has its own range
        """See `Item`."""
        read = [
            item.read(part.range, replace(reading, channels=part.channels))
            for item, part in zip(self.items, self.parts, strict=True)
        ]
        dtype, size = _widest([each.pixels.dtype for each in read]), read[0].pixels.shape[:2]
        planes = [
            change_type(resize(self._converted(each, index), size), dtype) for index, each in enumerate(read)
        ]
        first = replace(read[0], alpha=None, stored=None)  # results are files like it
        return replace(first, pixels=np.concatenate(planes, axis=2))  # (H, W, sum of C)

    def read_map(self, reading: Reading = AS_FOUND) -> IdMap:  # noqa: ARG002 - there is none
        """See `Item`."""
        raise UserError(f"{self.name}: several images stacked are no map of ids", exit_code=1)

    def _converted(self, image: DecodedImage, index: int) -> Pixels:
        part = self.parts[index]
        try:
            return convert_channels(image.pixels, part.channels)
        except UserError as error:
            raise UserError(f"{self.items[index].name}, input {part.name}: {error}", exit_code=1) from error


def _widest(types: Sequence[DTypeLike]) -> np.dtype[Any]:
    """The one of uint8, uint16 and float32 that holds them all."""
    found = {np.dtype(each).name for each in types}
    if len(found) == 1:
        return np.dtype(found.pop())
    return np.dtype(np.float32 if "float32" in found else np.uint16)
