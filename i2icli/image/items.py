"""What can be read as an image or as a map of ids: a file, bytes, an array; frames of videos are in `video`.

Whatever reads images (training data, translation, a server) takes items, so that nothing depends on paths.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from i2icli.errors import UserError
from i2icli.image.array_shapes import channels_last, image_shape, layout_of
from i2icli.image.decoded import DecodedImage, Header, ImageError
from i2icli.image.id_maps import IdMap, as_map
from i2icli.image.pillow_files import from_pillow, map_of
from i2icli.image.read import count_images, probe, read_image, read_map, read_values
from i2icli.image.transparency import as_read
from i2icli.image.values import as_stored, spanning_type, stored_type
from i2icli.image.write import SUFFIXES
from i2icli.reading import AS_FOUND, PAGES_AS_IMAGES, Reading
from i2icli.value_range import ValueRange


class Item(Protocol):
    """Something that can be read as an image or as a map of ids.

    Every method raises UserError (exit code 1), one line with the name and the reason.
    """

    @property
    def name(self) -> str:
        """What messages call it, such as its path."""

    def header(self) -> Header:
        """Size, channels and type, without decoding."""

    def read(self, range: ValueRange | None = None, reading: Reading = AS_FOUND) -> DecodedImage:
        """The decoded image; range: of its values, if that is not all that their type holds.

        reading: what the item leaves open. See `transparency.as_read`. Pixels of videos span their type,
        whatever the range.
        """

    def read_map(self, reading: Reading = AS_FOUND) -> IdMap:
        """Class or instance ids, exactly as stored: the index of a palette, never its colour."""


@dataclass(frozen=True)
class FileItem:
    """An image file. Its header is read once and remembered."""

    path: Path
    reading: Reading = AS_FOUND  # how its header is read; the number of a page that it names stands always

    @property
    def name(self) -> str:
        """Its path, and the page."""
        page = self.reading.page
        paged = page is not None and SUFFIXES.get(self.path.suffix.lower()) == "tiff"
        return f"{self.path}, page {page}" if paged else str(self.path)

    @property
    def size(self) -> tuple[int, int]:
        """(height, width). Raises UserError as `header`."""
        return self._header.size

    def header(self) -> Header:
        """See `Item`."""
        return self._header

    def read(self, range: ValueRange | None = None, reading: Reading = AS_FOUND) -> DecodedImage:
        """See `Item`."""
        return read_image(self.path, self.name, range, self._own(reading))

    def values(self, reading: Reading = AS_FOUND) -> NDArray[Any]:
        """The values as they are stored, (H, W, C) without alpha, NaN among them. Raises UserError."""
        return read_values(self.path, self.name, self._own(reading))

    def read_map(self, reading: Reading = AS_FOUND) -> IdMap:
        """See `Item`."""
        return read_map(self.path, self.name, self._own(reading))

    @cached_property
    def _header(self) -> Header:
        return probe(self.path, self.name, self.reading)

    def _own(self, reading: Reading) -> Reading:
        """As asked, else as it was made for; of the page that it names."""
        own, first = self.reading, reading.channels_first
        pages = own.pages if own.page is not None else reading.pages or own.pages
        return replace(reading, pages=pages, channels_first=own.channels_first if first is None else first)


def pages_of(path: Path, reading: Reading = AS_FOUND) -> list[FileItem]:
    """A file as it is read; where the reading takes pages for images, one item for each. Raises UserError."""
    if reading.pages != PAGES_AS_IMAGES or (count := count_images(path)) == 1:
        return [FileItem(path, reading)]
    return [FileItem(path, replace(reading, pages=str(number))) for number in range(1, count + 1)]


@dataclass(frozen=True)
class BytesItem:
    """The content of an image file, e.g. uploaded to a server; read under the same limits as files."""

    data: bytes
    name: str

    def header(self) -> Header:
        """See `Item`."""
        return probe(self.data, self.name)

    def read(self, range: ValueRange | None = None, reading: Reading = AS_FOUND) -> DecodedImage:
        """See `Item`."""
        return read_image(self.data, self.name, range, reading)

    def read_map(self, reading: Reading = AS_FOUND) -> IdMap:
        """See `Item`."""
        return read_map(self.data, self.name, reading)


@dataclass(frozen=True, eq=False)
class ArrayItem:
    """An array (H, W) or (H, W, C), or (C, H, W) where its reading says so.

    Without a range integers of 8 and 16 bits span their type, floats are in [-1, 1].
    """

    array: NDArray[Any]
    name: str = "the array"
    channels_first: bool | None = None  # None: as asked when it is read

    def header(self) -> Header:
        """See `Item`."""
        try:
            height, width, channels = image_shape(self.array.shape, self._own(AS_FOUND))
            stored = stored_type(self.array.dtype)
        except ImageError as error:
            raise self._refused(error) from error
        return Header("npy", (height, width), channels, False, spanning_type(stored), stored=stored)

    def read(self, range: ValueRange | None = None, reading: Reading = AS_FOUND) -> DecodedImage:
        """See `Item`."""
        try:
            array = self.array if range is not None else self._of_known_range()
            reading = self._own(reading)
            image_shape(array.shape, reading)
            values = np.ascontiguousarray(as_stored(channels_last(array, reading)))  # (H, W, C)
            layout = layout_of(array, reading)
            return as_read(DecodedImage(values, alpha=None, format="npy", layout=layout), range, reading)
        except ImageError as error:
            raise self._refused(error) from error

    def read_map(self, reading: Reading = AS_FOUND) -> IdMap:
        """See `Item`."""
        try:
            reading = self._own(reading)
            image_shape(self.array.shape, reading)
            return as_map(channels_last(self.array, reading))
        except ImageError as error:
            raise self._refused(error) from error

    def _own(self, reading: Reading) -> Reading:
        return (
            reading if self.channels_first is None else replace(reading, channels_first=self.channels_first)
        )

    def _of_known_range(self) -> NDArray[Any]:
        """The array, if its type tells the range of an image. Raises ImageError for long integers."""
        if self.array.dtype.kind in "iu" and self.array.dtype.itemsize > 2:
            raise ImageError(
                f"values of type {self.array.dtype}; expected uint8, uint16 or floats in [-1, 1]"
            )
        return self.array

    def _refused(self, error: ImageError) -> UserError:
        return UserError(f"cannot read {self.name}: {error}", exit_code=1)


@dataclass(frozen=True, eq=False)
class PillowItem:
    """An image that Pillow has opened or made."""

    image: Image.Image
    name: str = "the image"

    def header(self) -> Header:
        """See `Item`."""
        read = self.read()
        height, width, channels = read.pixels.shape
        return Header("png", (height, width), channels, read.alpha is not None, read.pixels.dtype)

    def read(self, range: ValueRange | None = None, reading: Reading = AS_FOUND) -> DecodedImage:
        """See `Item`."""
        try:
            return from_pillow(self.image, range, reading)
        except ImageError as error:
            raise self._refused(error) from error

    def read_map(self, reading: Reading = AS_FOUND) -> IdMap:  # noqa: ARG002 - it leaves nothing open
        """See `Item`."""
        try:
            return map_of(self.image)
        except ImageError as error:
            raise self._refused(error) from error

    def _refused(self, error: ImageError) -> UserError:
        return UserError(f"cannot read {self.name}: {error}", exit_code=1)
