"""Fit what the detector calls real: the floor of the scores that fakes in the same condition have.

    python -m benchmarks.detector.family ...                          # writes family/
    python -m benchmarks.detector.floor family --real samples squares --work judged

Judged by leaving out whole generators, and whole contents; --real: folders of photographs that no generator
saw. Printed: the share of fakes and of photographs called real for several quantiles, under each condition.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.detector.judged import CONDITIONS, Judged, cached, joined, real_squares
from benchmarks.detector.material import family_pairs
from benchmarks.lib.arguments import argument_parser
from i2icli.detector.detector import SHIPPED, Detector
from i2icli.detector.fit_classifier import quantile_trees

QUANTILES = (0.01, 0.02, 0.04, 0.08, 0.15)
CHOSEN = 0.02
EACH = 20  # pairs of a generator

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]


def left_out_floors(found: Judged, scores: Array, groups: NDArray[np.str_], quantile: float) -> Array:
    """The floor of every row (N,), fitted to the fakes of the other groups."""
    floors = np.full(len(scores), np.nan)
    for group in np.unique(groups):
        fitted = found.fake & (groups != group)
        trees = quantile_trees(found.conditions[fitted], scores[fitted], quantile)
        floors[groups == group] = trees.scores(found.conditions[groups == group])
    return floors


def table(found: Judged, scores: Array, likely_real: Mask, groups: NDArray[np.str_]) -> None:
    """Print the shares called real."""
    print(f"{'quantile':10}" + "".join(f"{name:>22}" for name in CONDITIONS))
    _row("none", found, likely_real)
    for quantile in QUANTILES:
        floors = left_out_floors(found, scores, groups, quantile)
        _row(f"{quantile:g}", found, likely_real & (scores <= floors))


def _row(name: str, found: Judged, called: Mask) -> None:
    cells = []
    for treatment in CONDITIONS:
        these = found.treatments == treatment
        unseen = these & ~found.fake & (found.generators == "none")
        shares = (called[rows].mean() for rows in (these & found.fake, these & ~found.fake & ~unseen, unseen))
        cells.append(" / ".join(f"{100 * share:.0f}" for share in shares))
    print(f"{name:10}" + "".join(f"{cell:>22}" for cell in cells), flush=True)


def gathered(family: Path, folders: Sequence[Path], work: Path) -> Judged:
    """Everything, judged once and kept in `work`."""
    work.mkdir(parents=True, exist_ok=True)
    names = sorted(path.parent.name for path in family.glob("*/fake"))
    parts = []
    for name in names:
        others = [other for other in names if other != name]
        parts.append(_lazily(work / f"{name}.npz", lambda skip=others: family_pairs(family, EACH, skip=skip)))
    for folder in folders:
        squares = _lazily(work / f"{folder.name}.npz", lambda path=folder: real_squares(path, path.name))
        parts.append(_rows(squares, ~squares.fake))
    return joined(parts)


def _lazily(path: Path, pairs: Callable[[], Sequence]) -> Judged:
    return cached(path, [] if path.exists() else pairs())


def _rows(found: Judged, chosen: Mask) -> Judged:
    return Judged(**{name: array[chosen] for name, array in vars(found).items()})


def main(arguments: Sequence[str] | None = None) -> None:
    """Judge, print, and write the floor into the shipped detector."""
    parser = argument_parser(__doc__, __spec__.name)
    parser.add_argument("family", type=Path)
    parser.add_argument("--real", nargs="*", type=Path, default=[], help="folders of photographs")
    parser.add_argument("--work", type=Path, required=True, help="folder for what was measured")
    parser.add_argument("--write", action="store_true", help="write the floor into the shipped detector")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    found = gathered(options.family, options.real, options.work)
    detector = Detector.shipped("traces")
    scores = detector.scores(found.vectors.astype(np.float64))
    likely_real = detector.calibration.probabilities(scores) <= detector.info.real_below
    print(f"{found.fake.sum():,} fakes of {len(np.unique(found.generators[found.fake]))} generators")
    print("percent called real: fakes / real images of the same contents / other photographs")
    for title, groups in (("generators", found.generators), ("contents", found.contents)):
        print(f"left out: {title}")
        table(found, scores, likely_real, groups)
    if options.write:
        floor = quantile_trees(found.conditions[found.fake], scores[found.fake], CHOSEN)
        replace(detector, floor=floor).save(SHIPPED["traces"])


if __name__ == "__main__":
    main()
