"""How good a detector is: per condition and per group of fakes."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from i2icli.detector.calibration import area_under_curve, balanced_accuracy, calibration_error
from i2icli.detector.collection import collect
from i2icli.detector.detector import Detector
from i2icli.detector.perturbations import CONDITIONS

ALL = "all fakes"


@dataclass(frozen=True)
class Score:
    """One row of the table; numbers are fractions, and NaN where there is nothing to measure."""

    condition: str
    group: str  # of fakes, against all photographs
    reals: int
    fakes: int
    auc: float
    accuracy: float  # balanced, of "more likely fake than not"
    told: float  # balanced accuracy of the verdicts that are not "uncertain"
    coverage: float  # share of pictures with such a verdict
    false_alarms: float  # share of photographs called fake
    missed: float  # share of fakes called real
    calibration_error: float

    def as_row(self) -> dict[str, Any]:
        """For JSON and CSV; what cannot be measured is None."""
        return {
            key: None if isinstance(value, float) and np.isnan(value) else value
            for key, value in asdict(self).items()
        }


@dataclass(frozen=True)
class Condition:
    """All pictures under one condition."""

    name: str
    probabilities: NDArray[np.float64]
    fake: NDArray[np.bool_]
    groups: list[str]
    troubles: list[str]


def judge_condition(
    detector: Detector, real: Path, fake: Path, name: str, limit: int | None = None
) -> Condition:
    """Probabilities of all pictures under one condition. Raises UserError as `collect` does.

    Pictures are read as `i2i detect-fake` reads them. Verdicts are by probability alone; that command also
    abstains for what it sees in a file.
    """
    found = collect(real, fake, detector.row, limit=limit, treatment=CONDITIONS[name])
    return Condition(name, detector.probabilities(found.rows), found.fake, found.groups, found.troubles)


def score(detector: Detector, condition: Condition) -> list[Score]:
    """All fakes first, then each group of them, against all photographs."""
    names = sorted({group for group, fake in zip(condition.groups, condition.fake, strict=True) if fake})
    groups = np.array(condition.groups)
    chosen = [(ALL, np.ones(len(groups), bool))]
    if len(names) > 1:
        chosen += [(name, ~condition.fake | (groups == name)) for name in names]
    return [
        _score(detector, condition.name, name, condition.probabilities[rows], condition.fake[rows])
        for name, rows in chosen
    ]


def _score(
    detector: Detector, condition: str, group: str, said: NDArray[np.float64], fake: NDArray[np.bool_]
) -> Score:
    verdicts = np.array(detector.verdicts(said.tolist()))
    told = verdicts != "uncertain"
    return Score(
        condition,
        group,
        int((~fake).sum()),
        int(fake.sum()),
        area_under_curve(said, fake),
        balanced_accuracy(said > 0.5, fake),
        balanced_accuracy(verdicts[told] == "fake", fake[told]) if told.any() else float("nan"),
        float(told.mean()),
        float((verdicts[~fake] == "fake").mean()),
        float((verdicts[fake] == "real").mean()),
        calibration_error(said, fake),
    )
