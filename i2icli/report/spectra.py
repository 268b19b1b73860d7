"""Spectra of folders of pictures: what `i2i spectrum` draws, prints and writes."""

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

from i2icli.errors import UserError
from i2icli.image import SUFFIXES, grey_levels, read_image
from i2icli.image.finding import find_images, named
from i2icli.nn.spectrum import FEWEST_RINGS, num_rings, profile_of, relative, resampled
from i2icli.report import Figure, Table, Text, write_page
from i2icli.report.chart import Chart, Line, chart_image, write_chart

LENGTH = 300  # values of a curve where sizes differ, as published for films
MOST_CURVES = 8  # single files beyond so many make up one curve
UNIT = "20 ln |F|"
AXIS_LIMIT = 1 / np.sqrt(2)  # of the highest frequency, a corner's: the highest along a row or a column


@dataclass(frozen=True)
class Profiled:
    """One picture's profile and size, or why it has none."""

    path: Path
    size: tuple[int, int] = (0, 0)  # (height, width)
    profile: NDArray[np.float64] | None = None  # (R,)
    trouble: str = ""


@dataclass(frozen=True)
class Spectrum:
    """The curve of some pictures."""

    name: str
    sizes: tuple[tuple[int, int], ...]  # (height, width), each once
    profiles: NDArray[np.float64]  # (N, L)
    troubles: tuple[str, ...] = ()  # pictures left out, one line each

    @property
    def mean(self) -> NDArray[np.float64]:
        """(L,)"""
        mean: NDArray[np.float64] = self.profiles.mean(0)
        return mean

    @property
    def deviation(self) -> NDArray[np.float64]:
        """(L,), 0 for one picture."""
        deviation: NDArray[np.float64] = self.profiles.std(0)
        return deviation

    @property
    def frequency(self) -> NDArray[np.float64]:
        """(L,): where its values lie; 1 is the highest frequency; in the mean where sizes differ."""
        first, last = np.mean([_ends(*size) for size in self.sizes], axis=0)
        return np.linspace(first, last, self.profiles.shape[1])


def _ends(height: int, width: int) -> tuple[float, float]:
    """The frequencies of a profile's first and last value, the middles of their rings."""
    highest = hypot(height / 2, width / 2)
    return 1.5 / highest, (num_rings(height, width) + 0.5) / highest


def gather(words: Sequence[str]) -> tuple[dict[str, list[Path]], list[str]]:
    """Curve by name -> its files, and one line for each word that names nothing.

    A curve for each folder, for the files of each glob, and for each file if these are few.
    """
    curves: dict[str, list[Path]] = {}
    files: list[Path] = []
    troubles: list[str] = []
    for word in words:
        try:
            matches = named(word)
            plain = [path for path in matches if not path.is_dir()]
            if matches != [Path(word)]:
                curves |= {_free(curves, word): plain} if plain else {}
            elif plain and not os.path.lexists(plain[0]):
                raise UserError(f"there is no file or folder {word}")
            else:
                files += plain
        except (UserError, OSError, ValueError) as error:
            troubles.append(str(error))
            continue
        for folder in (path for path in matches if path not in plain):
            try:
                curves[_free(curves, folder.resolve().name, str(folder))] = _images_in(folder)
            except UserError as error:
                troubles.append(str(error))
    files = list(dict.fromkeys(files))
    if len(files) + len(curves) > MOST_CURVES:
        return curves | ({_free(curves, f"{len(files)} files"): files} if files else {}), troubles
    for path in files:
        curves[_free(curves, path.name, str(path))] = [path]
    return curves, troubles


def _images_in(folder: Path) -> list[Path]:
    found = find_images(folder)
    if not found:
        suffixes = ", ".join(sorted(SUFFIXES))
        raise UserError(f"{folder}: no images in this folder; expected {suffixes}")
    return found


def _free(taken: Container[str], *names: str) -> str:
    """The first of the names that no curve has yet; the last with a number, where all are taken."""
    numbered = (f"{names[-1]} ({number})" for number in count(2))
    return next(name for name in chain(names, numbered) if name not in taken)


