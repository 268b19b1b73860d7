"""Plots of an image's spectrum and of a detector's evaluation."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont

from i2icli.detector.calibration import reliability
from i2icli.detector.detector import Detector
from i2icli.detector.evaluation import Condition
from i2icli.detector.peaks import EVEN, STEP, WINDOW, prominence
from i2icli.detector.view import View
from i2icli.errors import UserError
from i2icli.files import atomic_write, fitting
from i2icli.image import Pixels, read_image
from i2icli.reading import AS_FOUND, Reading
from i2icli.report.chart import Chart, Line, write_chart

if TYPE_CHECKING:
    from i2icli.detector.run import Finding

_BIN = 6  # pixels per bin of the spectrum
_CAPTION = 56  # pixels: three lines
_FONT = 12  # pixels: smaller ones run words together
_BLACK, _WHITE = -1.0, 4.0  # prominence, log power


def plot_spectra(
    detector: Detector, findings: Sequence["Finding"], folder: Path, reading: Reading = AS_FOUND
) -> Iterator[str]:
    """Plot the spectrum of each image; yields one line per finding: the file, or why there is none.

    For traces the prominence spectrum, with circles at the frequencies of lattices; for profiles a curve
    beside that of photographs.
    """
    for finding in findings:
        if finding.probability is None or finding.frames is not None:
            why = "a video" if finding.frames is not None else "no features"
            yield f"not plotted: {finding.file}: {why}"
            continue
        path = _free(folder / f"{finding.file.stem}-spectrum.png")
        try:
            pixels = read_image(finding.file, reading=reading).pixels
            if detector.info.features == "traces":
                _plot_traces(path, detector, pixels, finding)
            else:
                _plot_profile(path, detector, pixels, finding)
        except (UserError, OSError) as error:
            yield f"not plotted: {finding.file}: {getattr(error, 'strerror', None) or error}"
        else:
            yield f"plotted: {path}"


def _plot_traces(path: Path, detector: Detector, pixels: Pixels, finding: "Finding") -> None:
    with torch.no_grad():
        prominent = prominence(View(detector.preprocess(pixels)).spectrum).amax(0)  # (64, 33)
    with atomic_write(path) as temporary:
        _spectrum_image(prominent.numpy(), f"{finding.verdict}: {finding.text}").save(temporary)


def _plot_profile(path: Path, detector: Detector, pixels: Pixels, finding: "Finding") -> None:
    features = detector.extract(pixels)  # (D,)
    position = np.linspace(0, 1, len(features))
    lines = [Line(f"{finding.file.name}: {finding.verdict}", position, features)]
    if detector.reference is not None:
        mean, deviation = detector.reference.location, detector.reference.scale
        lines.append(Line("photographs", position, mean, mean - deviation, mean + deviation))
    write_chart(path, Chart("Spectral profile", lines, "position in the profile", "feature value"))


def _free(path: Path) -> Path:
    """The path, shortened where need be, or the first numbered variant that does not exist."""
    number, found = 1, path.with_name(fitting(path.stem, path.suffix))
    while os.path.lexists(found):
        number += 1
        found = path.with_name(fitting(path.stem, f"-{number}{path.suffix}"))
    return found


def _spectrum_image(prominent: "np.ndarray[tuple[int, int], np.dtype[np.float32]]", text: str) -> Image.Image:
    """(64, 33) -> the full spectrum with the zero frequency in the centre, and a text below."""
    left = np.roll(prominent[::-1, 1:-1][:, ::-1], 1, 0)  # negative columns mirror positive ones
    whole = np.fft.fftshift(np.concatenate([prominent, left], 1))  # (64, 64)
    levels = ((whole - _BLACK) / (_WHITE - _BLACK)).clip(0, 1) * 255
    side = WINDOW * _BIN
    image = Image.new("RGB", (side, side + _CAPTION), "white")
    image.paste(Image.fromarray(levels.astype(np.uint8)).resize((side, side), Image.Resampling.NEAREST))
    draw = ImageDraw.Draw(image)
    for a, b in EVEN:
        for y, x in {(sy * p, sx * q) for p, q in ((a, b), (b, a)) for sy in (1, -1) for sx in (1, -1)}:
            centre_x = ((x * STEP + WINDOW // 2) % WINDOW + 0.5) * _BIN
            centre_y = ((y * STEP + WINDOW // 2) % WINDOW + 0.5) * _BIN
            draw.ellipse((centre_x - 9, centre_y - 9, centre_x + 9, centre_y + 9), outline="orange", width=2)
    font = ImageFont.load_default(_FONT)
    draw.text((4, side + 4), "\n".join(wrap(text, 62)[:3]), fill="black", font=font)
    return image


def plot_evaluation(path: Path, conditions: Sequence[Condition]) -> None:
    """ROC curves, one for each condition: .png, .svg."""
    lines = [Line(condition.name, *_roc(condition.probabilities, condition.fake)) for condition in conditions]
    write_chart(
        path, Chart("ROC curves", lines, "false positive rate (photographs)", "true positive rate (fakes)")
    )


def plot_calibration(path: Path, conditions: Sequence[Condition]) -> None:
    """Reliability diagram, one line for each condition."""
    lines = []
    for condition in conditions:
        points = reliability(condition.probabilities, condition.fake)
        predicted, observed = (np.array([point[index] for point in points]) for index in (0, 1))
        lines.append(Line(condition.name, predicted, observed))
    diagonal = np.array([0.0, 1.0])
    lines.append(Line("perfect", diagonal, diagonal))
    write_chart(path, Chart("Calibration", lines, "predicted probability of a fake", "fraction of fakes"))


def _roc(
    predicted: "np.ndarray[tuple[int], np.dtype[np.float64]]",
    fake: "np.ndarray[tuple[int], np.dtype[np.bool_]]",
) -> tuple["np.ndarray[tuple[int], np.dtype[np.float64]]", "np.ndarray[tuple[int], np.dtype[np.float64]]"]:
    order = np.argsort(-predicted)
    last = np.append(np.diff(predicted[order]) != 0, True)  # of equal probabilities
    alarms = np.cumsum(~fake[order])[last] / max(1, (~fake).sum())
    hits = np.cumsum(fake[order])[last] / max(1, fake.sum())
    return np.insert(alarms, 0, 0.0), np.insert(hits, 0, 0.0)
