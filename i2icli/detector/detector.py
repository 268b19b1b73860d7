"""The detector: an image in; a verdict, its probability and an explanation out."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from i2icli.detector import evidence, serialization
from i2icli.detector.abstention import abstention_reasons
from i2icli.detector.calibration import Calibration
from i2icli.detector.cascade import ODD_COLUMNS, Cascade
from i2icli.detector.classifiers import Arrays, Classifier, Scaling, Trees, from_arrays
from i2icli.detector.explanation import explain
from i2icli.detector.features import LENGTHS, SMALLEST_SIDE, check_readable, extract_features
from i2icli.detector.fitted_images import Hashes, checked
from i2icli.detector.jpeg import jpeg_quality
from i2icli.detector.perturbations import OFF_GRID, equalise
from i2icli.detector.residual_net import ResidualNet
from i2icli.detector.serialization import DetectorInfo
from i2icli.detector.view import View
from i2icli.errors import UserError
from i2icli.image import Pixels, read_image
from i2icli.reading import AS_FOUND, Reading

Verdict: TypeAlias = Literal["fake", "real", "uncertain"]

SHIPPED = {mode: Path(__file__).parent / "shipped" / f"{mode}.safetensors" for mode in ("traces", "profile")}
"""Detectors that come with the package: the cascade, and the paper's, fitted to the same images."""


@dataclass(frozen=True)
class Prediction:
    """The result for one image."""

    verdict: Verdict
    probability: float | None  # of a fake, at equal priors; None: not measurable
    explanation: str
    abstentions: tuple[str, ...] = ()  # reasons to abstain; any makes the verdict uncertain


