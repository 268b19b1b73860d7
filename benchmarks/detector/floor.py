"""Fit what the detector calls real: the floor of the scores that fakes in the same condition have.

    python -m benchmarks.detector.family ...                          # writes family/
    python -m benchmarks.detector.fit ...                             # fitting/ and the detector itself
    python -m benchmarks.detector.floor family --nets nets --real squares websquares --work fitting --write

Only faint generators count, those of which a low score alone would call more than 5 % real in some
condition. All are judged by the detector that has not seen their content, and the floor by leaving out
whole generators, and whole contents; --real: folders of photographs that no generator saw. Printed under
each condition: the AUC, the shares called fake, and the shares of fakes and of photographs called real, for
several quantiles and margins below them. Other reasons to abstain, such as detected resizing, come on top.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.detector.judged import (
    CONDITIONS,
    UNSEEN,
    Judged,
    family_rows,
    joined,
    rows_of,
    unseen_rows,
)
from benchmarks.detector.residuals import load_nets
from benchmarks.lib.arguments import argument_parser
from i2icli.detector.calibration import area_under_curve
from i2icli.detector.detector import SHIPPED, Detector
from i2icli.detector.fit_classifier import quantile_trees
from i2icli.report.chart import Chart, Line, write_chart

QUANTILES, MARGINS = (0.01, 0.02, 0.05), (0, 0.25, 0.5, 1)
CHOSEN, MARGIN = 0.02, 1.0  # of the shipped floor: quantile, and log odds below it
CURVE = np.linspace(-3, 4, 71)  # margins
MOST = 0.05  # share of a faint generator's fakes that a low score alone would call real in some condition

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


def faint(found: Judged, likely_real: Mask) -> list[str]:
    """The generators whose fakes a low score alone would often call real."""
    names = np.unique(found.generators[found.fake])
    return [str(name) for name in names if max(_by_condition(found, likely_real, name)) > MOST]


def _by_condition(found: Judged, called: Mask, generator: str) -> list[float]:
    """The share of a generator's fakes that is called real under each condition."""
    own = found.fake & (found.generators == generator)
    return [float(called[own & (found.treatments == treatment)].mean()) for treatment in CONDITIONS]


def ranking(found: Judged, scores: Array) -> None:
    """Print the AUC of every generator against the real images beside its fakes, under each condition."""
    print(f"{'AUC':36}" + "".join(f"{name:>16}" for name in CONDITIONS))
    seen = found.generators != UNSEEN
    for name in ["all", *np.unique(found.generators[seen])]:
        own = seen if name == "all" else found.generators == name
        masks = [own & (found.treatments == treatment) for treatment in CONDITIONS]
        values = [area_under_curve(scores[rows], found.fake[rows]) for rows in masks]
        print(f"{name:36}" + "".join(f"{value:16.3f}" for value in values), flush=True)


def called_fake(found: Judged, called: Mask) -> None:
    """Print the shares called fake by probability alone."""
    print("percent called fake: fakes / real images beside them / other photographs")
    seen, cells = found.generators != UNSEEN, []
    for treatment in CONDITIONS:
        these = found.treatments == treatment
        masks = (these & found.fake, these & ~found.fake & seen, these & ~seen)
        fakes, beside, others = (100 * called[rows].mean() for rows in masks)
        cells.append(f"{treatment}: {fakes:.0f} / {beside:.1f} / {others:.1f}")
    print("\n".join(cells), flush=True)


def table(found: Judged, scores: Array, likely_real: Mask, groups: NDArray[np.str_]) -> None:
    """Print the shares called real."""
    print(f"{'quantile, margin':18}" + "".join(f"{name:>20}" for name in CONDITIONS))
    _row("no floor", found, likely_real)
    for quantile in QUANTILES:
        floors = left_out_floors(found, scores, groups, quantile)
        for margin in MARGINS:
            _row(f"{quantile:g}, {margin:g}", found, likely_real & (scores <= floors - margin))


