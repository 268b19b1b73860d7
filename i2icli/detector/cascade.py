"""The default detector: a training-free score, then learned models where it is inconclusive."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from i2icli.detector.classifiers import Array, Arrays, Linear, Trees, from_arrays
from i2icli.detector.peaks import EVEN, ORBITS

EVEN_COLUMNS = [
    plane * len(ORBITS) + ORBITS.index(orbit) for plane in range(3) for orbit in EVEN
]  # of a trace vector: what `peaks.even_score` averages
ODD_COLUMNS = [column for column in range(3 * len(ORBITS)) if column not in EVEN_COLUMNS]


@dataclass(frozen=True)
class Cascade:
    """Log odds from three scores: even peaks, a linear model and boosted trees over all traces.

    Even peaks far above those of photographs decide alone, however different an image is from the
    training images otherwise; the learned models decide the rest.
    """

    location: Array  # (D,)
    scale: Array  # (D,)
    linear: Linear
    trees: Trees
    weights: NDArray[np.float64]  # (4,): of the even score, linear, trees; bias
    sure: float  # even score above which it decides alone

    limit = 4.0  # scaled features are clipped to this magnitude

    def scores(self, rows: Array) -> Array:
        """Trace vectors (N, D), unscaled -> log odds (N,)."""
        even = rows[:, EVEN_COLUMNS].mean(1)
        scaled = np.clip((rows - self.location) / self.scale, -self.limit, self.limit)
        scores = np.stack(
            [
                np.clip(even, -0.5, 1.0),
                bounded(self.linear.scores(scaled)),
                bounded(self.trees.scores(rows)),
            ],
            1,
        )
        learned = scores @ self.weights[:3] + self.weights[3]
        sure = self.sure + np.clip(rows[:, ODD_COLUMNS].mean(1), 0, JPEG_LIFT)
        result: Array = learned + DECISIVE * np.clip(even - sure, 0, 1)
        return result

    def arrays(self) -> Arrays:
        """All parameters, by their names in detector files."""
        arrays: Arrays = {
            "centre": self.location,
            "spread": self.scale,
            "weights": self.weights,
            "sure": np.array([self.sure]),
        }
        arrays |= {f"linear.{name}": array for name, array in self.linear.arrays().items()}
        return arrays | {f"trees.{name}": array for name, array in self.trees.arrays().items()}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]], length: int) -> "Cascade":
        """The inverse of `arrays`. Raises ValueError, KeyError for missing arrays and wrong shapes."""
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
            raise ValueError("spread: not all positive")
        numbers = {name: arrays[name].astype(np.float64) for name in shapes}
        return cls(
            numbers["centre"], numbers["spread"], linear, trees, numbers["weights"], float(numbers["sure"][0])
        )


JPEG_LIFT = 1.5  # log power at most: strong JPEG compression lifts odd peaks, and even ones with them
MAX_LOG_ODDS = 6.0  # of one learned model
DECISIVE = 12.0  # log odds added for each unit of even score above `sure`


def bounded(scores: Array) -> Array:
    """Log odds squashed to MAX_LOG_ODDS: a learned model is overconfident outside its training data."""
    return MAX_LOG_ODDS * np.tanh(scores / MAX_LOG_ODDS)
