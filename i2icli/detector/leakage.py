"""Data leakage: properties other than the spectrum that separate two folders (sizes, formats, JPEG, colours).

A detector fitted to such folders learns that shortcut and fails on other images.
"""

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from i2icli.detector.calibration import Truth, area_under_curve
from i2icli.image import Header, Pixels

LEAK_ACCURACY = 0.65  # balanced accuracy from which a property counts as a leak
LEAK_AUC = 0.75  # likewise for ordered properties, ROC-AUC
GRID = "a grid of 8x8 blocks (JPEG's, or a network's own lattice)"
COMPRESSION = ("file format", "JPEG quality")
CELL = 8  # pixels of a JPEG block


@dataclass(frozen=True)
class Leak:
    """A property that alone separates the folders."""

    what: str
    accuracy: float  # balanced, of a classifier that knows this property alone
    example: str  # typical values of both folders
    survives: bool = False  # equalising, as detail lost to JPEG compression stays lost

    def __str__(self) -> str:
        return f"{self.what} alone separates the folders: {self.accuracy:.0%} accuracy ({self.example})"


def find_leaks(
    headers: Sequence[Header], fake: Truth, grids: NDArray[np.float64], qualities: Sequence[int | None]
) -> list[Leak]:
    """Properties that separate photographs from fakes, the worst first.

    Each image is classified by the other images with the same value (leave-one-out), so that values unique
    to one image do not count.
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
        if (accuracy := _guessed(values, fake)) >= LEAK_ACCURACY
    ]
    sides = np.array([min(header.size) for header in headers], float)
    if "image size" not in {leak.what for leak in found}:  # no two images may have the same size
        found += _ordered("image size", sides, fake, "{} with shorter sides of {:.0f}", survives=False)
    found += _ordered(GRID, grids, fake, "block-edge strength of {} {:+.0%}", survives=True)
    return sorted(found, key=lambda leak: -leak.accuracy)


def grid_strength(pixels: Pixels) -> float:
    """Relative excess of gradients at the edges of 8x8 blocks; 0: no grid."""
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
    """Balanced accuracy of a leave-one-out majority vote among equal values; unique values count half."""
    totals = np.array([int((~fake).sum()), int(fake.sum())], float)
    counts: dict[Hashable, NDArray[np.float64]] = {}
    for value, is_fake in zip(values, fake, strict=True):
        counts.setdefault(value, np.zeros(2))[int(is_fake)] += 1
    right = np.zeros(2)
    for value, is_fake in zip(values, fake, strict=True):
        others = counts[value].copy()
        others[int(is_fake)] -= 1
        shares = others / totals
        same, opposite = shares[int(is_fake)], shares[1 - int(is_fake)]
        right[int(is_fake)] += 0.5 if same == opposite else float(same > opposite)
    return float((right / totals).mean())


def _ordered(
    what: str, values: NDArray[np.float64], fake: Truth, example: str, *, survives: bool
) -> list[Leak]:
    """A leak if a threshold on a number separates the folders."""
    area = area_under_curve(values, fake)
    if max(area, 1 - area) < LEAK_AUC:
        return []
    reals, fakes = (
        example.format(name, np.median(values[fake == wanted]))
        for name, wanted in (("photographs", False), ("fakes", True))
    )
    return [Leak(what, _best_threshold(values, fake), f"{reals}, {fakes}", survives)]


def _best_threshold(values: NDArray[np.float64], fake: Truth) -> float:
    """Balanced accuracy of the best threshold, in either direction."""
    known, index = np.unique(values, return_inverse=True)  # equal values stay on one side
    fakes, reals = (np.bincount(index[fake == wanted], minlength=len(known)) for wanted in (True, False))
    difference = np.abs(np.cumsum(fakes / fakes.sum()) - np.cumsum(reals / reals.sum()))
    return float(0.5 + difference.max() / 2)


def _example(what: str, values: Sequence[Hashable], fake: Truth) -> str:
    parts = []
    for name, wanted in (("photographs", False), ("fakes", True)):
        chosen = [value for value, is_fake in zip(values, fake, strict=True) if is_fake == wanted]
        value, number = Counter(chosen).most_common(1)[0]
        parts.append(f"{number / len(chosen):.0%} of {name}: {_text(what, value)}")
    return "; ".join(parts)


def _text(what: str, value: Hashable) -> str:
    if what == "image size" and isinstance(value, tuple):
        return f"{value[1]}x{value[0]}"
    if what == "colour mode" and isinstance(value, tuple):
        channels, alpha, bits = value
        colours = {1: "grey", 3: "colour"}.get(channels, f"{channels} channels")
        return f"{colours}{' with alpha' if alpha else ''}, {bits} bit"
    if what == "JPEG quality":
        return "not JPEG" if value is None else f"about {value}"
    return str(value)
