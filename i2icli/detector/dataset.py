"""Folders of photographs and fakes as labelled feature vectors."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from i2icli.detector.features import check_readable
from i2icli.detector.fitted_images import Hashes, pixel_hash
from i2icli.detector.jpeg import jpeg_quality
from i2icli.detector.leakage import grid_strength
from i2icli.detector.perturbations import Perturbation
from i2icli.errors import UserError
from i2icli.image import KNOWN, Header, Pixels, probe, read_image
from i2icli.image.finding import find_images

FeatureExtractor = Callable[[Pixels], NDArray[np.float64]]
"""(H, W, C) -> (D,); raises UserError for unsuitable images."""


@dataclass
class LabelledFeatures:
    """The feature vectors of two folders, with labels."""

    rows: NDArray[np.float64]  # (N, D)
    fake: NDArray[np.bool_]  # (N,)
    files: list[Path]
    groups: list[str]  # the subfolder of a file, or the name of the folder itself
    headers: list[Header]
    grids: NDArray[np.float64]  # (N,): strength of a JPEG grid in the unperturbed pixels
    qualities: list[int | None]  # of JPEG files
    hashes: Hashes  # (N,): of the unperturbed pixels
    skipped: list[str] = field(default_factory=list)  # files left out and why, one line each


def load_features(
    real: Path,
    fake: Path,
    extractor: FeatureExtractor,
    *,
    limit: int | None = None,
    perturbation: Perturbation | None = None,
) -> LabelledFeatures:
    """Extract the features of all images of two folders, perturbed first.

    Raises UserError for empty or nested folders, and for images whose features differ in length.
    """
    files = [(real, False, file) for file in _subset(find_images(real, own=True), limit)]
    files += [(fake, True, file) for file in _subset(find_images(fake, own=True), limit)]
    _check_disjoint(real, fake)
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        results = list(pool.map(lambda each: _read(each[2], extractor, perturbation), files))
    good = [(file, read) for file, read in zip(files, results, strict=True) if isinstance(read, _Example)]
    skipped = [read for read in results if isinstance(read, str)]
    for folder, what in ((real, "photographs"), (fake, "fakes")):
        inside = [read for (parent, _, _), read in zip(files, results, strict=True) if parent == folder]
        _check_any(folder, what, inside)
    _check_lengths([read for _, read in good])
    return LabelledFeatures(
        np.stack([read.features for _, read in good]),
        np.array([is_fake for (_, is_fake, _), _ in good]),
        [file for (_, _, file), _ in good],
        [_group(folder, file) for (folder, _, file), _ in good],
        [read.header for _, read in good],
        np.array([read.grid for _, read in good]),
        [read.quality for _, read in good],
        np.array([read.hash for _, read in good], np.uint64),
        skipped,
    )


def _group(folder: Path, file: Path) -> str:
    """The subfolder of a file, or the name of the folder itself."""
    below = file.parent.relative_to(folder).as_posix()
    return folder.name if below == "." else below


def _subset(files: Sequence[Path], limit: int | None) -> list[Path]:
    """At most `limit` files, evenly spaced."""
    if limit is None or len(files) <= limit:
        return list(files)
    return [files[index * len(files) // limit] for index in range(limit)]


@dataclass(frozen=True)
class _Example:
    features: NDArray[np.float64]
    header: Header
    grid: float
    quality: int | None
    hash: int


def _read(file: Path, extractor: FeatureExtractor, perturbation: Perturbation | None) -> _Example | str:
    """The example of one file, or why it cannot be used."""
    try:
        header = probe(file)
        pixels = read_image(file).pixels
    except UserError as error:  # its message names the file
        return str(error)
    try:
        check_readable(pixels, 1)
        grid, quality = grid_strength(pixels), jpeg_quality(file)
        features = extractor(perturbation(pixels) if perturbation else pixels)
        return _Example(features, header, grid, quality, pixel_hash(pixels))
    except UserError as error:
        return f"{file}: {error}"


def _check_disjoint(real: Path, fake: Path) -> None:
    """Raise UserError if the folders share images."""
    if real.resolve() == fake.resolve():
        raise UserError(f"{real}: the same folder for photographs and fakes; give two")
    for inner, outer in ((real, fake), (fake, real)):
        if inner.resolve().is_relative_to(outer.resolve()):
            raise UserError(
                f"{inner}: inside {outer}, so its images would be photographs and fakes at once; "
                "use two separate folders"
            )


def _check_any(folder: Path, what: str, found: Sequence[_Example | str]) -> None:
    """Raise UserError if no image of a folder can be used."""
    errors = [read for read in found if isinstance(read, str)]
    if not found:
        raise UserError(f"{folder}: no images; expected a folder of {what}: {KNOWN}")
    if len(errors) == len(found):
        raise UserError(
            f"{folder}: none of {len(found):,} images can be used; expected {what}; choose another folder "
            f"or fix them; the first: {errors[0]}"
        )


def _check_lengths(found: Sequence[_Example]) -> None:
    if len({len(read.features) for read in found}) > 1:
        sizes = sorted({f"{read.header.size[1]}x{read.header.size[0]}" for read in found})
        raise UserError(
            f"images of {len(sizes)} sizes ({', '.join(sizes[:4])}{' ...' if len(sizes) > 4 else ''}); "
            "--features raw-profile needs a single size: use --features profile, or --equalise"
        )
