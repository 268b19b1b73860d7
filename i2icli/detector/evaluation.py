"""Evaluation of a detector, per condition and per group of fakes."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from i2icli.detector.calibration import area_under_curve, balanced_accuracy, calibration_error
from i2icli.detector.dataset import load_features
from i2icli.detector.detector import Detector
from i2icli.detector.fitted_images import Hashes, count_fitted
from i2icli.detector.perturbations import CONDITIONS

ALL = "all fakes"


@dataclass(frozen=True)
class Score:
    """One row of the evaluation table; metrics are fractions, NaN where they are undefined."""

    condition: str
    group: str  # of fakes, against all photographs
    reals: int
    fakes: int
    auc: float
    accuracy: float  # balanced, at a probability of 0.5
    decided_accuracy: float  # balanced, of the verdicts other than "uncertain"
    coverage: float  # fraction of images with such a verdict
    false_alarms: float  # fraction of photographs called fake
    missed: float  # fraction of fakes called real
    calibration_error: float
    fitted_to: int | None  # number of these images that the detector was fitted to; None: not known

    def as_row(self) -> dict[str, Any]:
        """For JSON and CSV; undefined metrics are None."""
        names = {"decided_accuracy": "told"}  # the key of earlier versions
        return {
            names.get(key, key): None if isinstance(value, float) and np.isnan(value) else value
            for key, value in asdict(self).items()
        }


@dataclass(frozen=True)
class Condition:
    """The probabilities of all images under one condition."""

    name: str
    probabilities: NDArray[np.float64]
    fake: NDArray[np.bool_]
    groups: list[str]
    skipped: list[str]
    hashes: Hashes | None = None  # (N,): of the unperturbed images


def evaluate_condition(
    detector: Detector, real: Path, fake: Path, name: str, limit: int | None = None
) -> Condition:
    """Probabilities of all images under one condition. Raises UserError as `load_features` does.

    Preprocessing is that of `i2i detect-fake`. Verdicts follow from the probability alone, while that command
    also abstains because of what it finds in a file.
    """
    found = load_features(real, fake, detector.extract, limit=limit, perturbation=CONDITIONS[name])
    predicted = detector.probabilities(found.rows)
    return Condition(name, predicted, found.fake, found.groups, found.skipped, found.hashes)


def score(detector: Detector, condition: Condition) -> list[Score]:
    """Score all fakes, then each group of fakes, against all photographs."""
    names = sorted({group for group, fake in zip(condition.groups, condition.fake, strict=True) if fake})
    groups = np.array(condition.groups)
    chosen = [(ALL, np.ones(len(groups), bool))]
    if len(names) > 1:
        chosen += [(name, ~condition.fake | (groups == name)) for name in names]
    return [_score(detector, condition, name, rows) for name, rows in chosen]


def fitted_to(detector: Detector, hashes: Hashes | None) -> int | None:
    """How many of the images with these hashes a detector was fitted to; None: not known."""
    return None if detector.hashes is None or hashes is None else count_fitted(detector.hashes, hashes)


def _score(detector: Detector, condition: Condition, group: str, rows: NDArray[np.bool_]) -> Score:
    predicted, fake = condition.probabilities[rows], condition.fake[rows]
    hashes = None if condition.hashes is None else condition.hashes[rows]
    verdicts = np.array(detector.verdicts(predicted.tolist()))
    decided = verdicts != "uncertain"
    return Score(
        condition.name,
        group,
        int((~fake).sum()),
        int(fake.sum()),
        area_under_curve(predicted, fake),
        balanced_accuracy(predicted > 0.5, fake),
        balanced_accuracy(verdicts[decided] == "fake", fake[decided]) if decided.any() else float("nan"),
        float(decided.mean()),
        float((verdicts[~fake] == "fake").mean()),
        float((verdicts[fake] == "real").mean()),
        calibration_error(predicted, fake),
        fitted_to(detector, hashes),
    )
