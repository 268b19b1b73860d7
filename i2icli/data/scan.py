"""What every kind of data does with collections of images: scan, align, count, plan memory, read."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from i2icli.data.describe import skipped_lines
from i2icli.data.images import ImageCache, scan_headers
from i2icli.data.left_out import left_out, refuse_remainder
from i2icli.data.preprocess import Crop, Preprocess
from i2icli.errors import UserError
from i2icli.image import FileItem, Item, Pixels
from i2icli.image.finding import Collection
from i2icli.image.kinds import decode, pixel_bytes, prepare, to_tensor
from i2icli.reading import AS_FOUND, Reading
from i2icli.task import Port


def scan(
    collection: Collection, *, strict: bool, expected: str = "images", reading: Reading = AS_FOUND
) -> tuple[list[FileItem], list[str]]:
    """The readable images of a collection, and report lines about what is skipped.

    Raises UserError if there are none (`expected` says what should be there), if too many are broken, or if
    `strict` for the first that is.
    """
    if not collection.images:
        others = left_out([collection])
        found = f" (found {others})" if others else ""
        raise UserError(f"{collection.folder}: no images in this folder{found}; expected {expected}")
    files, broken = scan_headers(collection.images, strict=strict, reading=reading, paged=True)
    if not files:
        raise UserError(f"{collection.folder}: none of its {len(broken)} images can be read; {broken[0]}")
    refuse_remainder(broken, len(files) + len(broken), collection.folder)
    return files, skipped_lines(collection, broken)


def aligned(
    collections: Sequence[Collection],
    files: Sequence[Sequence[FileItem]],
    *,
    complete: bool = True,
    same_size: bool = True,
) -> list[list[FileItem]]:
    """The images that show the same scenes, in the same order in every collection; empty if there are none.

    The same name and, but for `same_size`, the same size in every collection mean the same scene. `complete`:
    every image must have its counterparts, or none counts.
    """
    by_key = [
        {key_of(collection, file): file for file in each}
        for collection, each in zip(collections, files, strict=True)
    ]
    first = by_key[0]
    keys = [
        key
        for key, file in first.items()
        if all(key in other and (not same_size or other[key].size == file.size) for other in by_key)
    ]
    if not keys or (complete and any(len(each) != len(keys) for each in by_key)):
        return []
    return [[each[key] for key in keys] for each in by_key]


def key_of(collection: Collection, file: FileItem) -> str:
    """What pairs an image with those of other collections: `Collection.key`, and the number of its page."""
    key, page = collection.key(file.path), file.reading.page
    return key if page is None else f"{key}, page {page}"


def partners(index: int, lengths: tuple[int, int], rng: np.random.Generator | None) -> tuple[int, int]:
    """Which images of two collections are an example: the index walks the larger one.

    `rng` draws from the smaller one; None takes the same index, wrapped around.
    """
    first, second = index % lengths[0], index % lengths[1]
    if rng is None:
        return first, second
    drawn = int(rng.integers(min(lengths)))
    return (first, drawn) if lengths[0] >= lengths[1] else (drawn, second)


def decoded_bytes(images: Sequence[Item], port: Port, preprocess: Preprocess) -> int:
    """Memory that the prepared images of a collection take."""
    total = 0
    for image in images:
        header = image.header()
        height, width = preprocess.prepared_size(header.size)
        total += height * width * pixel_bytes(port, header.dtype)
    return total


def memory_needed(
    train: Iterable[Sequence[Item]],
    validation: Iterable[Sequence[Item]],
    ports: Sequence[Port],
    preprocess: Preprocess,
) -> int:
    """Bytes of the prepared images of all collections, one port for each."""
    return sum(
        decoded_bytes(images, port, how)
        for collections, how in ((train, preprocess), (validation, preprocess.for_validation()))
        for images, port in zip(collections, ports, strict=False)  # there may be no validation
    )


@dataclass(frozen=True)
class ReadSpec:
    """How the images of a collection are read."""

    port: Port
    preprocess: Preprocess
    cached: bool  # kept in memory
    strict: bool  # a broken one is an error

    def prepared(self, item: Item) -> Pixels:
        """An image (H, W, C) at the size it is cropped from. Raises UserError."""
        pixels = decode(item, self.port)
        return prepare(pixels, self.port, self.preprocess.prepared_size(pixels.shape[:2]))

    def example(self, pixels: Pixels, crop: Crop) -> Tensor:
        """A crop of a prepared image as tensor (C, h, w): images in [-1, 1], ids int64."""
        return to_tensor(crop.crop(pixels), self.port.kind)

    def cache(self, length: int, load: Callable[[int], tuple[Pixels, ...]]) -> ImageCache:
        """What `load` reads, by index."""
        return ImageCache(length, load, cached=self.cached, strict=self.strict)


class ImageReader:
    """The prepared images of one collection, by index."""

    def __init__(self, items: Sequence[Item], spec: ReadSpec) -> None:
        self.items = items
        self.spec = spec
        self.cache = spec.cache(len(items), self._load)

    def __len__(self) -> int:
        return len(self.items)

    def example(self, index: int, rng: np.random.Generator | None) -> Tensor:
        """(C, h, w), cropped and flipped by `rng`. Raises UserError if no image can be read."""
        (pixels,) = self.cache.get(index)
        return self.spec.example(pixels, self.spec.preprocess.window(pixels.shape[:2], rng))

    def _load(self, index: int) -> tuple[Pixels]:
        return (self.spec.prepared(self.items[index]),)
