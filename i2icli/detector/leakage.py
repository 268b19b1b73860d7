"""What tells two folders apart before anybody looks at a spectrum: sizes, formats, JPEG grids, colours.

A detector fitted to such folders learns the difference of the folders, and fails on other pictures.
"""

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from i2icli.detector.calibration import Truth, area_under_curve
from i2icli.image import Header, Pixels

TELLING = 0.65  # balanced accuracy from which a property alone says too much
TELLING_AREA = 0.75  # likewise for properties that are numbers, ROC-AUC
GRID = "a grid of 8x8 blocks (JPEG's, or a network's own lattice)"
COMPRESSION = ("file format", "JPEG quality")
CELL = 8  # pixels of a JPEG block


@dataclass(frozen=True)
class Leak:
    """A property that separates the folders on its own."""

    what: str
    accuracy: float  # balanced, of guessing by that property alone
    example: str  # what most of either folder have
    stays: bool = False  # something of it when pictures are made equal: what JPEG took away is lost

    def __str__(self) -> str:
        return f"{self.what} alone tells the folders apart: {self.accuracy:.0%} right ({self.example})"


def leaks(
    headers: Sequence[Header], fake: Truth, grids: NDArray[np.float64], qualities: Sequence[int | None]
) -> list[Leak]:
    """Properties that separate photographs from fakes, the worst first.

    Each picture is guessed from the others that share its property (left out itself), so that
    properties that are different for every picture do not seem to say everything.
    """
    properties: dict[str, list[Hashable]] = {
        "image size": [header.size for header in headers],
        "file format": [header.format for header in headers],
        "JPEG quality": list(qualities),
        "colour mode": [(header.channels, header.alpha, header.dtype.itemsize * 8) for header in headers],
    }
    found = [
        Leak(what, accuracy, _example(what, values, fake), what in COMPRESSION)
        for what, values in properties.items()
        if (accuracy := _guessed(values, fake)) >= TELLING
    ]
    sides = np.array([min(header.size) for header in headers], float)
    if "image size" not in {leak.what for leak in found}:  # sizes may differ in both folders
        found += _ordered("image size", sides, fake, "shorter sides of {:.0f}", stays=False)
    found += _ordered(GRID, grids, fake, "steps at their borders {:+.0%}", stays=True)
    return sorted(found, key=lambda leak: -leak.accuracy)


def grid_strength(pixels: Pixels) -> float:
    """How much larger steps between neighbours are at borders of 8x8 blocks than elsewhere; 0: no grid."""
    values = pixels.astype(np.float32).mean(-1)  # (H, W)
    strengths = []
    for plane in (values, values.T):
        steps = np.abs(np.diff(plane[: plane.shape[0], : plane.shape[1] // CELL * CELL], axis=1)).mean(0)
        if len(steps) < 2 * CELL:
            continue
        border = np.arange(1, len(steps) + 1) % CELL == 0
        strengths.append(float(steps[border].mean() / (steps[~border].mean() + 1e-3) - 1))
    return float(np.mean(strengths)) if strengths else 0.0


def _guessed(values: Sequence[Hashable], fake: Truth) -> float:
    """Balanced accuracy of guessing by the majority of the others with the same value; alone: half."""
    totals = np.array([int((~fake).sum()), int(fake.sum())], float)
    counts: dict[Hashable, NDArray[np.float64]] = {}
    for value, is_fake in zip(values, fake, strict=True):
        counts.setdefault(value, np.zeros(2))[int(is_fake)] += 1
    right = np.zeros(2)
    for value, is_fake in zip(values, fake, strict=True):
        others = counts[value].copy()
        others[int(is_fake)] -= 1
        shares = others / totals
        own, other = shares[int(is_fake)], shares[1 - int(is_fake)]
        right[int(is_fake)] += 0.5 if own == other else float(own > other)
    return float((right / totals).mean())


def _ordered(what: str, values: NDArray[np.float64], fake: Truth, example: str, *, stays: bool) -> list[Leak]:
    """A leak if a threshold on a number separates the folders."""
    area = area_under_curve(values, fake)
    if max(area, 1 - area) < TELLING_AREA:
        return []
    reals, fakes = (example.format(np.median(values[fake == wanted])) for wanted in (False, True))
    return [Leak(what, _best_cut(values, fake), f"{reals} in photographs, {fakes} in fakes", stays)]


def _best_cut(values: NDArray[np.float64], fake: Truth) -> float:
    """Balanced accuracy of the best threshold, in either direction."""
    known, place = np.unique(values, return_inverse=True)  # equal values lie on one side together
    fakes, reals = (np.bincount(place[fake == wanted], minlength=len(known)) for wanted in (True, False))
    apart = np.abs(np.cumsum(fakes / fakes.sum()) - np.cumsum(reals / reals.sum()))
    return float(0.5 + apart.max() / 2)


def _example(what: str, values: Sequence[Hashable], fake: Truth) -> str:
    parts = []
    for name, wanted in (("photographs", False), ("fakes", True)):
        mine = [value for value, is_fake in zip(values, fake, strict=True) if is_fake == wanted]
        value, number = Counter(mine).most_common(1)[0]
        parts.append(f"{number / len(mine):.0%} of {name}: {_words(what, value)}")
    return "; ".join(parts)


def _words(what: str, value: Hashable) -> str:
    if what == "image size" and isinstance(value, tuple):
        return f"{value[1]}x{value[0]}"
    if what == "colour mode" and isinstance(value, tuple):
        channels, alpha, bits = value
        colours = {1: "grey", 3: "colour"}.get(channels, f"{channels} channels")
        return f"{colours}{' with alpha' if alpha else ''}, {bits} bit"
    if what == "JPEG quality":
        return "no JPEG" if value is None else f"about {value}"
    return str(value)
