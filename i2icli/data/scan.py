"""What every kind of data does with a collection of images: look it over, count, plan, read."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torch import Tensor

from i2icli.data.describe import skipped_lines
from i2icli.data.images import ImageCache, ImageFile, count_channels, prepare, survey
from i2icli.data.preprocess import Preprocess
from i2icli.errors import UserError
from i2icli.image import Pixels, read_image, to_tensor
from i2icli.image.finding import Collection

TRANSPARENCY_LINE = "some images have transparency: it is ignored, only colours are learned"


def scan(
    collection: Collection, *, strict: bool, expected: str = "images"
) -> tuple[list[ImageFile], list[str]]:
    """The images of a collection that can be read, and report lines about what is skipped.

    Raises UserError if there are none (`expected` says what should be there), or if `strict` for
    the first that is broken.
    """
    if not collection.images:
        raise UserError(f"{collection.folder}: no images in this folder; expected {expected}")
    files, broken = survey(collection.images, strict=strict)
    if not files:
        raise UserError(f"{collection.folder}: none of its {len(broken)} images can be read; {broken[0]}")
    return files, skipped_lines(collection, broken)


def common_channels(collections: Iterable[Sequence[ImageFile]], wanted: tuple[int, ...] | None) -> int:
    """Channels to read all of several collections with: as wanted, else as found. Raises UserError."""
    if wanted is not None and len(set(wanted)) > 1:
        raise UserError(f"--channels {','.join(map(str, wanted))}: expected one number, the same for all")
    every = [file for files in collections for file in files]
    return count_channels(every, wanted[0] if wanted else None)


def transparency_lines(collections: Iterable[Sequence[ImageFile]]) -> list[str]:
    """A report line if any image has an alpha channel, which no system learns."""
    return [TRANSPARENCY_LINE] if any(file.header.alpha for files in collections for file in files) else []


def decoded_bytes(files: Sequence[ImageFile], channels: int, preprocess: Preprocess) -> int:
    """Memory that the prepared images of a collection take."""
    total = 0
    for file in files:
        height, width = preprocess.prepared_size(file.header.size)
        total += height * width * channels * file.header.dtype.itemsize
    return total


def memory_needed(
    train: Iterable[Sequence[ImageFile]],
    held_out: Iterable[Sequence[ImageFile]],
    channels: Sequence[int],
    preprocess: Preprocess,
) -> int:
    """Bytes of the prepared images of all collections, one number of channels for each."""
    return sum(
        decoded_bytes(files, count, frame)
        for collections, frame in ((train, preprocess), (held_out, preprocess.for_validation()))
        for files, count in zip(collections, channels, strict=False)  # nothing may be held out
    )


@dataclass(frozen=True)
class ReadSpec:
    """How the images of a collection are read."""

    channels: int
    preprocess: Preprocess
    cached: bool  # kept in memory
    strict: bool  # a broken one is an error

    def prepared(self, path: Path) -> Pixels:
        """An image (H, W, C) at the size it is cut from. Raises UserError."""
        pixels = read_image(path).pixels
        return prepare(pixels, self.channels, self.preprocess.prepared_size(pixels.shape[:2]))

    def store(self, length: int, load: Callable[[int], tuple[Pixels, ...]]) -> ImageCache:
        """What `load` reads, by index."""
        return ImageCache(length, load, cached=self.cached, strict=self.strict)


class ImageReader:
    """The prepared images of one collection, by index."""

    def __init__(self, files: Sequence[ImageFile], reading: ReadSpec) -> None:
        self.files = files
        self.reading = reading
        self.store = reading.store(len(files), self._load)

    def __len__(self) -> int:
        return len(self.files)

    def example(self, index: int, rng: np.random.Generator | None) -> Tensor:
        """(C, H, W) in [-1, 1], cut and flipped by `rng`. Raises UserError if none can be read."""
        (pixels,) = self.store.get(index)
        return to_tensor(self.reading.preprocess.window(pixels.shape[:2], rng).crop(pixels))

    def _load(self, index: int) -> tuple[Pixels]:
        return (self.reading.prepared(self.files[index].path),)
