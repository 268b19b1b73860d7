"""Running demos: write data, train, evaluate on unseen test images, report."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from PIL import Image

from i2icli.config import RunOptions
from i2icli.demo import DEMOS
from i2icli.demo.demo import Demo, DemoResults
from i2icli.errors import UserError, quoted
from i2icli.image import to_tensor
from i2icli.inference.translator import Translator
from i2icli.marks import is_run
from i2icli.recipe import resolve_config
from i2icli.report.page import write_page
from i2icli.report.sections import ImageGrid, Section, Table, Text
from i2icli.report.sheet import write_sample_sheet
from i2icli.training.callbacks import Callbacks
from i2icli.training.run import TrainResult, train

MARK = ".i2i-demo"  # in the folder of a demo, so that it is known as such when it is run again
REPORT, STRIP = "report.html", "strip.png"
REPORT_ROWS = 6  # test images in the report
STRIP_ROWS = 4  # test images in the strip


@dataclass(frozen=True)
class DemoRun:
    """A demo, its training run and its evaluation."""

    demo: Demo
    training: TrainResult
    results: DemoResults

    @property
    def images(self) -> ImageGrid:
        """The first test images, as a section of the report."""
        heading = f"{self.demo.system}: {self.demo.title}"
        cells = [[_png(pixels) for pixels in row] for row in self.results.rows[:REPORT_ROWS]]
        return ImageGrid(self.results.columns, cells, heading=heading, pixelated=True)


def write_data(systems: Sequence[str], folder: Path, seed: int = 0) -> None:
    """Write the data of some demos in folder layouts that `i2i train` recognises.

    Raises UserError where there is something already.
    """
    if os.path.lexists(folder) and not folder.is_dir():
        raise UserError(f"{folder}: a file, or a link to nothing; choose a folder for the data")
    targets = {folder / demo.folder: demo for demo in _demos(systems)}
    for target in targets:
        if target.is_dir() and not any(target.iterdir()):
            continue
        if os.path.lexists(target):
            raise UserError(f"{target} exists already, and the data would go there; choose another folder")
    for target, demo in targets.items():
        demo.write(target, seed)


def run(systems: Sequence[str], out: Path, callbacks: Callbacks, seed: int = 0) -> Iterable[str]:
    """Run the demos of some systems one after the other. Yields lines to print.

    Writes report.html and strip.png. Raises UserError for a system without a demo, or if stopped.
    """
    demos = _demos(systems)
    _claim(out, demos)
    runs = [_run_one(demo, out, callbacks, seed) for demo in demos]
    sections: list[Section] = [
        Text(
            "Small networks were trained on synthetic images. The images below are from the test set; "
            "metrics are means over all test images.",
            lead=True,
        ),
        Table(
            ("system", "task", "steps", "metric", "value"),
            [
                (each.demo.system, each.demo.title, f"{each.training.steps}", name, value)
                for each in runs
                for name, value in each.results.metrics
            ],
        ),
        *(each.images for each in runs),
    ]
    report = out / REPORT
    write_page(report, "i2i demo", sections)
    _write_strip(out / STRIP, runs)
    for each in runs:
        yield f"{each.demo.system}: {each.demo.title}"
        yield from (f"  {name}: {value}" for name, value in each.results.metrics)
    yield f"report: {report}"
    yield f"next:   i2i info {quoted(runs[-1].training.folder)}"


def _claim(out: Path, demos: Sequence[Demo]) -> None:
    """Mark a folder as that of a demo. Raises UserError if what others wrote there would be replaced."""
    mark = out / MARK
    ours = mark.exists() or any(is_run(out / demo.system) for demo in demos)
    written = [out / name for name in (REPORT, STRIP, *(f"data/{demo.folder}" for demo in demos))]
    there = next((path for path in written if os.path.lexists(path)), None)
    if there is not None and not ours:
        raise UserError(f"{there} exists and was not made by i2i demo; choose another --out")
    out.mkdir(parents=True, exist_ok=True)
    mark.touch()


def _demos(systems: Sequence[str]) -> list[Demo]:
    for system in systems:
        if system not in DEMOS:
            raise UserError(f"no demo of {system!r}; available: {', '.join(DEMOS)}")
    return [import_module(DEMOS[system]).DEMO for system in systems]


def _run_one(demo: Demo, out: Path, callbacks: Callbacks, seed: int) -> DemoRun:
    data = out / "data" / demo.folder
    demo.write(data, seed)
    config = resolve_config(demo.system, f"{demo.system}-demo", {"seed": seed})
    options = RunOptions(out=out / demo.system, sample_every=10**6, validate_every=10**6)
    result = train(demo.system, [data / part for part in demo.parts], config, options, callbacks)
    if not result.finished:
        raise UserError(
            f"stopped at step {result.step} of {result.steps}; run the demo again to resume", exit_code=130
        )
    return DemoRun(demo, result, demo.evaluate(Translator.load(result.folder), data))


def _write_strip(path: Path, runs: list[DemoRun]) -> None:
    """One image: a row per test image, the columns of all demos side by side."""
    several = len(runs) > 1
    write_sample_sheet(
        path,
        [
            {
                (f"{each.demo.system}: {column}" if several else column): to_tensor(pixels)
                for each in runs
                for column, pixels in zip(each.results.columns, each.results.rows[number], strict=True)
            }
            for number in range(min(STRIP_ROWS, *(len(each.results.rows) for each in runs)))
        ],
    )


def _png(pixels: NDArray[Any]) -> bytes:
    file = BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()
