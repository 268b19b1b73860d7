"""The default detector: a score that needs no training, then learned models for what it leaves open."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from i2icli.detector.classifiers import Array, Arrays, Linear, Trees, from_arrays
from i2icli.detector.peaks import EVEN, ORBITS

EVEN_COLUMNS = [
    plane * len(ORBITS) + ORBITS.index(orbit) for plane in range(3) for orbit in EVEN
]  # of a row of traces: what `peaks.even_score` averages
ODD_COLUMNS = [column for column in range(3 * len(ORBITS)) if column not in EVEN_COLUMNS]


@dataclass(frozen=True)
class Cascade:
    """Log odds from three judges: even peaks, a linear model and boosted trees over all traces.

    Even peaks high above what photographs show decide alone, however unlike the training pictures a
    picture is otherwise; the learned models decide what is left.
    """

    centre: Array  # (D,)
    spread: Array  # (D,)
    linear: Linear
    trees: Trees
    weights: NDArray[np.float64]  # (4,): of the even score, linear, trees, and what is added
    sure: float  # even score from which it decides alone

    limit = 4.0  # spreads from the centre: further says no more

    def scores(self, rows: Array) -> Array:
        """(N, 174) of traces as measured -> (N,)."""
        even = rows[:, EVEN_COLUMNS].mean(1)
        scaled = np.clip((rows - self.centre) / self.spread, -self.limit, self.limit)
        judges = np.stack(
            [
                np.clip(even, -0.5, 1.0),
                squashed(self.linear.scores(scaled)),
                squashed(self.trees.scores(rows)),
            ],
            1,
        )
        learned = judges @ self.weights[:3] + self.weights[3]
        sure = self.sure + np.clip(rows[:, ODD_COLUMNS].mean(1), 0, JPEG_LIFTS)
        result: Array = learned + DECISIVE * np.clip(even - sure, 0, 1)
        return result

    def arrays(self) -> Arrays:
        """All numbers, by name."""
        own: Arrays = {
            "centre": self.centre,
            "spread": self.spread,
            "weights": self.weights,
            "sure": np.array([self.sure]),
        }
        own |= {f"linear.{name}": array for name, array in self.linear.arrays().items()}
        return own | {f"trees.{name}": array for name, array in self.trees.arrays().items()}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]], length: int) -> "Cascade":
        """Read back. Raises ValueError, KeyError where arrays are missing or of a wrong shape."""
        parts: dict[str, Arrays] = {"linear": {}, "trees": {}}
        for name, array in arrays.items():
            head, _, rest = name.partition(".")
            if rest and head in parts:
                parts[head][rest] = array
        linear = from_arrays("linear", parts["linear"], length)
        trees = from_arrays("trees", parts["trees"], length)
        assert isinstance(linear, Linear)
        assert isinstance(trees, Trees)
        shapes = {"centre": (length,), "spread": (length,), "weights": (4,), "sure": (1,)}
        for name, shape in shapes.items():
            if arrays[name].shape != shape or not np.isfinite(arrays[name]).all():
                raise ValueError(f"{name} of shape {arrays[name].shape}")
        if not (arrays["spread"] > 0).all():
            raise ValueError("a spread that is not positive")
        numbers = {name: arrays[name].astype(np.float64) for name in shapes}
        return cls(
            numbers["centre"], numbers["spread"], linear, trees, numbers["weights"], float(numbers["sure"][0])
        )


JPEG_LIFTS = 1.5  # log power: hard JPEG lifts odd peaks, and the even ones along with them
SUREST = 6.0  # log odds
DECISIVE = 12.0  # log odds that an even score of 1 above the sure one adds


def squashed(scores: Array) -> Array:
    """Log odds beyond about 6 say no more: a learned model is never that sure of what it has not seen."""
    return SUREST * np.tanh(scores / SUREST)
