"""Pictures of what a detector sees and how it does."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image, ImageDraw

from i2icli.detector.calibration import reliability
from i2icli.detector.detector import Detector
from i2icli.detector.evaluation import Condition
from i2icli.detector.peaks import EVEN, STEP, WINDOW, prominence
from i2icli.detector.residual import high_pass, parts, planes
from i2icli.files import atomic_write
from i2icli.image import Pixels, read_image
from i2icli.report.chart import Chart, Line, write_chart

if TYPE_CHECKING:
    from i2icli.detector.run import Finding

_SCALE = 6  # pixels of the drawing for one bin of the spectrum
_DARK, _BRIGHT = -1.0, 4.0  # log power above the neighbours, from black to white


def plot_spectra(detector: Detector, findings: Sequence["Finding"], folder: Path) -> Iterator[str]:
    """Draw what was measured of each picture that was judged; a line for each finding: where, or why not.

    Traces: the prominence spectrum, with circles where lattices show. Profiles: beside those of photographs.
    """
    for finding in findings:
        if finding.probability is None or finding.frames is not None:
            why = "a film" if finding.frames is not None else "nothing was measured"
            yield f"not plotted: {finding.file}: {why}"
            continue
        pixels = read_image(finding.file).pixels
        path = _free(folder / f"{finding.file.stem}-spectrum.png")
        if detector.description.features == "traces":
            _plot_traces(path, detector, pixels, finding)
        else:
            _plot_profile(path, detector, pixels, finding)
        yield f"plotted: {path}"


def _plot_traces(path: Path, detector: Detector, pixels: Pixels, finding: "Finding") -> None:
    with torch.no_grad():
        residuals = [high_pass(planes(part)) for part in parts(detector.prepared(pixels))]
        prominent = prominence(residuals).amax(0)  # (64, 33)
    with atomic_write(path) as beside:
        _drawn(prominent.numpy(), f"{finding.verdict}: {finding.text}").save(beside)


def _plot_profile(path: Path, detector: Detector, pixels: Pixels, finding: "Finding") -> None:
    row = detector.row(pixels)  # (D,)
    along = np.linspace(0, 1, len(row))
    lines = [Line(f"{finding.file.name}: {finding.verdict}", along, row)]
    if detector.typical is not None:
        centre, spread = detector.typical.centre, detector.typical.spread
        lines.append(Line("photographs", along, centre, centre - spread, centre + spread))
    write_chart(
        path, Chart("Profile of the spectrum", lines, "fraction of its length", "as the detector reads it")
    )


def _free(path: Path) -> Path:
    """The path, or with the first number behind its name that is not taken: no picture is replaced."""
    number, found = 1, path
    while found.exists():
        number += 1
        found = path.with_stem(f"{path.stem}-{number}")
    return found


def _drawn(prominent: "np.ndarray[tuple[int, int], np.dtype[np.float32]]", text: str) -> Image.Image:
    """(64, 33) -> the whole spectrum, the zero frequency in the middle, a line of text below."""
    left = np.roll(prominent[::-1, 1:-1][:, ::-1], 1, 0)  # negative columns mirror positive ones
    whole = np.fft.fftshift(np.concatenate([prominent, left], 1))  # (64, 64)
    levels = ((whole - _DARK) / (_BRIGHT - _DARK)).clip(0, 1) * 255
    side = WINDOW * _SCALE
    picture = Image.new("RGB", (side, side + 40), "white")
    picture.paste(Image.fromarray(levels.astype(np.uint8)).resize((side, side), Image.Resampling.NEAREST))
    draw = ImageDraw.Draw(picture)
    for a, b in EVEN:
        for y, x in {(sy * p, sx * q) for p, q in ((a, b), (b, a)) for sy in (1, -1) for sx in (1, -1)}:
            centre_x = ((x * STEP + WINDOW // 2) % WINDOW + 0.5) * _SCALE
            centre_y = ((y * STEP + WINDOW // 2) % WINDOW + 0.5) * _SCALE
            draw.ellipse((centre_x - 9, centre_y - 9, centre_x + 9, centre_y + 9), outline="orange", width=2)
    draw.text((4, side + 4), "\n".join(wrap(text, 62)[:2]), fill="black")
    return picture


def plot_evaluation(path: Path, conditions: Sequence[Condition]) -> None:
    """Curves of hits over false alarms, one for each condition: .png, .svg."""
    lines = [
        Line(condition.name, *_curve(condition.probabilities, condition.fake)) for condition in conditions
    ]
    write_chart(path, Chart("Fakes found", lines, "photographs called fake", "fakes called fake"))


def plot_calibration(path: Path, conditions: Sequence[Condition]) -> None:
    """How often pictures of a probability are fakes, one line for each condition."""
    lines = []
    for condition in conditions:
        points = reliability(condition.probabilities, condition.fake)
        said, true = (np.array([point[index] for point in points]) for index in (0, 1))
        lines.append(Line(condition.name, said, true))
    even = np.array([0.0, 1.0])
    lines.append(Line("perfect", even, even))
    write_chart(path, Chart("Calibration", lines, "probability of a fake", "share of fakes"))


def _curve(
    said: "np.ndarray[tuple[int], np.dtype[np.float64]]", fake: "np.ndarray[tuple[int], np.dtype[np.bool_]]"
) -> tuple["np.ndarray[tuple[int], np.dtype[np.float64]]", "np.ndarray[tuple[int], np.dtype[np.float64]]"]:
    order = np.argsort(-said)
    last = np.append(np.diff(said[order]) != 0, True)  # of those with one probability
    alarms = np.cumsum(~fake[order])[last] / max(1, (~fake).sum())
    hits = np.cumsum(fake[order])[last] / max(1, fake.sum())
    return np.insert(alarms, 0, 0.0), np.insert(hits, 0, 0.0)
