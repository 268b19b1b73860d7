"""Spectra of folders of images: the work of `i2i spectrum`."""

import io
import os
from collections.abc import Container, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import chain, count
from math import hypot
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from i2icli.errors import UserError, cell, print_number, several
from i2icli.image import KNOWN, grey_levels, read_image
from i2icli.image.finding import find_images, named
from i2icli.image.items import pages_of
from i2icli.nn.spectrum import FEWEST_RINGS, num_rings, profile_of, relative_to_first, resampled
from i2icli.reading import AS_FOUND, Reading
from i2icli.report.chart import Chart, Line, chart_image, write_chart
from i2icli.report.page import write_page
from i2icli.report.sections import Figure, Table, Text
from i2icli.written import counted, print_size

LENGTH = 300  # values of a curve if sizes differ, as published for videos
SIZES = 3  # that its description names
MAX_CURVES = 8  # more single files are merged into one curve
UNIT = "log amplitude (20 ln |F|)"
AXIS_LIMIT = 1 / np.sqrt(2)  # highest frequency along rows and columns, relative to the diagonal's


@dataclass(frozen=True)
class ImageProfile:
    """The spectral profile and size of an image, or why it has none."""

    path: Path
    size: tuple[int, int] = (0, 0)  # (height, width)
    profile: NDArray[np.float64] | None = None  # (R,)
    error: str = ""


@dataclass(frozen=True)
class Spectrum:
    """The profiles of a group of images."""

    name: str
    sizes: tuple[tuple[int, int], ...]  # (height, width), each once
    profiles: NDArray[np.float64]  # (N, L)
    skipped: tuple[str, ...] = ()  # images without a profile and why, one line each

    def __repr__(self) -> str:
        """Of what it is, and how fine."""
        images, values = self.profiles.shape
        sizes = ", ".join(f"{print_size(size)} px" for size in self.sizes[:SIZES])
        more = f" and {len(self.sizes) - SIZES:,} more sizes" if len(self.sizes) > SIZES else ""
        skipped = f", {len(self.skipped):,} skipped" if self.skipped else ""
        return (
            f"<Spectrum {self.name}: {counted(images, 'image')} of {sizes}{more}{skipped}, "
            f"{counted(values, 'value')}>"
        )

    @property
    def mean(self) -> NDArray[np.float64]:
        """(L,)"""
        mean: NDArray[np.float64] = self.profiles.mean(0)
        return mean

    @property
    def deviation(self) -> NDArray[np.float64]:
        """(L,), 0 for one image."""
        deviation: NDArray[np.float64] = self.profiles.std(0)
        return deviation

    @property
    def frequency(self) -> NDArray[np.float64]:
        """(L,): the frequencies of the values, 1 is the highest; averaged if sizes differ."""
        first, last = np.mean([_ends(*size) for size in self.sizes], axis=0)
        return np.linspace(first, last, self.profiles.shape[1])


def _ends(height: int, width: int) -> tuple[float, float]:
    """The frequencies of a profile's first and last value, at the centres of their rings."""
    highest = hypot(height / 2, width / 2)
    return 1.5 / highest, (num_rings(height, width) + 0.5) / highest


def gather(inputs: Sequence[str]) -> tuple[dict[str, list[Path]], list[str]]:
    """The files of each curve by its name, and one line for each input that matches no file.

    One curve for each folder, for each glob, and for each file if there are few.
    """
    curves: dict[str, list[Path]] = {}
    files: list[Path] = []
    errors: list[str] = []
    for each in inputs:
        try:
            matches = named(each)
            plain = [path for path in matches if not path.is_dir()]
            if matches != [Path(each)]:
                curves |= {_free(curves, each): plain} if plain else {}
            elif plain and not os.path.lexists(plain[0]):
                raise UserError(f"no such file or folder: {each}")
            else:
                files += plain
        except (UserError, OSError, ValueError) as error:
            errors.append(str(error))
            continue
        for folder in (path for path in matches if path not in plain):
            try:
                curves[_free(curves, folder.resolve().name, str(folder))] = _images_in(folder)
            except UserError as error:
                errors.append(str(error))
    files = list(dict.fromkeys(files))
    if len(files) + len(curves) > MAX_CURVES:
        return curves | ({_free(curves, f"{len(files)} files"): files} if files else {}), errors
    for path in files:
        curves[_free(curves, path.name, str(path))] = [path]
    return curves, errors


def _images_in(folder: Path) -> list[Path]:
    found = find_images(folder, own=True)
    if not found:
        raise UserError(f"{folder}: no images in this folder; expected {KNOWN}")
    return found


def _free(taken: Container[str], *names: str) -> str:
    """The first name that is not taken; if all are, the last with a number."""
    numbered = (f"{names[-1]} ({number})" for number in count(2))
    return next(name for name in chain(names, numbered) if name not in taken)


def measured(
    inputs: Sequence[str], *, relative: bool = False, reading: Reading = AS_FOUND
) -> tuple[list[Spectrum], bool, list[str]]:
    """What `measure` gives for the files that inputs name, see `gather`; also skipped are inputs without any.

    Raises UserError if there is no curve.
    """
    groups, missing = gather(inputs)
    found, relative, unusable = measure(groups, relative=relative, reading=reading)
    skipped = missing + unusable
    if not found:
        raise UserError(several(skipped) or "no images given", exit_code=1 if groups else 2)
    return found, relative, skipped


