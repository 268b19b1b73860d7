"""Checks, what came of them, and how they are printed."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

Status = Literal["PASS", "FAIL", "SKIP"]


class SkippedError(Exception):
    """Raised by a check that cannot be made here, with the reason."""


@dataclass(frozen=True)
class Figures:
    """What a check measured."""

    passed: bool
    ratio: str = ""  # how many times as fast as in eager fp32 on the same device
    difference: str = ""  # the largest one, and from what
    remark: str = ""


@dataclass(frozen=True)
class Check:
    """Something to find out."""

    name: str
    measure: Callable[[], Figures]


@dataclass(frozen=True)
class Outcome:
    """How a check ended."""

    name: str
    status: Status
    figures: Figures

    def line(self) -> str:
        """For the terminal."""
        told = (self.figures.ratio and f"{self.figures.ratio} of eager fp32", self.figures.difference)
        return f"{self.status}  {self.name}: " + ", ".join(filter(None, (*told, self.figures.remark)))


def run(check: Check, deadline: float) -> Outcome:
    """Make a check, unless the time is up. Whatever it raises is its failure."""
    if time.monotonic() > deadline:
        return Outcome(check.name, "SKIP", Figures(False, remark="the time is up"))
    try:
        figures = check.measure()
    except SkippedError as reason:
        return Outcome(check.name, "SKIP", Figures(False, remark=f"skipped: {reason}"))
    except Exception as error:  # one broken part must not hide the others
        return Outcome(check.name, "FAIL", Figures(False, remark=one_line(error)))
    return Outcome(check.name, "PASS" if figures.passed else "FAIL", figures)


def one_line(error: BaseException) -> str:
    """What an error says, in at most 160 characters, without what would break a table."""
    text = " ".join(f"{type(error).__name__}: {error}".split()).replace("|", "/")
    return text if len(text) <= 160 else text[:157] + "..."


def table(outcomes: Sequence[Outcome]) -> list[str]:
    """Lines of Markdown, one row per check."""
    rows = [
        f"| {each.name} | {each.figures.ratio} | {each.figures.difference} | "
        f"{each.status}{each.figures.remark and ', ' + each.figures.remark} |"
        for each in outcomes
    ]
    return ["| Check | Speed over eager fp32 | Largest difference | Result |", "|---|---|---|---|", *rows]


def count(outcomes: Sequence[Outcome]) -> str:
    """E.g. "42 PASS, 0 FAIL, 3 SKIP"."""
    kinds: tuple[Status, ...] = ("PASS", "FAIL", "SKIP")
    return ", ".join(f"{sum(each.status == kind for each in outcomes)} {kind}" for kind in kinds)
