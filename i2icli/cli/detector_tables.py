"""The tables of `i2i detector`, at most 80 columns wide but for long names, and what they are worth."""

from collections.abc import Sequence
from math import isnan
from typing import TYPE_CHECKING

from rich.markup import escape

from i2icli.cli.console import errors, output, say, warned
from i2icli.errors import readable

if TYPE_CHECKING:
    from rich.table import Table

    from i2icli.detector.detector import Detector
    from i2icli.detector.evaluation import Condition, Score

_COLUMNS = (  # of the table of scores, after condition and fakes
    "AUC",
    "balanced\naccuracy",
    "verdict\naccuracy",
    "cover-\nage",
    "false\nalarms",
    "missed",
    "calibr.\nerror",
)
_TEXTS = ("condition", "fakes", "held-out score")  # columns
_WIDTH = 80  # columns where no terminal says
_LABELS = {"auc": "AUC"}


def print_fitted(detector: "Detector") -> None:
    """The held-out scores of a detector that was just fitted."""
    info = detector.info
    console, table = output(), _table("held-out score", "mean of ten splits")
    console.print(f"{info.name} on {info.features} of {info.reals:,} photographs, {info.fakes:,} fakes")
    for name, value in info.scores.items():
        table.add_row(_LABELS.get(name, name.replace("_", " ")), _number(value))
    console.print(table)


def print_scores(scores: Sequence["Score"]) -> None:
    """One row for each condition and group of fakes; "-" where a score is not defined."""
    table = _table("condition", "fakes", *_COLUMNS)
    for each in scores:
        table.add_row(
            each.condition,
            escape(readable(f"{each.group} ({each.fakes:,})")),
            *map(_number, (each.auc, each.accuracy, each.decided_accuracy)),
            *map(_percentage, (each.coverage, each.false_alarms, each.missed)),
            _number(each.calibration_error),
        )
    console = output()
    console.print(table, width=None if console.is_terminal else _WIDTH)


def say_what_was_fitted(detector: "Detector", condition: "Condition") -> None:
    """Warn if a detector was fitted to the images that it is evaluated on."""
    from i2icli.detector.evaluation import fitted_to

    console, number, total = errors(), fitted_to(detector, condition.hashes), len(condition.fake)
    if detector.info.fitted_on:
        say(console, f"fitted to: {detector.info.fitted_on}; scores on those would be too good")
    elif number is None:
        say(
            console,
            "the file does not tell which images the detector was fitted to; scores on those are too good",
        )
    elif number:
        which = f"{number:,} of these {total:,} images"
        warned(f"the detector was fitted to {which}: scores on them are too good; evaluate on others")


def _table(*columns: str) -> "Table":
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    for column in columns:
        text = column in _TEXTS
        table.add_column(
            column, justify="left" if text else "right", overflow="fold", no_wrap=column != "fakes"
        )
    return table


def _number(value: float) -> str:
    return "-" if isnan(value) else f"{value:.3f}"


def _percentage(value: float) -> str:
    return "-" if isnan(value) else f"{value:.1%}"