@dataclass(frozen=True)
class Detector:
    """A fitted classifier with its scaling, calibration and thresholds."""

    info: DetectorInfo
    scaling: Scaling
    classifier: Classifier
    calibration: Calibration
    reference: Scaling | None = None  # mean and deviation of photographs, for explanations
    hashes: Hashes | None = None  # of the images it was fitted to; None: not known
    floor: Trees | None = None  # score that fakes in the same condition exceed; None: not known
    net: ResidualNet | None = None  # whose score is the last feature

    @classmethod
    def load(cls, path: Path) -> "Detector":
        """Read a detector file. Raises UserError for other files and damaged ones."""
        info, arrays = serialization.load(path)
        try:
            return cls._from_arrays(info, arrays)
        except (ValueError, KeyError) as error:
            raise UserError(f"{path}: damaged detector file ({error}); copy it again") from None

    @classmethod
    def shipped(cls, mode: str) -> "Detector":
        """A detector that comes with the package."""
        return _shipped(mode)

    @classmethod
    def _from_arrays(cls, info: DetectorInfo, arrays: Arrays) -> "Detector":
        length = info.length
        net = ResidualNet.from_arrays(learned) if (learned := _under(arrays, "residual.")) else None
        if net is not None and info.features != "traces":
            raise ValueError(f"a residual network for {info.features}")
        if LENGTHS[info.features] not in (None, length - (net is not None)):
            raise ValueError(f"{length} features of {info.features}")
        limit = np.inf if info.limit is None else info.limit
        location, scale = (_vector(arrays, f"scaling.{name}", length) for name in ("centre", "spread"))
        scaling = Scaling(location, scale, limit)
        parameters = _under(arrays, "classifier.")
        classifier: Classifier
        if info.kind == "cascade":
            classifier = Cascade.from_arrays(parameters, length)
        else:
            classifier = from_arrays(info.kind, parameters, length)
        reference = None
        if "typical.centre" in arrays:
            mean, deviation = (_vector(arrays, f"typical.{name}", length) for name in ("centre", "spread"))
            reference = Scaling(mean, deviation)
        hashes = checked(arrays["training.hashes"]) if "training.hashes" in arrays else None
        trees = _under(arrays, "floor.")
        if trees and info.features != "traces":
            raise ValueError(f"a floor for {info.features}")
        floor = from_arrays("trees", trees, evidence.LENGTH) if trees else None
        assert floor is None or isinstance(floor, Trees)
        calibration = Calibration(info.slope, info.offset)
        return cls(info, scaling, classifier, calibration, reference, hashes, floor, net)

    def save(self, path: Path) -> None:
        """Write a detector file, without pickle; names of arrays are the file format."""
        arrays: Arrays = {"scaling.centre": self.scaling.location, "scaling.spread": self.scaling.scale}
        arrays |= {f"classifier.{name}": array for name, array in self.classifier.arrays().items()}
        if self.reference is not None:
            arrays |= {"typical.centre": self.reference.location, "typical.spread": self.reference.scale}
        if self.hashes is not None:
            arrays["training.hashes"] = self.hashes
        if self.floor is not None:
            arrays |= {f"floor.{name}": array for name, array in self.floor.arrays().items()}
        if self.net is not None:
            arrays |= {f"residual.{name}": array for name, array in self.net.arrays().items()}
        serialization.save(path, self.info, arrays)

    def extract(self, pixels: Pixels) -> NDArray[np.float64]:
        """The feature vector (D,) of an image. Raises UserError for sizes it cannot read."""
        return self._features(View(pixels))

    def _features(self, view: View) -> NDArray[np.float64]:
        info, pixels = self.info, view.pixels
        seen = View(self.preprocess(pixels)) if info.equal_side else view
        features = extract_features(seen, info.features, self.net)
        if len(features) != info.length or (
            info.features == "raw-profile" and not _has_training_size(pixels, info)
        ):
            fitted = f"{info.size[1]}x{info.size[0]}" if info.size else f"{info.length} rings"
            raise UserError(
                f"{pixels.shape[1]}x{pixels.shape[0]} pixels: the detector reads only {fitted}, as it was "
                "fitted to; one fitted with --features profile reads other sizes",
                exit_code=1,
            )
        return features

    def preprocess(self, pixels: Pixels) -> Pixels:
        """Equalise an image if the training images were. Raises UserError if it is too small."""
        info = self.info
        if not info.equal_side:
            return pixels
        check_readable(pixels, max(info.equal_side + OFF_GRID, SMALLEST_SIDE[info.features]))
        return equalise(info.equal_side, info.equal_channels)(pixels)

    def scores(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """(N, D) -> (N,)."""
        return self.classifier.scores(self.scaling.apply(rows))

    def probabilities(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """(N, D) -> probability of a fake, (N,); 0.5 where the parameters of a damaged file overflow."""
        with np.errstate(over="ignore", invalid="ignore"):
            probabilities = self.calibration.probabilities(self.scores(rows))
        return np.nan_to_num(probabilities, nan=0.5)

    def predict_file(self, path: Path, reading: Reading = AS_FOUND) -> Prediction:
        """Read an image file and classify it; reading: what the file leaves open.

        Raises UserError if it cannot be read.
        """
        image = read_image(path, reading=reading)
        lossy = None if image.lossless else image.format
        return self.predict(image.pixels, lossy, jpeg_quality(path))

    def predict(self, pixels: Pixels, lossy: str | None = None, quality: int | None = None) -> Prediction:
        """Classify an image (H, W, C); lossy, quality: of its file, as in `abstention_reasons`."""
        view = View(pixels)
        try:
            features = self._features(view)
        except UserError as error:
            return Prediction("uncertain", None, str(error))
        probability = float(self.probabilities(features[None])[0])
        verdict = self.verdict(probability)
        reasons = abstention_reasons(self.info, features, view, lossy, quality, verdict)
        if verdict == "uncertain" and not reasons:
            reasons = [self.between]
        if verdict == "real" and not reasons and self.floor is not None:
            odd = float(features[ODD_COLUMNS].mean())
            found = evidence.condition(view, quality, odd)
            if self.scores(features[None])[0] > self.floor.scores(found[None])[0]:
                reasons = [evidence.what_hides(found)]
        explanation = explain(self.info, features, probability, self.reference)
        return Prediction("uncertain" if reasons else verdict, probability, explanation, tuple(reasons))

    @property
    def between(self) -> str:
        """The reason of verdicts that are uncertain by probability alone."""
        return f"neither real (up to {self.info.real_below:g}) nor fake (from {self.info.fake_above:g})"

    def verdict(self, probability: float) -> Verdict:
        """The verdict for a probability, by the detector's thresholds."""
        if probability >= self.info.fake_above:
            return "fake"
        return "real" if probability <= self.info.real_below else "uncertain"

    def verdicts(self, probabilities: Sequence[float]) -> list[Verdict]:
        """The verdict for each probability."""
        return [self.verdict(each) for each in probabilities]


@cache
def _shipped(mode: str) -> Detector:
    return Detector.load(SHIPPED[mode])


def _under(arrays: Arrays, prefix: str) -> Arrays:
    return {name.removeprefix(prefix): each for name, each in arrays.items() if name.startswith(prefix)}


def _vector(arrays: Arrays, name: str, length: int) -> NDArray[np.float64]:
    if name not in arrays or arrays[name].shape != (length,) or not np.isfinite(arrays[name]).all():
        raise ValueError(f"{name}: missing or of a wrong shape")
    return arrays[name].astype(np.float64)


def _has_training_size(pixels: Pixels, info: DetectorInfo) -> bool:
    """Whether an image has the size of the training images, if they had one and were not equalised."""
    return info.equal_side is not None or info.size in (None, pixels.shape[:2])
