"""From scores to probabilities, and how good scores and probabilities are."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.float64]
Truth: TypeAlias = NDArray[np.bool_]

_STEPS = 100  # of Newton's method, at most


@dataclass(frozen=True)
class Calibration:
    """The probability of a fake is 1 / (1 + exp(-(slope * score + offset))), were half of all pictures fake.

    Platt, "Probabilistic Outputs for Support Vector Machines", 1999, with his targets that keep a
    perfect separation from promising certainty, and each class given the same weight.
    """

    slope: float
    offset: float

    @classmethod
    def fitted(cls, scores: Array, fake: Truth) -> "Calibration":
        """To the scores of pictures that the classifier was not fitted to."""
        fakes, reals = int(fake.sum()), int((~fake).sum())
        target = np.where(fake, (fakes + 1) / (fakes + 2), 1 / (reals + 2))
        weight = np.where(fake, 0.5 / fakes, 0.5 / reals)
        spread = float(scores.std()) or 1.0
        rows = np.stack([(scores - scores.mean()) / spread, np.ones_like(scores)], 1)  # (N, 2)
        found = np.zeros(2)
        for _ in range(_STEPS):
            chance = sigmoid(rows @ found)
            gradient = rows.T @ (weight * (chance - target))
            curvature = (rows * (weight * chance * (1 - chance))[:, None]).T @ rows + 1e-9 * np.eye(2)
            step = np.linalg.solve(curvature, gradient)
            found = found - step / max(1.0, float(np.abs(step).max()))  # no leaps where all is separated
            if np.abs(step).max() < 1e-9:
                break
        slope = max(float(found[0]), 0.0) / spread  # a score that says nothing is worth nothing
        return cls(slope, float(found[1]) - slope * float(scores.mean()))

    def probabilities(self, scores: Array) -> Array:
        """(N,) -> (N,) in 0..1."""
        return sigmoid(self.slope * scores + self.offset)


def sigmoid(values: Array) -> Array:
    """1 / (1 + exp(-x)), without overflow."""
    return 0.5 * (1 + np.tanh(0.5 * values))


def area_under_curve(scores: Array, fake: Truth) -> float:
    """ROC-AUC: how often a fake scores above a photograph, ties counted half. NaN without both."""
    fakes, reals = int(fake.sum()), int((~fake).sum())
    if not fakes or not reals:
        return float("nan")
    _, index, counts = np.unique(scores, return_inverse=True, return_counts=True)
    rank = (np.cumsum(counts) - (counts - 1) / 2)[index]  # from 1, ties share the mean
    return float((rank[fake].sum() - fakes * (fakes + 1) / 2) / (fakes * reals))


def balanced_accuracy(called_fake: Truth, fake: Truth) -> float:
    """Mean of the fractions of fakes and of photographs that are called what they are; NaN without both."""
    if fake.all() or not fake.any():
        return float("nan")
    return float((called_fake[fake].mean() + (~called_fake[~fake]).mean()) / 2)


def reliability(probabilities: Array, fake: Truth, bins: int = 10) -> list[tuple[float, float, int]]:
    """For each tenth of the range that is not empty: mean probability, fraction of fakes, pictures."""
    place = np.minimum((probabilities * bins).astype(int), bins - 1)
    return [
        (
            float(probabilities[place == each].mean()),
            float(fake[place == each].mean()),
            int((place == each).sum()),
        )
        for each in range(bins)
        if (place == each).any()
    ]


def calibration_error(probabilities: Array, fake: Truth) -> float:
    """Expected calibration error: mean distance of probability and frequency over ten bins, by pictures."""
    total = len(fake)
    return sum(abs(said - true) * number / total for said, true, number in reliability(probabilities, fake))
