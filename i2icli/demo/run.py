"""Run demonstrations: write data, train, translate what was never seen, measure, report."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from PIL import Image

from i2icli.config import RunOptions
from i2icli.demo import LESSONS
from i2icli.demo.demo import Demo, Shown
from i2icli.errors import UserError
from i2icli.image import to_tensor
from i2icli.inference.translator import Translator
from i2icli.recipe import resolve_config
from i2icli.report.page import write_page
from i2icli.report.sections import ImageGrid, Section, Table, Text
from i2icli.report.sheet import write_sample_sheet
from i2icli.training.callbacks import Callbacks
from i2icli.training.run import TrainResult, train

SHOWN = 6  # test pictures in the report
STRIP = 4  # test pictures in the strip


@dataclass(frozen=True)
class Outcome:
    """What one lesson came to."""

    lesson: Demo
    result: TrainResult
    shown: Shown

    @property
    def pictures(self) -> ImageGrid:
        """The first test pictures as a section of the report."""
        heading = f"{self.lesson.system}: {self.lesson.title}"
        cells = [[_png(pixels) for pixels in row] for row in self.shown.rows[:SHOWN]]
        return ImageGrid(self.shown.columns, cells, heading=heading, pixelated=True)


def write_data(systems: Sequence[str], folder: Path, seed: int = 0) -> None:
    """Write the data of some lessons as folders in the layouts that `i2i train` recognises."""
    for lesson in _lessons(systems):
        lesson.write(folder / lesson.folder, seed)


def run(systems: Sequence[str], out: Path, callbacks: Callbacks, seed: int = 0) -> Iterable[str]:
    """Train the lessons of some systems one after the other. Yields lines to print.

    Writes report.html and strip.png. Raises UserError for a system without a lesson, or if stopped.
    """
    outcomes = [_learn(lesson, out, callbacks, seed) for lesson in _lessons(systems)]
    sections: list[Section] = [
        Text(
            "Small networks were trained on made-up pictures; those below are test pictures they never "
            "saw. The figures are means over all of these.",
            lead=True,
        ),
        Table(
            ("system", "task", "steps", "measured", "value"),
            [
                (each.lesson.system, each.lesson.title, f"{each.result.steps}", what, value)
                for each in outcomes
                for what, value in each.shown.figures
            ],
        ),
        *(outcome.pictures for outcome in outcomes),
    ]
    report = out / "report.html"
    write_page(report, "i2i demo", sections)
    _write_strip(out / "strip.png", outcomes)
    for outcome in outcomes:
        yield f"{outcome.lesson.system}: {outcome.lesson.title}"
        yield from (f"  {what}: {value}" for what, value in outcome.shown.figures)
    yield f"pictures: {report}"
    yield f"go on:    i2i info {outcomes[-1].result.folder}"


def _lessons(systems: Sequence[str]) -> list[Demo]:
    for system in systems:
        if system not in LESSONS:
            raise UserError(f"there is no demo of {system!r}; there are: {', '.join(LESSONS)}")
    return [import_module(LESSONS[system]).DEMO for system in systems]


def _learn(lesson: Demo, out: Path, callbacks: Callbacks, seed: int) -> Outcome:
    data = out / "data" / lesson.folder
    lesson.write(data, seed)
    config = resolve_config(lesson.system, f"{lesson.system}-demo", {"seed": seed})
    options = RunOptions(out=out / lesson.system, sample_every=10**6, validate_every=10**6)
    result = train(lesson.system, [data / part for part in lesson.parts], config, options, callbacks)
    if not result.finished:
        raise UserError(
            f"stopped at step {result.step} of {result.steps}; run the demo again to go on", exit_code=130
        )
    return Outcome(lesson, result, lesson.show(Translator.load(result.folder), data))


def _write_strip(path: Path, outcomes: list[Outcome]) -> None:
    """One picture of it all: a row per test picture, the columns of every lesson beside each other."""
    several = len(outcomes) > 1
    write_sample_sheet(
        path,
        [
            {
                (f"{outcome.lesson.system}: {column}" if several else column): to_tensor(pixels)
                for outcome in outcomes
                for column, pixels in zip(outcome.shown.columns, outcome.shown.rows[number], strict=True)
            }
            for number in range(min(STRIP, *(len(outcome.shown.rows) for outcome in outcomes)))
        ],
    )


def _png(pixels: NDArray[Any]) -> bytes:
    file = BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()