def measure(
    groups: dict[str, list[Path]], *, over_first: bool = False
) -> tuple[list[Spectrum], bool, list[str]]:
    """The spectra of groups of files, whether they are over their first value, and what was left out.

    Profiles as published, each as long as its picture has rings; where sizes differ all are resampled to
    one length and taken over their first value, as amplitudes grow with size. Groups of which nothing can be
    read have no spectrum; every picture left out has one line.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # pictures are shared out among threads; more within each would be in the way
    try:
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            read = {name: list(pool.map(profiled, paths)) for name, paths in groups.items()}
    finally:
        torch.set_num_threads(threads)
    good = {name: [each for each in found if each.profile is not None] for name, found in read.items()}
    mixed = len({each.size for found in good.values() for each in found}) > 1
    over_first = over_first or mixed
    spectra = [
        _joined(name, each, read[name], mixed=mixed, over_first=over_first)
        for name, each in good.items()
        if each
    ]
    return spectra, over_first, [each.trouble for found in read.values() for each in found if each.trouble]


def profiled(path: Path) -> Profiled:
    """The profile of a picture file; files that have none say why."""
    try:
        levels = grey_levels(read_image(path).pixels)
    except UserError as error:
        return Profiled(path, trouble=str(error))
    height, width = levels.shape
    if num_rings(height, width) < FEWEST_RINGS:
        trouble = f"{path}: {width}x{height} pixels are too few for a spectrum; expected 9x9 or more"
        return Profiled(path, trouble=trouble)
    if levels.min() == levels.max():
        return Profiled(path, trouble=f"{path}: every pixel is alike, so there is no spectrum")
    return Profiled(path, (height, width), profile_of(levels))


def _joined(
    name: str, good: list[Profiled], read: list[Profiled], *, mixed: bool, over_first: bool
) -> Spectrum:
    bring = partial(resampled, length=LENGTH) if mixed else lambda profile: profile
    profiles = np.stack([bring(each.profile) for each in good if each.profile is not None])  # (N, L)
    if over_first:
        profiles = relative(profiles)
    troubles = tuple(each.trouble for each in read if each.trouble)
    return Spectrum(name, tuple(dict.fromkeys(each.size for each in good)), profiles, troubles)


def chart(spectra: Sequence[Spectrum], *, over_first: bool) -> Chart:
    """The curves side by side, each in a band of one standard deviation."""
    lines = [
        Line.of(f"{each.name} ({len(each.profiles):,})", each.frequency, each.profiles) for each in spectra
    ]
    square = all(height == width for each in spectra for height, width in each.sizes)
    marks = [(float(AXIS_LIMIT), "highest along rows and columns")] if square else []
    return Chart(
        "Spectra: mean and standard deviation", lines, "frequency, 1 = highest", _unit(over_first), marks
    )


def _unit(over_first: bool) -> str:
    return f"{UNIT}, over the first value" if over_first else UNIT


def write(path: Path, spectra: Sequence[Spectrum], *, over_first: bool) -> None:
    """Write the chart as PNG, SVG or a page, by the suffix."""
    drawn = chart(spectra, over_first=over_first)
    if path.suffix.lower() != ".html":
        write_chart(path, drawn)
        return
    picture = io.BytesIO()
    chart_image(drawn).save(picture, format="PNG")
    columns, rows = summary(spectra, over_first=over_first)
    lead = f"Azimuthally averaged power spectra of {sum(len(each.profiles) for each in spectra):,} pictures."
    write_page(path, "Spectra", [Text(lead, lead=True), Figure(picture.getvalue()), Table(columns, rows)])


def summary(spectra: Sequence[Spectrum], *, over_first: bool) -> tuple[list[str], list[list[str]]]:
    """Column names and one row for each curve: how many pictures, their size, how its upper half lies."""
    rows = []
    for each in spectra:
        height, width = each.sizes[0]
        size = f"{width}x{height}" if len(each.sizes) == 1 else f"{len(each.sizes)} sizes"
        upper = slice(each.profiles.shape[1] // 2, None)
        level = each.mean[upper].mean()
        difference = level - spectra[0].mean[upper].mean()
        rows.append([each.name, f"{len(each.profiles):,}", size, f"{level:.4g}", f"{difference:+.3g}"])
    headings = [f"upper half ({_unit(over_first)})", f"against {spectra[0].name}"]
    return ["curve", "pictures", "pixels", *headings], rows


def csv_text(spectra: Sequence[Spectrum]) -> str:
    """curve,frequency,mean,deviation: one line for each value of each curve."""
    import csv

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["curve", "frequency", "mean", "deviation"])
    for each in spectra:
        for values in zip(each.frequency, each.mean, each.deviation, strict=True):
            writer.writerow([each.name, *(f"{value:.6g}" for value in values)])
    return text.getvalue()


def json_rows(spectra: Sequence[Spectrum], *, over_first: bool) -> list[dict[str, object]]:
    """One object for each curve."""
    return [
        {
            "name": each.name,
            "pictures": len(each.profiles),
            "sizes": [f"{width}x{height}" for height, width in each.sizes],
            "unit": f"{UNIT}, over the first value" if over_first else UNIT,
            "frequency": each.frequency.round(6).tolist(),
            "mean": each.mean.round(6).tolist(),
            "deviation": each.deviation.round(6).tolist(),
            "left_out": list(each.troubles),
        }
        for each in spectra
    ]
