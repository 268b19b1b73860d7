"""Fitting a detector to folders of photographs and fakes."""

from contextlib import suppress
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from i2icli import __version__
from i2icli.detector.classifiers import Scaling
from i2icli.detector.dataset import LabelledFeatures, load_features
from i2icli.detector.detector import Detector
from i2icli.detector.features import SMALLEST_SIDE, Features, extract_features
from i2icli.detector.fit_classifier import KINDS, Fitted, Name, check_enough, fit
from i2icli.detector.fitted_images import kept_hashes
from i2icli.detector.leakage import Leak, find_leaks
from i2icli.detector.perturbations import OFF_GRID
from i2icli.detector.perturbations import equalise as equaliser
from i2icli.detector.serialization import DetectorInfo
from i2icli.detector.view import View
from i2icli.errors import UserError
from i2icli.image import Pixels, probe
from i2icli.image.finding import find_images

REAL_BELOW, FAKE_ABOVE = 0.2, 0.8  # between them the verdict is "uncertain"
MIN_EQUAL_SIDE = 64  # pixels: smaller squares have hardly a spectrum


def fit_folders(
    real: Path,
    fake: Path,
    classifier: str,
    features: str,
    *,
    equalise: bool = False,
    limit: int | None = None,
    seed: int = 0,
) -> tuple[Detector, LabelledFeatures, list[Leak]]:
    """A detector, the features it was fitted to, and the leaks between the folders.

    Raises UserError for unusable folders, too few images and unknown names.
    """
    name: Any = classifier
    kind: Any = features
    if name not in get_args(Name) or kind not in get_args(Features):
        raise UserError(f"unknown classifier {classifier!r} or features {features!r}")
    side, channels = _common_shape(real, fake, features) if equalise else (None, 3)
    perturbation = equaliser(side, channels) if side else None

    def extractor(pixels: Pixels) -> NDArray[np.float64]:
        return extract_features(View(pixels), kind)

    found = load_features(real, fake, extractor, limit=limit, perturbation=perturbation)
    check_enough(found.fake)
    fitted = fit(found.rows, found.fake, name, scaled=kind == "traces", seed=seed)
    info = _info(found, fitted, kind, name)
    info = info.model_copy(update={"equal_side": side, "equal_channels": channels})
    reference = Scaling.standard(found.rows[~found.fake])
    hashes = kept_hashes(found.hashes.tolist())
    detector = Detector(info, fitted.scaling, fitted.classifier, fitted.calibration, reference, hashes)
    return detector, found, find_leaks(found.headers, found.fake, found.grids, found.qualities)


def _info(found: LabelledFeatures, fitted: Fitted, features: Features, name: Name) -> DetectorInfo:
    sizes = {header.size for header in found.headers}
    return DetectorInfo(
        version=__version__,
        features=features,
        length=found.rows.shape[1],
        kind=KINDS[name],
        name=name,
        real_below=REAL_BELOW,
        fake_above=FAKE_ABOVE,
        slope=fitted.calibration.slope,
        offset=fitted.calibration.offset,
        limit=fitted.scaling.limit if features == "traces" else None,
        reals=int((~found.fake).sum()),
        fakes=int(found.fake.sum()),
        smallest=min(min(size) for size in sizes),
        largest=max(max(size) for size in sizes),
        size=next(iter(sizes)) if len(sizes) == 1 else None,
        formats=sorted({header.format for header in found.headers}),
        scores=fitted.scores,
    )


def _common_shape(real: Path, fake: Path, features: str) -> tuple[int, Literal[1, 3]]:
    """Side of the largest square that fits into every image, a multiple of 8; grey if any image is."""
    headers = []
    for file in (*find_images(real, own=True), *find_images(fake, own=True)):
        with suppress(UserError):  # reported by `load_features`
            headers.append(probe(file))
    sides = [min(header.size) for header in headers]
    side = (min(sides, default=0) - OFF_GRID) // 8 * 8
    least = max(MIN_EQUAL_SIDE, SMALLEST_SIDE[features])
    if side < least:
        raise UserError(
            f"--equalise: the smallest image has a side of {min(sides, default=0)} pixels; at least "
            f"{least + OFF_GRID} are needed: remove the small ones"
        )
    return side, 1 if any(header.channels == 1 for header in headers) else 3
