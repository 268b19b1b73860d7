"""A detector at work: pictures in, verdicts with a probability and a reason out."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from i2icli.detector import serialization as storing
from i2icli.detector.abstention import doubts
from i2icli.detector.calibration import Calibration
from i2icli.detector.cascade import Cascade
from i2icli.detector.classifiers import Classifier, Scaling, from_arrays
from i2icli.detector.explanation import reason
from i2icli.detector.inputs import LENGTHS, SMALLEST_SIDE, check_readable, row_of
from i2icli.detector.jpeg import jpeg_quality
from i2icli.detector.perturbations import OFF_GRID, equalise
from i2icli.detector.serialization import Description
from i2icli.errors import UserError
from i2icli.image import Pixels, read_image

Verdict: TypeAlias = Literal["fake", "real", "uncertain"]

SHIPPED = {mode: Path(__file__).parent / "shipped" / f"{mode}.safetensors" for mode in ("traces", "profile")}
"""Detectors that come with the package: the cascade, and the paper's on the same pictures."""


@dataclass(frozen=True)
class Judgement:
    """What a detector says of one picture."""

    verdict: Verdict
    probability: float | None  # of a fake, if as many fakes as photographs are met; None: cannot be judged
    reason: str
    doubts: tuple[str, ...] = ()  # why the verdict is no better than uncertain


@dataclass(frozen=True)
class Detector:
    """A fitted classifier with all that its verdicts need."""

    description: Description
    scaling: Scaling
    classifier: Classifier
    calibration: Calibration
    typical: Scaling | None = None  # mean and deviation of photographs: what a reason compares with

    @classmethod
    def load(cls, path: Path) -> "Detector":
        """Read a detector file. Raises UserError if it is not one, or damaged."""
        description, arrays = storing.load(path)
        try:
            return cls._of(description, arrays)
        except (ValueError, KeyError) as error:
            raise UserError(f"{path}: a damaged detector file ({error}); copy it again") from None

    @classmethod
    def shipped(cls, mode: str) -> "Detector":
        """One of the detectors inside the package."""
        return _shipped(mode)

    @classmethod
    def _of(cls, description: Description, arrays: dict[str, NDArray[np.float64]]) -> "Detector":
        length = description.length
        if LENGTHS[description.features] not in (None, length):
            raise ValueError(f"{length} numbers of {description.features}")
        limit = np.inf if description.limit is None else description.limit
        centre, spread = (_row(arrays, f"scaling.{name}", length) for name in ("centre", "spread"))
        scaling = Scaling(centre, spread, limit)
        own = {
            name.removeprefix("classifier."): array
            for name, array in arrays.items()
            if name.startswith("classifier.")
        }
        classifier: Classifier
        if description.kind == "cascade":
            classifier = Cascade.from_arrays(own, length)
        else:
            classifier = from_arrays(description.kind, own, length)
        typical = None
        if "typical.centre" in arrays:
            mean, deviation = (_row(arrays, f"typical.{name}", length) for name in ("centre", "spread"))
            typical = Scaling(mean, deviation)
        calibration = Calibration(description.slope, description.offset)
        return cls(description, scaling, classifier, calibration, typical)

    def save(self, path: Path) -> None:
        """Write a detector file, without pickle."""
        arrays = {"scaling.centre": self.scaling.centre, "scaling.spread": self.scaling.spread}
        arrays |= {f"classifier.{name}": array for name, array in self.classifier.arrays().items()}
        if self.typical is not None:
            arrays |= {"typical.centre": self.typical.centre, "typical.spread": self.typical.spread}
        storing.save(path, self.description, arrays)

    def row(self, pixels: Pixels) -> NDArray[np.float64]:
        """What this detector reads of a picture. Raises UserError if it cannot read pictures of this size."""
        about = self.description
        row = row_of(self.prepared(pixels), about.features)
        if len(row) != about.length or (about.features == "raw-profile" and not _of_size(pixels, about)):
            fitted = f"{about.size[1]}x{about.size[0]}" if about.size else f"{about.length} rings"
            raise UserError(
                f"{pixels.shape[1]}x{pixels.shape[0]} pixels: this detector reads only {fitted}, as it was "
                "fitted to; one fitted with --features profile reads other sizes",
                exit_code=1,
            )
        return row

    def prepared(self, pixels: Pixels) -> Pixels:
        """A picture made equal to those of the fit, where they were. Raises UserError if it is too small."""
        about = self.description
        if not about.equal_side:
            return pixels
        check_readable(pixels, max(about.equal_side + OFF_GRID, SMALLEST_SIDE[about.features]))
        return equalise(about.equal_side, about.equal_channels)(pixels)

    def scores(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """(N, D) -> (N,)."""
        return self.classifier.scores(self.scaling.apply(rows))

    def probabilities(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """(N, D) -> probability of a fake, (N,); a half where numbers of a damaged file say nothing."""
        with np.errstate(over="ignore", invalid="ignore"):
            said = self.calibration.probabilities(self.scores(rows))
        return np.nan_to_num(said, nan=0.5)

    def judge_file(self, path: Path) -> Judgement:
        """Read a file and judge it. Raises UserError if it cannot be read."""
        picture = read_image(path)
        lossy = None if picture.lossless else picture.format
        return self.judge(picture.pixels, lossy, jpeg_quality(path))

    def judge(self, pixels: Pixels, lossy: str | None = None, quality: int | None = None) -> Judgement:
        """A picture (H, W, C); `lossy`, `quality`: the format of its file as `doubts` asks for it."""
        try:
            row = self.row(pixels)
        except UserError as error:
            return Judgement("uncertain", None, str(error))
        probability = float(self.probabilities(row[None])[0])
        verdict = self.verdict(probability)
        found = doubts(self.description, row, pixels, lossy, quality, verdict)
        why = reason(self.description, row, probability, self.typical)
        return Judgement("uncertain" if found else verdict, probability, why, tuple(found))

    def verdict(self, probability: float) -> Verdict:
        """What a probability amounts to."""
        if probability >= self.description.fake_above:
            return "fake"
        return "real" if probability <= self.description.real_below else "uncertain"

    def verdicts(self, probabilities: Sequence[float]) -> list[Verdict]:
        """The same for many."""
        return [self.verdict(each) for each in probabilities]


@cache
def _shipped(mode: str) -> Detector:
    return Detector.load(SHIPPED[mode])


def _row(arrays: dict[str, NDArray[np.float64]], name: str, length: int) -> NDArray[np.float64]:
    if name not in arrays or arrays[name].shape != (length,) or not np.isfinite(arrays[name]).all():
        raise ValueError(f"{name} is missing or of a wrong shape")
    return arrays[name].astype(np.float64)


def _of_size(pixels: Pixels, about: Description) -> bool:
    """Whether a picture has the one size of the training pictures, where they had one and were not cut."""
    return about.equal_side is not None or about.size in (None, pixels.shape[:2])