def measure(
    groups: dict[str, list[Path]], *, relative: bool = False, reading: Reading = AS_FOUND
) -> tuple[list[Spectrum], bool, list[str]]:
    """The spectra of groups of files, whether they are relative to their first value, and skipped images.

    Profiles are as published, one value per ring; if sizes differ, all are resampled to one length and
    divided by their first value, as amplitudes grow with size. reading: what files leave open. Groups
    without a readable image are omitted.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # images are processed in parallel, so operations are not
    try:
        with ThreadPoolExecutor(threads) as pool:
            read = partial(_read_profiles, reading=reading)
            results = {name: [*chain(*pool.map(read, paths))] for name, paths in groups.items()}
    finally:
        torch.set_num_threads(threads)
    good = {name: [each for each in found if each.profile is not None] for name, found in results.items()}
    mixed = len({each.size for found in good.values() for each in found}) > 1
    relative = relative or mixed
    spectra = [
        _joined(name, each, results[name], mixed=mixed, relative=relative)
        for name, each in good.items()
        if each
    ]
    return spectra, relative, [each.error for found in results.values() for each in found if each.error]


def _read_profiles(path: Path, reading: Reading) -> list[ImageProfile]:
    """The profile of a file, or those of its pages where they are images."""
    try:
        return [read_profile(path, item.reading) for item in pages_of(path, reading)]
    except UserError as error:
        return [ImageProfile(path, error=str(error))]


def read_profile(path: Path, reading: Reading = AS_FOUND) -> ImageProfile:
    """The profile of an image file, or why it has none."""
    try:
        levels = grey_levels(read_image(path, reading=reading).pixels)
    except UserError as error:
        return ImageProfile(path, error=str(error))
    height, width = levels.shape
    if num_rings(height, width) < FEWEST_RINGS:
        too_few = f"{path}: {width}x{height} pixels are too few for a spectrum; expected 9x9 or more"
        return ImageProfile(path, error=too_few)
    if levels.min() == levels.max():
        return ImageProfile(path, error=f"{path}: all pixels are equal, so there is no spectrum")
    return ImageProfile(path, (height, width), profile_of(levels))


def _joined(
    name: str, good: list[ImageProfile], results: list[ImageProfile], *, mixed: bool, relative: bool
) -> Spectrum:
    resample = partial(resampled, length=LENGTH) if mixed else lambda profile: profile
    profiles = np.stack([resample(each.profile) for each in good if each.profile is not None])  # (N, L)
    if relative:
        profiles = relative_to_first(profiles)
    skipped = tuple(each.error for each in results if each.error)
    return Spectrum(name, tuple(dict.fromkeys(each.size for each in good)), profiles, skipped)


def chart(spectra: Sequence[Spectrum], *, relative: bool) -> Chart:
    """The curves in one chart, each with a band of one standard deviation."""
    lines = [
        Line.of(f"{each.name} ({len(each.profiles):,})", each.frequency, each.profiles) for each in spectra
    ]
    square = all(height == width for each in spectra for height, width in each.sizes)
    marks = [(float(AXIS_LIMIT), "maximum along rows and columns")] if square else []
    return Chart(
        "Spectra: mean and standard deviation", lines, "frequency (1 = maximum)", _unit(relative), marks
    )


def _unit(relative: bool) -> str:
    return f"{UNIT}, relative to the first value" if relative else UNIT


def write(path: Path, spectra: Sequence[Spectrum], *, relative: bool) -> None:
    """Write the chart as PNG, SVG or an HTML page, by the suffix."""
    drawn = chart(spectra, relative=relative)
    if path.suffix.lower() != ".html":
        write_chart(path, drawn)
        return
    image = io.BytesIO()
    chart_image(drawn).save(image, format="PNG")
    columns, rows = summary(spectra, relative=relative)
    number = counted(sum(len(each.profiles) for each in spectra), "image")
    lead = f"Azimuthally averaged power spectra of {number}."
    write_page(path, "Spectra", [Text(lead, lead=True), Figure(image.getvalue()), Table(columns, rows)])


def summary(spectra: Sequence[Spectrum], *, relative: bool) -> tuple[list[str], list[list[str]]]:
    """Column names and one row per curve: number of images, their size, mean of the upper half."""
    rows = []
    for each in spectra:
        height, width = each.sizes[0]
        size = f"{width}x{height}" if len(each.sizes) == 1 else f"{len(each.sizes)} sizes"
        upper = slice(each.profiles.shape[1] // 2, None)
        level = each.mean[upper].mean()
        difference = level - spectra[0].mean[upper].mean()
        rows.append([each.name, f"{len(each.profiles):,}", size, print_number(level, 4), _signed(difference)])
    headings = [f"upper half ({_unit(relative)})", f"difference from {spectra[0].name}"]
    return ["curve", "images", "size", *headings], rows


def _signed(value: float) -> str:
    return ("+" if value >= 0 else "") + print_number(value)


def csv_text(spectra: Sequence[Spectrum]) -> str:
    """CSV with the columns curve, frequency, mean, deviation; one line per value."""
    import csv

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["curve", "frequency", "mean", "deviation"])
    for each in spectra:
        for values in zip(each.frequency, each.mean, each.deviation, strict=True):
            writer.writerow([cell(each.name), *(f"{value:.6g}" for value in values)])
    return text.getvalue()


def json_rows(spectra: Sequence[Spectrum], *, relative: bool) -> list[dict[str, object]]:
    """One object per curve."""
    return [
        {
            "name": each.name,
            "images": len(each.profiles),
            "sizes": [f"{width}x{height}" for height, width in each.sizes],
            "unit": _unit(relative),
            "frequency": each.frequency.round(6).tolist(),
            "mean": each.mean.round(6).tolist(),
            "deviation": each.deviation.round(6).tolist(),
            "left_out": list(each.skipped),
        }
        for each in spectra
    ]
