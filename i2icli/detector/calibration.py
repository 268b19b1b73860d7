"""Calibration of scores to probabilities, and measures of both."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.float64]
Truth: TypeAlias = NDArray[np.bool_]

_MAX_STEPS = 100  # of Newton's method


@dataclass(frozen=True)
class Calibration:
    """Probability of a fake, at equal priors: 1 / (1 + exp(-(slope * score + offset))).

    Platt, "Probabilistic Outputs for Support Vector Machines", 1999, with his smoothed targets, which avoid
    overconfidence on separable data; classes are weighted equally.
    """

    slope: float
    offset: float

    @classmethod
    def fitted(cls, scores: Array, fake: Truth) -> "Calibration":
        """Fit to the scores of held-out images."""
        fakes, reals = int(fake.sum()), int((~fake).sum())
        target = np.where(fake, (fakes + 1) / (fakes + 2), 1 / (reals + 2))
        weight = np.where(fake, 0.5 / fakes, 0.5 / reals)
        scale = float(scores.std()) or 1.0
        rows = np.stack([(scores - scores.mean()) / scale, np.ones_like(scores)], 1)  # (N, 2)
        parameters = np.zeros(2)
        for _ in range(_MAX_STEPS):
            predicted = sigmoid(rows @ parameters)
            gradient = rows.T @ (weight * (predicted - target))
            hessian = (rows * (weight * predicted * (1 - predicted))[:, None]).T @ rows + 1e-9 * np.eye(2)
            step = np.linalg.solve(hessian, gradient)
            parameters = parameters - step / max(
                1.0, float(np.abs(step).max())
            )  # damped: data may be separable
            if np.abs(step).max() < 1e-9:
                break
        slope = max(float(parameters[0]), 0.0) / scale  # never inverts an uninformative score
        return cls(slope, float(parameters[1]) - slope * float(scores.mean()))

    def probabilities(self, scores: Array) -> Array:
        """(N,) -> (N,) in 0..1."""
        return sigmoid(self.slope * scores + self.offset)


def sigmoid(values: Array) -> Array:
    """1 / (1 + exp(-x)), without overflow."""
    return 0.5 * (1 + np.tanh(0.5 * values))


def area_under_curve(scores: Array, fake: Truth) -> float:
    """ROC-AUC: how often a fake scores above a photograph, ties counted half. NaN if a class is missing."""
    fakes, reals = int(fake.sum()), int((~fake).sum())
    if not fakes or not reals:
        return float("nan")
    _, index, counts = np.unique(scores, return_inverse=True, return_counts=True)
    rank = (np.cumsum(counts) - (counts - 1) / 2)[index]  # from 1; ties share their mean rank
    return float((rank[fake].sum() - fakes * (fakes + 1) / 2) / (fakes * reals))


def balanced_accuracy(called_fake: Truth, fake: Truth) -> float:
    """Mean of the recall of fakes and of photographs; NaN if a class is missing."""
    if fake.all() or not fake.any():
        return float("nan")
    return float((called_fake[fake].mean() + (~called_fake[~fake]).mean()) / 2)


def reliability(probabilities: Array, fake: Truth, bins: int = 10) -> list[tuple[float, float, int]]:
    """For each non-empty bin: mean probability, fraction of fakes, number of images."""
    index = np.minimum((probabilities * bins).astype(int), bins - 1)
    return [
        (
            float(probabilities[index == each].mean()),
            float(fake[index == each].mean()),
            int((index == each).sum()),
        )
        for each in range(bins)
        if (index == each).any()
    ]


def calibration_error(probabilities: Array, fake: Truth) -> float:
    """Expected calibration error over ten bins, weighted by the number of images."""
    return sum(
        abs(predicted - observed) * number / len(fake)
        for predicted, observed, number in reliability(probabilities, fake)
    )
