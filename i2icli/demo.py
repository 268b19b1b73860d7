"""`i2i demo`: train on procedural pictures whose truth is known, and show what was learned."""

from collections.abc import Iterable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from i2icli.config import RunOptions
from i2icli.data.toy import write_paired, write_unpaired
from i2icli.engine.training import TrainResult, train
from i2icli.engine.translator import Translator
from i2icli.engine.watch import Watcher
from i2icli.errors import UserError
from i2icli.files import written_beside
from i2icli.image import read_picture, to_tensor
from i2icli.recipe import resolve_config
from i2icli.report.page import write_page
from i2icli.report.sections import Pictures, Section, Table, Text
from i2icli.scores import psnr

SIDE = 64  # pixels
TRAIN, TEST = 200, 24  # scenes
SHOWN = 6  # test scenes in the report
STRIP = 4  # test scenes in the strip


@dataclass(frozen=True)
class Lesson:
    """One system, its data and what its answers are measured against."""

    system: str
    title: str
    data: str  # folder below the demo's data folder
    given: str  # folder of test inputs
    truth: str  # folder of what should come out


LESSONS = (
    Lesson("pix2pix", "Label map to photo, learned from pairs", "paired", "test/A", "test/B"),
    Lesson("cyclegan", "Summer day to autumn evening, learned without pairs", "unpaired", "testA", "testB"),
)


def write_data(folder: Path, seed: int = 0) -> None:
    """Write the demo's data as folders in the layouts that `i2i train` recognises."""
    write_paired(folder / "paired", TRAIN, TEST, SIDE, seed)
    write_unpaired(folder / "unpaired", TRAIN, TEST, SIDE, seed)


def run(out: Path, watcher: Watcher, seed: int = 0) -> Iterable[str]:
    """Write data, train, translate what was never seen, measure, report. Yields lines to print.

    The PSNR of the untranslated input against the same truth stands beside each answer's.
    """
    write_data(out / "data", seed)
    outcomes = [_learn(lesson, out, watcher, seed) for lesson in LESSONS]
    sections: list[Section] = [
        Text(
            f"Two small networks were trained on {TRAIN} made-up scenes of {SIDE}x{SIDE} pixels each; the "
            "pictures below are test scenes they never saw. The table gives the mean PSNR over "
            f"{TEST} of them, in dB.",
            lead=True,
        ),
        Table(
            ("system", "task", "steps", "input against truth", "output against truth"),
            [
                (o.lesson.system, o.lesson.title, f"{o.result.steps}", f"{o.before:.1f}", f"{o.after:.1f}")
                for o in outcomes
            ],
        ),
        *(outcome.pictures for outcome in outcomes),
    ]
    report = out / "report.html"
    write_page(report, "i2i demo", sections)
    _write_strip(out / "strip.png", outcomes)
    for outcome in outcomes:
        lesson = outcome.lesson
        yield f"{lesson.system}: {lesson.title.lower()}"
        yield (
            f"  PSNR against the truth: output {outcome.after:.1f} dB, "
            f"untranslated input {outcome.before:.1f} dB"
        )
    yield f"pictures: {report}"
    yield f"go on:    i2i translate {out}/data/unpaired/testA --model {out}/cyclegan --out {out}/evening"


@dataclass(frozen=True)
class Outcome:
    """What one lesson came to."""

    lesson: Lesson
    result: TrainResult
    before: float  # mean PSNR of the inputs against the truth, dB
    after: float  # mean PSNR of the answers, dB
    rows: list[list[NDArray[Any]]]  # input, output, truth of every test scene; (H, W, 3) each

    @property
    def pictures(self) -> Pictures:
        """The first test scenes as a section of the report."""
        heading = f"{self.lesson.system}: {self.lesson.title}"
        cells = [[_png(pixels) for pixels in row] for row in self.rows[:SHOWN]]
        return Pictures(("input", "output", "truth"), cells, heading=heading, pixelated=True)


def _learn(lesson: Lesson, out: Path, watcher: Watcher, seed: int) -> Outcome:
    config = resolve_config(lesson.system, f"{lesson.system}-demo", {"seed": seed})
    options = RunOptions(out=out / lesson.system, sample_every=10**6, validate_every=10**6)
    result = train(lesson.system, [out / "data" / lesson.data], config, options, watcher)
    if not result.finished:
        raise UserError(
            f"stopped at step {result.step} of {result.steps}; run the demo again to go on", exit_code=130
        )
    translator = Translator.load(result.folder)
    folder = out / "data" / lesson.data
    rows: list[list[NDArray[Any]]] = []
    for source in sorted((folder / lesson.given).glob("*.png")):
        given = read_picture(source).pixels
        answer = translator.translate(given)
        truth = read_picture(folder / lesson.truth / source.name).pixels
        rows.append([given, np.asarray(answer), truth])
    before = _mean(_psnr(given, truth) for given, _, truth in rows)
    after = _mean(_psnr(answer, truth) for _, answer, truth in rows)
    return Outcome(lesson, result, before, after, rows)


def _write_strip(path: Path, outcomes: list[Outcome]) -> None:
    """One picture of it all: a row per scene; input, output and truth of every lesson; enlarged."""
    rows = zip(*(outcome.rows[:STRIP] for outcome in outcomes), strict=True)
    gap = np.full((SIDE, SIDE // 8, 3), 255, np.uint8)
    lines = [np.concatenate([*first, gap, *second], axis=1) for first, second in rows]  # (H, 6 W + gap, 3)
    sheet = Image.fromarray(np.concatenate(lines))
    with written_beside(path) as beside:
        sheet.resize((2 * sheet.width, 2 * sheet.height), Image.Resampling.NEAREST).save(beside)


def _psnr(a: NDArray[Any], b: NDArray[Any]) -> float:
    return float(psnr(to_tensor(a)[None], to_tensor(b)[None]))


def _mean(values: Iterable[float]) -> float:
    return float(np.mean(list(values)))


def _png(pixels: NDArray[Any]) -> bytes:
    file = BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()
