"""Spectra of folders of pictures: what `i2i spectrum` draws, prints and writes."""

import io
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from i2icli.data.folder import find_images, named
from i2icli.errors import UserError
from i2icli.image import SUFFIXES, grey_levels, read_picture
from i2icli.nn.spectrum import FEWEST_RINGS, num_rings, profile_of, relative, resampled
from i2icli.report import Figure, Table, Text, write_page
from i2icli.report.chart import Chart, Line, chart_image, write_chart

LENGTH = 300  # values of a curve where sizes differ, as published for films
MOST_CURVES = 8  # single files beyond so many make up one curve
PICTURES = frozenset({".png", ".svg", ".html"})
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
        """(L,): where its values lie, from 0 to 1, the highest frequency."""
        return np.linspace(0, 1, self.profiles.shape[1])


def gather(words: Sequence[str]) -> dict[str, list[Path]]:
    """Curve by name -> its files: one for each folder, and one for each file if these are few.

    Raises UserError for what is not there and for folders without pictures.
    """
    folders: dict[str, list[Path]] = {}
    files: list[Path] = []
    for word in words:
        path = Path(word)
        if path.is_dir():
            found = find_images(path)
            if not found:
                raise UserError(f"{path}: no images in this folder; expected {', '.join(sorted(SUFFIXES))}")
            folders[path.resolve().name if path.resolve().name not in folders else word] = found
        elif (matches := named(word)) != [path]:
            folders[word] = [match for match in matches if match.is_file()]
        elif path.exists():
            files.append(path)
        else:
            raise UserError(f"there is no file or folder {word}")
    if len(files) + len(folders) <= MOST_CURVES:
        return folders | {(path.name if path.name not in folders else str(path)): [path] for path in files}
    return folders | {f"{len(files)} files": files}


def measure(groups: dict[str, list[Path]], *, over_first: bool = False) -> tuple[list[Spectrum], bool]:
    """The spectra of groups of files, and whether they are over their first value.

    Profiles as published, each as long as its picture has rings; where sizes differ all are resampled to
    one length and taken over their first value, as amplitudes grow with size. Raises UserError for a group of
    which nothing can be read.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # pictures are shared out among threads; more within each would be in the way
    try:
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            read = {name: list(pool.map(profiled, paths)) for name, paths in groups.items()}
    finally:
        torch.set_num_threads(threads)
    good = {name: [each for each in found if each.profile is not None] for name, found in read.items()}
    for name, found in read.items():
        if not good[name]:
            others = f", and {len(found) - 1} more like it" if len(found) > 1 else ""
            raise UserError(f"{found[0].trouble}{others}" if found else f"{name}: no images", exit_code=1)
    mixed = len({each.size for found in good.values() for each in found}) > 1
    return [
        _joined(name, good[name], read[name], mixed=mixed, over_first=over_first or mixed) for name in groups
    ], over_first or mixed


def profiled(path: Path) -> Profiled:
    """The profile of a picture file; files that have none say why."""
    try:
        levels = grey_levels(read_picture(path).pixels)
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
    y_label = f"{UNIT}, over the first value" if over_first else UNIT
    return Chart("Spectra: mean and standard deviation", lines, "frequency, 1 = highest", y_label, marks)


def write(path: Path, spectra: Sequence[Spectrum], *, over_first: bool) -> None:
    """Write the chart as PNG, SVG or a page. Raises UserError for any other suffix."""
    kind = path.suffix.lower()
    if kind not in PICTURES:
        raise UserError(f"--out {path}: expected a name that ends in {', '.join(sorted(PICTURES))}")
    drawn = chart(spectra, over_first=over_first)
    if kind != ".html":
        write_chart(path, drawn)
        return
    picture = io.BytesIO()
    chart_image(drawn).save(picture, format="PNG")
    columns, rows = summary(spectra)
    lead = f"Azimuthally averaged power spectra of {sum(len(each.profiles) for each in spectra):,} pictures."
    write_page(path, "Spectra", [Text(lead, lead=True), Figure(picture.getvalue()), Table(columns, rows)])


def summary(spectra: Sequence[Spectrum]) -> tuple[list[str], list[list[str]]]:
    """Column names and one row for each curve: how many pictures, their size, how its upper half lies."""
    rows = []
    for each in spectra:
        height, width = each.sizes[0]
        size = f"{width}x{height}" if len(each.sizes) == 1 else f"{len(each.sizes)} sizes"
        upper = slice(each.profiles.shape[1] // 2, None)
        difference = float((each.mean - spectra[0].mean)[upper].mean())
        level = f"{each.mean[upper].mean():.4g}"
        rows.append([each.name, f"{len(each.profiles):,}", size, level, f"{difference:+.3g}"])
    return ["curve", "pictures", "pixels", "upper half", f"against {spectra[0].name}"], rows


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
