"""The images of a data folder: scanning their headers, counting their channels, caching their pixels."""

import os
import warnings
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock

import numpy as np

from i2icli.errors import UserError
from i2icli.image import FileItem, Item, Pixels
from i2icli.image.items import pages_of
from i2icli.reading import AS_FOUND, Reading

MOST_LOST = 0.5  # fraction of the images of a collection that may turn out to be unreadable
FEW_LOST = 3  # that many may in any case
_MANY = 64  # files from which on threads are worth starting


class BrokenImageWarning(UserWarning):
    """A training image could not be read; another one takes its place."""


def scan_headers(
    paths: Sequence[Path], *, strict: bool, reading: Reading = AS_FOUND, paged: bool = False
) -> tuple[list[FileItem], list[str]]:
    """Read the headers of many files: those that are images, and one line for each that is not.

    paged: where the reading takes pages for images, each page of a file is one. Raises UserError for the
    first that is not, if `strict`.
    """

    def probed(path: Path) -> list[FileItem | str]:
        try:
            items = pages_of(path, reading) if paged else [FileItem(path, reading)]
        except UserError as error:
            if strict:
                raise
            return [str(error)]
        return [headed(item) for item in items]

    def headed(item: FileItem) -> FileItem | str:
        try:
            item.header()
        except UserError as error:
            if strict:
                raise
            return str(error)
        return item

    if len(paths) < _MANY:
        found = [probed(path) for path in paths]
    else:
        with ThreadPoolExecutor(threads()) as pool:
            found = list(pool.map(probed, paths, chunksize=16))
    results = [result for group in found for result in group]
    good = [result for result in results if isinstance(result, FileItem)]
    return good, [result for result in results if isinstance(result, str)]


def threads() -> int:
    """Threads for reading many files at once: one per processor, at most 8."""
    return min(8, os.cpu_count() or 1)


def count_channels(images: Iterable[Item], wanted: int | None) -> int:
    """Channels to read images with: as wanted, else as found.

    Transparency is one of them where that makes up the number that is wanted. Raises UserError naming files
    if they differ, or if they cannot be converted to what is wanted.
    """
    images = list(images)
    kinds: dict[int, list[str]] = {}
    for image in images:
        kinds.setdefault(image.header().channels, []).append(image.name)
    if wanted is not None:
        claimed = has_alpha_channel(images, wanted)
        for found, names in kinds.items():
            if found != wanted and {found, wanted} != {1, 3} and not (claimed and found + 1 == wanted):
                raise UserError(
                    f"{names[0]} has {found} channels; --channels {wanted} fits only images of {wanted}, "
                    f"of {wanted - 1} and transparency, or 1 for 3 and 3 for 1"
                )
        return wanted
    if len(kinds) > 1:
        listed = "; ".join(
            f"{len(names)} with {channels} (e.g. {names[0]})" for channels, names in sorted(kinds.items())
        )
        advice = "add --channels 3 (or 1)" if set(kinds) == {1, 3} else "sort them into separate folders"
        raise UserError(f"images with different numbers of channels: {listed}; {advice}")
    return next(iter(kinds))


def has_alpha_channel(images: Iterable[Item], channels: int) -> bool:
    """Whether the last of so many channels is what the files say is transparency."""
    headers = (image.header() for image in images)
    return any(header.alpha and header.channels + 1 == channels for header in headers)


def widest_type(images: Iterable[Item]) -> str:
    """The number type that holds the values of all images; float32 where no integers do, or there are any."""
    found = np.result_type(*{image.header().number_type for image in images})
    return "float32" if found.kind == "f" else found.name


class ImageCache:
    """Decoded images (or pairs of them) by index, kept in memory if `cached`.

    The cache is filled by threads at the first request. A broken image causes one warning
    (`BrokenImageWarning`) and is replaced by the next good one, always the same; if `strict`,
    its UserError is raised. So is one as soon as more than half cannot be read, as a disk that has gone
    must not leave a training with the few images in memory. Safe to use from several threads.
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
            self._check_lost(error)
            return None

    def _check_lost(self, error: UserError) -> None:
        """Raise UserError if too few images are left to go on."""
        lost = len(self._broken)
        if lost > max(FEW_LOST, MOST_LOST * self._length):
            raise UserError(
                f"{lost:,} of {self._length:,} images cannot be read, which is more than half: {error}; is "
                "the disk with the data still there?",
                exit_code=1,
            )

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
