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
CELL = 8  # pixels of a JPEG block


@dataclass(frozen=True)
class Leak:
    """A property that separates the folders on its own."""

    what: str
    accuracy: float  # balanced, of guessing by that property alone
    example: str  # what most of either folder have

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
        Leak(what, accuracy, _example(what, values, fake))
        for what, values in properties.items()
        if (accuracy := _guessed(values, fake)) >= TELLING
    ]
    area = area_under_curve(grids, fake)
    if max(area, 1 - area) >= TELLING + 0.1 and np.ptp(grids) > 0:
        place = _best_cut(grids, fake)
        medians = (float(np.median(grids[~fake])), float(np.median(grids[fake])))
        example = f"steps at their borders {medians[0]:+.0%} in photographs, {medians[1]:+.0%} in fakes"
        found.append(Leak("a grid of 8x8 blocks (JPEG's, or a network's own lattice)", place, example))
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


def _best_cut(values: NDArray[np.float64], fake: Truth) -> float:
    """Balanced accuracy of the best threshold, in either direction."""
    order = np.argsort(values)
    fakes = np.cumsum(fake[order]) / fake.sum()
    reals = np.cumsum(~fake[order]) / (~fake).sum()
    return float(0.5 + np.abs(fakes - reals).max() / 2)


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
