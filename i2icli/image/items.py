"""What can be read as an image or as a map of ids: a file, bytes, an array; frames of videos are in `video`.

Whatever reads images (training data, translation, a server) takes items, so that nothing depends on paths.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from i2icli.errors import UserError
from i2icli.image.decoded import (
    DecodedImage,
    Header,
    ImageError,
    check_size,
)
from i2icli.image.id_maps import IdMap, as_map
from i2icli.image.pillow_files import from_pillow, map_of
from i2icli.image.read import probe, read_image, read_map, read_values
from i2icli.image.values import as_stored, spanning, spanning_type, stored_type
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

    def read(self, range: ValueRange | None = None) -> DecodedImage:
        """The decoded image; range: of its values, if that is not all that their type holds.

        See `values.spanning`. Pixels of videos span their type, whatever the range.
        """

    def read_map(self) -> IdMap:
        """Class or instance ids, exactly as stored: the index of a palette, never its colour."""


@dataclass(frozen=True)
class FileItem:
    """An image file. Its header is read once and remembered."""

    path: Path

    @property
    def name(self) -> str:
        """Its path."""
        return str(self.path)

    @property
    def size(self) -> tuple[int, int]:
        """(height, width). Raises UserError as `header`."""
        return self._header.size

    def header(self) -> Header:
        """See `Item`."""
        return self._header

    def read(self, range: ValueRange | None = None) -> DecodedImage:
        """See `Item`."""
        return read_image(self.path, range=range)

    def values(self) -> NDArray[Any]:
        """The values as they are stored, (H, W, C) without alpha, NaN among them. Raises UserError."""
        return read_values(self.path)

    def read_map(self) -> IdMap:
        """See `Item`."""
        return read_map(self.path)

    @cached_property
    def _header(self) -> Header:
        return probe(self.path)


@dataclass(frozen=True)
class BytesItem:
    """The content of an image file, e.g. uploaded to a server; read under the same limits as files."""

    data: bytes
    name: str

    def header(self) -> Header:
        """See `Item`."""
        return probe(self.data, self.name)

    def read(self, range: ValueRange | None = None) -> DecodedImage:
        """See `Item`."""
        return read_image(self.data, self.name, range)

    def read_map(self) -> IdMap:
        """See `Item`."""
        return read_map(self.data, self.name)


@dataclass(frozen=True, eq=False)
class ArrayItem:
    """An array (H, W) or (H, W, C).

    Without a range integers of 8 and 16 bits span their type, floats are in [-1, 1].
    """

    array: NDArray[Any]
    name: str = "the array"

    def header(self) -> Header:
        """See `Item`."""
        try:
            height, width, channels = self._shape()
            stored = stored_type(self.array.dtype)
        except ImageError as error:
            raise self._refused(error) from error
        return Header("npy", (height, width), channels, False, spanning_type(stored), stored=stored)

    def read(self, range: ValueRange | None = None) -> DecodedImage:
        """See `Item`."""
        try:
            array = self.array if range is not None else self._of_known_range()
            values = np.ascontiguousarray(as_stored(array.reshape(self._shape())))  # (H, W, C)
            return spanning(DecodedImage(values, alpha=None, format="npy"), range)
        except ImageError as error:
            raise self._refused(error) from error

    def read_map(self) -> IdMap:
        """See `Item`."""
        try:
            self._shape()
            return as_map(self.array)
        except ImageError as error:
            raise self._refused(error) from error

    def _shape(self) -> tuple[int, int, int]:
        """(H, W, C). Raises ImageError."""
        if self.array.ndim not in (2, 3):
            raise ImageError(f"shape {self.array.shape}; expected (H, W) or (H, W, C)")
        height, width, channels = (*self.array.shape, 1)[:3]
        check_size(height, width, channels)
        return height, width, channels

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

    def read(self, range: ValueRange | None = None) -> DecodedImage:
        """See `Item`."""
        try:
            return from_pillow(self.image, range)
        except ImageError as error:
            raise self._refused(error) from error

    def read_map(self) -> IdMap:
        """See `Item`."""
        try:
            return map_of(self.image)
        except ImageError as error:
            raise self._refused(error) from error

    def _refused(self, error: ImageError) -> UserError:
        return UserError(f"cannot read {self.name}: {error}", exit_code=1)