def _row(name: str, found: Judged, called: Mask) -> None:
    """Percent of fakes, of the worst generator's fakes, of real images beside them, of other photographs."""
    generators, cells = np.unique(found.generators[found.fake]), []
    worst = np.max([_by_condition(found, called, str(each)) for each in generators], 0)  # (conditions,)
    for treatment, most in zip(CONDITIONS, worst, strict=True):
        these, unseen = found.treatments == treatment, found.generators == UNSEEN
        masks = (these & found.fake, these & ~found.fake & ~unseen, these & unseen)
        fakes, beside, others = (100 * called[rows].mean() for rows in masks)
        cells.append(f"{fakes:.1f} ({100 * most:.0f}) / {beside:.0f} / {others:.0f}")
    print(f"{name:18}" + "".join(f"{cell:>20}" for cell in cells), flush=True)


def curve(found: Judged, scores: Array, likely_real: Mask, path: Path) -> None:
    """Draw the trade of the margin below the floor: photographs over fakes that are called real."""
    floors, lines = left_out_floors(found, scores, found.generators, CHOSEN), []
    unseen = found.generators == UNSEEN
    for treatment in CONDITIONS[:-1]:
        these = found.treatments == treatment
        called = [likely_real & (scores <= floors - margin) for margin in CURVE]
        fakes, reals = (
            np.array([100 * each[these & rows].mean() for each in called]) for rows in (found.fake, unseen)
        )
        lines.append(Line(treatment, fakes, reals))
    axes = ("% of faint fakes called real", "% of photographs called real")
    write_chart(path, Chart("Verdicts of real, by the margin below the floor", lines, *axes))


def scored(found: Judged, work: Path) -> Array:
    """The score of every row by the detector that did not see its content."""
    scores, shipped = np.zeros(len(found.fake)), Detector.shipped("traces")
    for content in np.unique(found.contents):
        path, own = work / f"without-{content}.safetensors", found.contents == content
        scores[own] = (Detector.load(path) if path.exists() else shipped).scores(found.vectors[own])
    return scores


def main(arguments: Sequence[str] | None = None) -> None:
    """Judge, print, and write the floor into the shipped detector."""
    parser = argument_parser(__doc__, __spec__.name)
    parser.add_argument("family", type=Path)
    parser.add_argument("--nets", type=Path, required=True, help="folder of residual networks")
    parser.add_argument("--real", nargs="*", type=Path, default=[], help="folders of photographs")
    parser.add_argument("--work", type=Path, required=True, help="folder of the fit")
    parser.add_argument("--curve", type=Path, metavar="FILE", help="draw the trade: .png, .svg")
    parser.add_argument("--write", action="store_true", help="write the floor into the shipped detector")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    nets, cache = load_nets(options.nets), options.work / "judged"
    family, unseen = family_rows(options.family, nets, cache), unseen_rows(options.real, nets["all"], cache)
    found, detector = joined([family, *unseen]), Detector.shipped("traces")
    scores = scored(found, options.work)
    ranking(found, scores)
    called_fake(found, detector.calibration.probabilities(scores) >= detector.info.fake_above)
    likely_real = detector.calibration.probabilities(scores) <= detector.info.real_below
    names = faint(found, likely_real)
    known = len(np.unique(found.generators[found.fake]))
    print(f"{len(names)} of {known} generators are faint: {', '.join(names)}")
    kept = np.isin(found.generators, [*names, UNSEEN])
    found, scores, likely_real = rows_of(found, kept), scores[kept], likely_real[kept]
    print("percent called real: fakes (of the worst generator) / real images beside them / other photographs")
    for title, groups in (("generators", found.generators), ("contents", found.contents)):
        print(f"left out: {title}")
        table(found, scores, likely_real, groups)
    if options.curve:
        curve(found, scores, likely_real, options.curve)
    if options.write:
        trees = quantile_trees(found.conditions[found.fake], scores[found.fake], CHOSEN)
        floor = replace(trees, start=trees.start - MARGIN)
        replace(detector, floor=floor).save(SHIPPED["traces"])


if __name__ == "__main__":
    main()
