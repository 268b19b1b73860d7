"""Fitting a detector to two folders of the user."""

from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Literal, get_args

from i2icli import __version__
from i2icli.detector.classifiers import Scaling
from i2icli.detector.collection import Collection, collect
from i2icli.detector.detector import Detector
from i2icli.detector.fit_classifier import KINDS, Fitted, Name, check_enough, fit
from i2icli.detector.inputs import SMALLEST_SIDE, Features, row_of
from i2icli.detector.leakage import Leak, leaks
from i2icli.detector.perturbations import OFF_GRID
from i2icli.detector.perturbations import equalise as equalising
from i2icli.detector.serialization import Description
from i2icli.errors import UserError
from i2icli.image import probe
from i2icli.image.finding import find_images

REAL_BELOW, FAKE_ABOVE = 0.2, 0.8  # between them the verdict is "uncertain"
LEAST_EQUAL = 64  # pixels a side: smaller squares hold no spectrum to speak of


def fit_folders(
    real: Path,
    fake: Path,
    classifier: str,
    features: str,
    *,
    equalise: bool = False,
    limit: int | None = None,
    seed: int = 0,
) -> tuple[Detector, Collection, list[Leak]]:
    """A detector, what it was fitted to, and what separates the folders apart from their spectra.

    Raises UserError for unusable folders, too few pictures, names that do not exist.
    """
    name: Any = classifier
    kind: Any = features
    if name not in get_args(Name) or kind not in get_args(Features):
        raise UserError(f"unknown classifier {classifier!r} or features {features!r}")
    side, channels = _common_shape(real, fake, features) if equalise else (None, 3)
    treatment = equalising(side, channels) if side else None
    found = collect(real, fake, partial(row_of, features=kind), limit=limit, treatment=treatment)
    check_enough(found.fake)
    fitted = fit(found.rows, found.fake, name, scaled=kind == "traces", seed=seed)
    description = _description(found, fitted, kind, name)
    description = description.model_copy(update={"equal_side": side, "equal_channels": channels})
    typical = Scaling.of(found.rows[~found.fake])
    detector = Detector(description, fitted.scaling, fitted.classifier, fitted.calibration, typical)
    return detector, found, leaks(found.headers, found.fake, found.grids, found.qualities)


def _description(found: Collection, fitted: Fitted, features: Features, name: Name) -> Description:
    sizes = {header.size for header in found.headers}
    return Description(
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
    """The side of the largest square that every picture can give, a multiple of 8; grey if one picture is."""
    headers = []
    for file in (*find_images(real), *find_images(fake)):
        with suppress(UserError):  # said by `collect`
            headers.append(probe(file))
    sides = [min(header.size) for header in headers]
    side = (min(sides, default=0) - OFF_GRID) // 8 * 8
    least = max(LEAST_EQUAL, SMALLEST_SIDE[features])
    if side < least:
        raise UserError(
            f"--equalise: the smallest picture has a side of {min(sides, default=0)} pixels; at least "
            f"{least + OFF_GRID} are needed: take the small ones out"
        )
    return side, 1 if any(header.channels == 1 for header in headers) else 3
