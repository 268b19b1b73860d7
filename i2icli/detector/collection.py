"""Folders of photographs and of fakes as rows of features, with where each came from."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from i2icli.detector.inputs import check_readable
from i2icli.detector.jpeg import jpeg_quality
from i2icli.detector.leakage import grid_strength
from i2icli.errors import UserError
from i2icli.image import SUFFIXES, Header, Pixels, probe, read_image
from i2icli.image.finding import find_images

Treatment = Callable[[Pixels], Pixels]
Reader = Callable[[Pixels], NDArray[np.float64]]
"""(H, W, C) -> (D,); raises UserError for pictures that it cannot read."""


@dataclass
class Collection:
    """Rows of features of two folders."""

    rows: NDArray[np.float64]  # (N, D)
    fake: NDArray[np.bool_]  # (N,)
    files: list[Path]
    groups: list[str]  # the folder a file lies in, below the one that was named
    headers: list[Header]
    grids: NDArray[np.float64]  # (N,): strength of a JPEG grid in the pixels as they were read
    qualities: list[int | None]  # of JPEG files
    troubles: list[str] = field(default_factory=list)  # one line for each file left out


def collect(
    real: Path,
    fake: Path,
    reader: Reader,
    *,
    limit: int | None = None,
    treatment: Treatment | None = None,
) -> Collection:
    """Rows of two folders, their pictures treated first.

    Raises UserError for folders without images or inside one another, or pictures that cannot be compared.
    """
    named = [(real, False, file) for file in _spread(find_images(real), limit)]
    named += [(fake, True, file) for file in _spread(find_images(fake), limit)]
    _check_apart(real, fake)
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        found = list(pool.map(lambda each: _read(each[2], reader, treatment), named))
    good = [(place, read) for place, read in zip(named, found, strict=True) if isinstance(read, _Read)]
    troubles = [read for read in found if isinstance(read, str)]
    for folder, what in ((real, "photographs"), (fake, "fakes")):
        own = [read for (named_in, _, _), read in zip(named, found, strict=True) if named_in == folder]
        _check_any(folder, what, own)
    _check_lengths([read for _, read in good])
    return Collection(
        np.stack([read.row for _, read in good]),
        np.array([is_fake for (_, is_fake, _), _ in good]),
        [file for (_, _, file), _ in good],
        [_group(folder, file) for (folder, _, file), _ in good],
        [read.header for _, read in good],
        np.array([read.grid for _, read in good]),
        [read.quality for _, read in good],
        troubles,
    )


def _group(folder: Path, file: Path) -> str:
    """The folder a file lies in, below the one that was named."""
    below = file.parent.relative_to(folder).as_posix()
    return folder.name if below == "." else below


def _spread(files: Sequence[Path], limit: int | None) -> list[Path]:
    """At most so many, evenly spread."""
    if limit is None or len(files) <= limit:
        return list(files)
    return [files[index * len(files) // limit] for index in range(limit)]


@dataclass(frozen=True)
class _Read:
    row: NDArray[np.float64]
    header: Header
    grid: float
    quality: int | None


def _read(file: Path, reader: Reader, treatment: Treatment | None) -> _Read | str:
    """What is needed of one file, or why it cannot be used."""
    try:
        header = probe(file)
        pixels = read_image(file).pixels
    except UserError as error:  # names the file
        return str(error)
    try:
        check_readable(pixels, 1)
        grid, quality = grid_strength(pixels), jpeg_quality(file)
        return _Read(reader(treatment(pixels) if treatment else pixels), header, grid, quality)
    except UserError as error:
        return f"{file}: {error}"


def _check_apart(real: Path, fake: Path) -> None:
    """Raise UserError where pictures would count as photographs and as fakes."""
    if real.resolve() == fake.resolve():
        raise UserError(f"{real}: the same folder for photographs and fakes; name two")
    for inner, outer in ((real, fake), (fake, real)):
        if inner.resolve().is_relative_to(outer.resolve()):
            raise UserError(
                f"{inner}: inside {outer}, so its images would be photographs and fakes at once; "
                "put them in two folders side by side"
            )


def _check_any(folder: Path, what: str, found: Sequence[_Read | str]) -> None:
    """Raise UserError unless something can be used of what was found in a folder."""
    troubles = [read for read in found if isinstance(read, str)]
    if not found:
        raise UserError(f"{folder}: no images; expected a folder of {what} in {', '.join(sorted(SUFFIXES))}")
    if len(troubles) == len(found):
        raise UserError(
            f"{folder}: none of {len(found):,} images can be used; expected {what}, name another folder "
            f"or mend them; the first: {troubles[0]}"
        )


def _check_lengths(found: Sequence[_Read]) -> None:
    if len({len(read.row) for read in found}) > 1:
        sizes = sorted({f"{read.header.size[1]}x{read.header.size[0]}" for read in found})
        raise UserError(
            f"pictures of {len(sizes)} sizes ({', '.join(sizes[:4])}{' ...' if len(sizes) > 4 else ''}); "
            "--features raw-profile needs one size: use --features profile, or --equalise"
        )
