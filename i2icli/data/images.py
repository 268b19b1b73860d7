"""The images of a data folder: what their heads say, and their pixels, from memory or from disk."""

import os
import warnings
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from i2icli.config import Config
from i2icli.errors import UserError
from i2icli.growable import GrowableConfig
from i2icli.image import Header, Pixels, convert_channels, probe, resize

_MANY = 64  # from so many files on, threads are worth their start


class BrokenImageWarning(UserWarning):
    """A training image could not be read; another one takes its place."""


@dataclass(frozen=True)
class ImageFile:
    """An image file whose head could be read."""

    path: Path
    header: Header


def survey(paths: Sequence[Path], *, strict: bool) -> tuple[list[ImageFile], list[str]]:
    """Read the heads of many files: those that are images, and one line for each that is not.

    Raises UserError for the first that is not, if `strict`.
    """

    def look(path: Path) -> ImageFile | str:
        try:
            return ImageFile(path, probe(path))
        except UserError as error:
            if strict:
                raise
            return str(error)

    if len(paths) < _MANY:
        results = [look(path) for path in paths]
    else:
        with ThreadPoolExecutor(threads()) as pool:
            results = list(pool.map(look, paths, chunksize=16))
    good = [result for result in results if isinstance(result, ImageFile)]
    return good, [result for result in results if isinstance(result, str)]


def threads() -> int:
    """Threads for reading many files at once: one per processor, at most 8."""
    return min(8, os.cpu_count() or 1)


def count_channels(files: Iterable[ImageFile], wanted: int | None) -> int:
    """Channels of colour to read images with: as wanted, else as found.

    Raises UserError naming files if they differ, or if they cannot be turned into what is wanted.
    """
    kinds: dict[int, list[Path]] = {}
    for file in files:
        kinds.setdefault(file.header.channels, []).append(file.path)
    if wanted is not None:
        for found, paths in kinds.items():
            if found != wanted and {found, wanted} != {1, 3}:
                raise UserError(
                    f"{paths[0]} has {found} channels; --channels {wanted} fits only 1 or 3 channels"
                )
        return wanted
    if len(kinds) > 1:
        listed = "; ".join(
            f"{len(paths)} with {channels} (e.g. {paths[0]})" for channels, paths in sorted(kinds.items())
        )
        advice = "add --channels 3 (or 1)" if set(kinds) == {1, 3} else "sort them into folders of one kind"
        raise UserError(f"images with different numbers of channels: {listed}; {advice}")
    return next(iter(kinds))


def refuse_mixed_sizes(files: Sequence[ImageFile], sizes: Sequence[tuple[int, int]], batch_size: int) -> None:
    """Raise UserError if files become examples of differing `sizes`, (height, width), that share batches."""
    if batch_size == 1:
        return
    for file, size in zip(files, sizes, strict=True):
        if size != sizes[0]:
            raise UserError(
                f"{file.path} becomes {size[1]}x{size[0]} pixels, "
                f"{files[0].path} {sizes[0][1]}x{sizes[0][0]}: they cannot share a batch; "
                "use --batch-size 1, or --preprocess resize or crop"
            )


def refuse_small_to_grow(images: Iterable[tuple[Path, tuple[int, int]]], config: Config) -> None:
    """Raise UserError if an image, of (height, width), is smaller than what grown networks are to learn."""
    if not (isinstance(config, GrowableConfig) and config.grown):
        return
    height, width = config.crop_size
    for path, size in images:
        if size[0] < height or size[1] < width:
            raise UserError(
                f"{path} has {size[1]}x{size[0]} pixels, too few to grow to {width}x{height}; "
                "choose a smaller --to, or leave such images out"
            )


def prepare(pixels: Pixels, channels: int, size: tuple[int, int]) -> Pixels:
    """(H, W, C) -> (height, width, channels), in whichever order is cheaper. Raises UserError."""
    if pixels.shape[2] > channels:
        return resize(convert_channels(pixels, channels), size)
    return convert_channels(resize(pixels, size), channels)


class ImageCache:
    """Decoded images (or pairs of them) by index, kept in memory if they may be.

    The memory is filled by threads at the first request. A broken image is warned of once
    (`BrokenImageWarning`) and the next good one given instead, the same one each time; if
    `strict`, its UserError is raised. Safe to use from several threads.
    """

    def __init__(
        self, length: int, load: Callable[[int], tuple[Pixels, ...]], *, cached: bool, strict: bool
    ) -> None:
        self._length = length
        self._load = load
        self._strict = strict
        self._filled = not cached
        self._memory: dict[int, tuple[Pixels, ...]] = {}
        self._broken: set[int] = set()
        self._lock = Lock()

    def get(self, index: int) -> tuple[Pixels, ...]:
        """The images at an index, or at the next good one. Raises UserError if none can be read."""
        if not self._filled:
            self._fill()
        for step in range(self._length):
            found = self._find((index + step) % self._length)
            if found is not None:
                return found
        raise UserError("none of the training images can be read", exit_code=1)

    def _find(self, index: int) -> tuple[Pixels, ...] | None:
        if index in self._broken:
            return None
        return self._memory.get(index) or self._read(index)

    def _read(self, index: int) -> tuple[Pixels, ...] | None:
        try:
            return self._load(index)
        except UserError as error:
            if self._strict:
                raise
            with self._lock:
                known = index in self._broken
                self._broken.add(index)
            if not known:
                warnings.warn(f"{error}; skipped", BrokenImageWarning, stacklevel=2)
            return None

    def _fill(self) -> None:
        with self._lock:
            if self._filled:
                return
            reader = ImageCache(self._length, self._load, cached=False, strict=self._strict)
            with ThreadPoolExecutor(threads()) as pool:
                found = pool.map(reader._read, range(self._length))
                self._memory = {i: images for i, images in enumerate(found) if images is not None}
            self._broken = reader._broken
            self._filled = True
