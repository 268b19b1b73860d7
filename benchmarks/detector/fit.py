"""Fit the detectors that i2icli ships: `i2icli/detector/shipped/*.safetensors`.

    apt-get download lomiri-wallpapers-16.04 lomiri-wallpapers-20.04   # 18 photographs, free licences
    for each in lomiri-*.deb; do dpkg-deb -x $each lomiri; done
    python -m benchmarks.detector.fit lomiri day2night --work fitting

Photographs come from folders of free pictures: the Debian packages above, and day2night, webcam pictures
of https://github.com/udacity/CVND_Exercises (MIT). Fakes are made of them by networks of our own
(`detector_fakes.py`); there are no outside labels. Lots of examples are kept in --work, and made only once.

Prints how the models rank pictures of photographs and networks' up-samplings left out of their fit.
"""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.detector.examples import (
    Examples,
    examples,
    joined,
    mixed_fakes,
    native_examples,
    profile_examples,
    taught_fakes,
)
from benchmarks.detector.fakes import INTERPOLATING, Photographs
from i2icli import __version__
from i2icli.detector.calibration import Calibration, area_under_curve, calibration_error
from i2icli.detector.cascade import DECISIVE, EVEN_COLUMNS, JPEG_LIFT, ODD_COLUMNS, Cascade, bounded
from i2icli.detector.classifiers import Linear, Scaling
from i2icli.detector.detector import SHIPPED, Detector
from i2icli.detector.fit_classifier import boosted, fit
from i2icli.detector.serialization import DetectorInfo
from i2icli.detector.traces import LENGTH

Array = NDArray[np.float64]

FOLDS = ("transposed2", "transposed3", "transposed4", "shuffle", "nearest")  # each is left out once
LOTS = (  # seed, pairs of pictures, who makes the fakes, whether all is grey
    (1, 150, mixed_fakes(100), False),
    (2, 150, mixed_fakes(100), False),
    (3, 200, mixed_fakes(150), False),
    (4, 80, mixed_fakes(60), True),
    *((seed, 60, taught_fakes, False) for seed in (11, 12, 13, 14)),
)
SURE = 0.8  # even score above which there are no photographs but drawings and hard JPEG
REAL_BELOW, FAKE_ABOVE = 0.3, 0.97
FITTED_ON = (
    "18 photographs of the Debian packages lomiri-wallpapers-16.04 and -20.04 and 120 webcam pictures of "
    "day2night; fakes of them by our own up-convolution networks, with random weights or trained for a minute"
)


def make(folders: Sequence[Path], work: Path) -> Examples:
    """All examples, from `work` where they were made before."""
    sources = [Photographs(folder.name, folder) for folder in folders]
    parts = []
    for seed, pairs, maker, grey in LOTS:
        path = work / f"pairs-{seed}.npz"
        parts.append(_kept(path, lambda: examples(sources, pairs, seed, maker, grey=grey)))  # noqa: B023
    for source in sources:
        each = max(1, 200 // len(source.files))
        parts.append(_kept(work / f"{source.name}.npz", lambda: native_examples(source, each, 0)))  # noqa: B023
    return joined(parts)


def learnable(found: Examples) -> NDArray[np.bool_]:
    """Without fakes of the mixed lots that were enlarged by interpolation, as few of these carry a lattice.

    Telling them to be fake would only teach to suspect everything. Networks that were taught longer stand
    for such up-sampling.
    """
    taught = np.char.startswith(found.groups, "taught")
    return taught | ~np.logical_or.reduce([np.char.endswith(found.groups, kind) for kind in INTERPOLATING])


def weights(found: Examples, rows: NDArray[np.bool_]) -> Array:
    """The same for photographs and fakes together, and within each for every group."""
    result = np.zeros(len(rows))
    for fake in (False, True):
        groups = np.unique(found.groups[rows & (found.fake == fake)])
        for group in groups:
            chosen = rows & (found.fake == fake) & (found.groups == group)
            result[chosen] = 0.5 / len(groups) / chosen.sum()
    return result[rows] * rows.sum()


def learn(found: Examples, rows: NDArray[np.bool_]) -> Cascade:
    """Both learned models; how they are weighed is not yet known."""
    from sklearn.linear_model import LogisticRegression

    vectors, weight = found.vectors[rows].astype(np.float64), weights(found, rows)
    scaling = Scaling.robust(vectors, Cascade.limit)
    linear = LogisticRegression(C=0.03, max_iter=3000)
    linear.fit(scaling.apply(vectors), found.fake[rows], sample_weight=weight)
    return Cascade(
        scaling.location,
        scaling.scale,
        Linear(linear.coef_[0].astype(np.float64), float(linear.intercept_[0])),
        boosted(vectors, found.fake[rows], 0, weight),
        np.zeros(4),
        SURE,
    )


def left_out(found: Examples, seed: int = 0) -> tuple[Array, NDArray[np.bool_]]:
    """What models say of photographs and up-samplings left out: (N, 3) even, linear, trees; which rows."""
    rng = np.random.default_rng(seed)
    names = np.unique(found.photographs)
    fold_of = dict(zip(names, rng.permutation(len(names)) % len(FOLDS), strict=True))
    fold = np.array([fold_of[name] for name in found.photographs])
    judged, done = np.zeros((len(fold), 3)), np.zeros(len(fold), bool)
    use = learnable(found)
    for index, kind in enumerate(FOLDS):
        of_kind = found.fake & np.char.endswith(found.groups, kind)
        cascade = learn(found, use & (fold != index) & ~of_kind)
        test = (fold == index) & (of_kind | ~found.fake)
        judged[test] = judges(cascade, found.vectors[test].astype(np.float64))
        done |= test
    return judged, done & use


def judges(cascade: Cascade, vectors: Array) -> Array:
    """(N, 174) -> (N, 3): even score, linear, trees, as they are weighed."""
    scaled = np.clip((vectors - cascade.location) / cascade.scale, -cascade.limit, cascade.limit)
    even = np.clip(vectors[:, EVEN_COLUMNS].mean(1), -0.5, 1.0)
    learned = bounded(cascade.linear.scores(scaled)), bounded(cascade.trees.scores(vectors))
    return np.stack([even, *learned], 1)


def main() -> None:
    """Make examples, measure on what is left out, fit to all, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER", help="folders of photographs")
    parser.add_argument("--work", type=Path, required=True, help="folder for the examples")
    parser.add_argument("--out", type=Path, default=SHIPPED["traces"].parent)
    options = parser.parse_args()
    torch.set_num_threads(1)
    options.work.mkdir(parents=True, exist_ok=True)
    write_profile(options.folders, options.out / "profile.safetensors")
    found = make(options.folders, options.work)
    judged, rows = left_out(found)
    weighed = _weighed(judged[rows], found.fake[rows], weights(found, rows))
    cascade = learn(found, learnable(found))
    cascade = Cascade(cascade.location, cascade.scale, cascade.linear, cascade.trees, weighed, SURE)
    even = found.vectors[:, EVEN_COLUMNS].mean(1)
    odd = np.clip(found.vectors[:, ODD_COLUMNS].mean(1), 0, JPEG_LIFT)
    scores = judged @ weighed[:3] + weighed[3] + DECISIVE * np.clip(even - SURE - odd, 0, 1)
    _print_ranking(found, rows, scores)
    calibration = Calibration.fitted(scores[rows], found.fake[rows])
    said = calibration.probabilities(scores[rows])
    error = calibration_error(said, found.fake[rows])
    print(f"calibration error on pictures left out: {error:.3f}")
    _write(
        options.out / "traces.safetensors",
        found,
        cascade,
        calibration,
        area_under_curve(scores[rows], found.fake[rows]),
        error,
    )


def write_profile(folders: Sequence[Path], path: Path) -> None:
    """The paper's detector on the same photographs: logistic regression on the profile of the spectrum."""
    rows, fake = profile_examples([Photographs(folder.name, folder) for folder in folders], 200, 5)
    fitted = fit(rows, fake, "logistic", scaled=False, seed=0)
    description = DetectorInfo(
        version=__version__,
        features="profile",
        length=rows.shape[1],
        kind="linear",
        name="logistic",
        real_below=REAL_BELOW,
        fake_above=FAKE_ABOVE,
        slope=fitted.calibration.slope,
        offset=fitted.calibration.offset,
        reals=int((~fake).sum()),
        fakes=int(fake.sum()),
        smallest=128,
        largest=384,
        formats=["png"],
        scores=fitted.scores,
        fitted_on=FITTED_ON,
    )
    typical = Scaling.standard(rows[~fake])
    Detector(description, fitted.scaling, fitted.classifier, fitted.calibration, typical).save(path)
    print(f"written: {path}, {path.stat().st_size:,} bytes")
    print("  " + ", ".join(f"{name} {value:.3f}" for name, value in fitted.scores.items()))


def _weighed(judged: Array, fake: NDArray[np.bool_], weight: Array) -> Array:
    """How much each judge counts, and an offset: logistic regression on what was left out."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=1.0).fit(judged, fake, sample_weight=weight)
    return np.array([*np.maximum(model.coef_[0], 0), model.intercept_[0]])


def _print_ranking(found: Examples, rows: NDArray[np.bool_], scores: Array) -> None:
    print(f"{rows.sum():,} pictures, of photographs and up-samplings left out of the fit")
    for treatment in np.unique(found.treatments):
        these = rows & (found.treatments == treatment)
        auc = area_under_curve(scores[these], found.fake[these])
        print(f"  {treatment:14} {these.sum():6,} pictures  AUC {auc:.3f}")


def _write(
    path: Path, found: Examples, cascade: Cascade, calibration: Calibration, auc: float, error: float
) -> None:
    description = DetectorInfo(
        version=__version__,
        features="traces",
        length=LENGTH,
        kind="cascade",
        name="cascade",
        real_below=REAL_BELOW,
        fake_above=FAKE_ABOVE,
        slope=calibration.slope,
        offset=calibration.offset,
        reals=int((~found.fake).sum()),
        fakes=int(found.fake.sum()),
        smallest=64,
        largest=768,
        formats=["jpeg", "png"],
        scores={"auc": auc, "calibration_error": error},
        fitted_on=FITTED_ON,
    )
    Detector(description, Scaling.identity(LENGTH), cascade, calibration).save(path)
    print(f"written: {path}, {path.stat().st_size:,} bytes")


def _kept(path: Path, make: Callable[[], Examples]) -> Examples:
    """Examples from a file, or made now and written there."""
    if path.exists():
        with np.load(path) as arrays:
            return Examples(**arrays)
    made = make()
    np.savez_compressed(path, **vars(made))
    return made


if __name__ == "__main__":
    main()
