"""report.html of a run: samples, curves and settings in one self-contained file."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from i2icli import registry
from i2icli.config import Config
from i2icli.errors import print_number
from i2icli.losses.legend import explanation
from i2icli.metadata import cleaned
from i2icli.report.log import Row, loss_curves, read_log, score_curves
from i2icli.report.page import write_page
from i2icli.report.sections import Curves, Figure, Section, Slides, Text, Values
from i2icli.report.thumbnails import embedded
from i2icli.report.titles import TITLES, UNITS
from i2icli.training.run_folder import RunFolder
from i2icli.written import print_duration

SHEETS = 16  # sample sheets shown at most: the newest, the first, and some between
SHORT = 0.3  # seconds that the report may take whenever something is new
SHARE = 0.01  # of the time of a run that it may take where it takes longer


class LiveReport:
    """The report while a run trains: written anew whenever something is new, as far as it costs little."""

    def __init__(self, folder: RunFolder, system: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.folder, self.system, self._clock = folder, system, clock
        self._next = clock()  # before then it would cost too much

    def update(self, config: Config) -> None:
        """Write it, unless the last time took long and more than SHARE of the time since."""
        started = self._clock()
        if started < self._next:
            return
        write_run_report(self.folder, self.system, config, final=False)
        now = self._clock()
        self._next = now + (now - started) / SHARE if now - started > SHORT else now


def write_run_report(folder: RunFolder, system: str, config: Config, *, final: bool = True) -> None:
    """Write the report from the files of the run folder; final: whether the run is over for now."""
    entry = registry.entry(system)
    rows = read_log(folder.log_file)
    lead = f"{system}: {entry.summary} ({entry.paper})."
    sections: list[Section] = [Text(lead, lead=True), Values(_facts(folder, rows, config), "Run")]
    sections += [Text(f"{text[:1].upper()}{text[1:]}.", heading) for text, heading in _warnings(rows)]
    sections += [*_samples(folder), *_clips(folder)]
    scores = score_curves(rows)
    by_name: dict[str, dict[str, list[tuple[float, float]]]] = defaultdict(dict)
    for key, points in scores.items():
        by_name[key.split("/")[0]][key] = points
    sections += [
        Curves(
            curves,
            f"Validation: {TITLES.get(name, name)}",
            y_label=UNITS.get(name, TITLES.get(name, name)),
        )
        for name, curves in by_name.items()
    ]
    sections += _flicker(rows)
    grouped: dict[str, dict[str, list[tuple[float, float]]]] = defaultdict(dict)
    for key, points in loss_curves(rows).items():
        optimizer, _, loss = key.partition("/")
        if loss:
            grouped[optimizer][loss] = points
        else:
            grouped["run"][key] = points
    own = grouped.pop("run", {})
    sections += [
        Curves(curves, f"Losses of {name}", legend=_legend(system, name, curves))
        for name, curves in grouped.items()
    ]
    sections += [Curves({key: points}, _RUN[key]) for key, points in own.items() if key in _RUN]
    settings = {
        key: str(value) for key, value in cleaned(config).model_dump(mode="json").items() if value is not None
    }
    sections.append(Values(settings, "Settings", folded=True))
    write_page(folder.report, folder.path.resolve().name, sections, final=final)


_RUN = {
    "images_per_s": "Images per second",
    "data_wait": "Data wait, fraction of the time",
    "lr_factor": "Learning rate factor",
}


def _legend(system: str, optimizer: str, losses: Iterable[str]) -> dict[str, str]:
    """What the losses of an optimiser measure, by their names."""
    legend = registry.system_type(system).legend
    found = {name: explanation(legend, f"{optimizer}/{name}") for name in losses}
    return {name: text for name, text in found.items() if text}


def _clips(folder: RunFolder) -> list[Section]:
    """A clip of the last validation, as a strip and as a film."""
    shown = (
        (folder.strip, "some of its frames"),
        (folder.film, "the same as a video, at 12 frames per second"),
    )
    return [
        Figure(path.read_bytes(), caption, "" if number else "A clip that was not trained on")
        for number, (path, caption) in enumerate(shown)
        if path.exists()
    ]


def _flicker(rows: list[Row]) -> list[Section]:
    """The spectra of the last validation that has them."""
    found = next((row["flicker"] for row in reversed(rows) if "flicker" in row), None)
    if found is None:
        return []
    series = {
        name: list(zip(found["frequencies"], found[key], strict=True))
        for name, key in (("generated", "result"), ("real", "real"))
    }
    caption = f"{found['at_rest']:.0%} of the pixels are at rest in the real video"
    return [
        Curves(
            series,
            "Flicker of what is at rest",
            "cycles per frame",
            "variance of the brightness",
            caption=caption,
        )
    ]


def _warnings(rows: list[Row]) -> list[tuple[str, str]]:
    """The warnings of the last validation, the first with a heading."""
    last: list[str] = next((row["remarks"] for row in reversed(rows) if "remarks" in row), [])
    return [(text, "" if index else "Warnings") for index, text in enumerate(last)]


def _facts(folder: RunFolder, rows: list[Row], config: Config) -> dict[str, str]:
    """How far it has come, on what, how long it took, and its last scores."""
    last = rows[-1]["step"] if rows else 0
    facts = {"steps": f"{last:,} of {config.steps or last:,}"}
    seconds = next((row["seconds"] for row in reversed(rows) if "seconds" in row), None)
    if seconds is not None:
        facts["time"] = print_duration(seconds)
    facts |= folder.about()
    scored = next((row for row in reversed(rows) if isinstance(row.get("validation"), dict)), None)
    if scored is not None:
        for name, value in scored["validation"].items():
            facts[name] = f"{print_number(value, 4)} (step {scored['step']:,})"
    return facts


def _samples(folder: RunFolder) -> list[Section]:
    """The newest sample sheet, and older ones compressed."""
    own = (
        each for each in folder.samples.glob("*.png") if each.stem.isdecimal()
    )  # others may lie there, too
    sheets = sorted(own, key=lambda sheet: int(sheet.stem), reverse=True)
    slides: list[tuple[bytes, str]] = []
    for sheet in _spread(sheets, SHEETS):
        with suppress(OSError):  # damaged, or gone
            slides.append((embedded(sheet, exact=sheet == sheets[0]), f"step {int(sheet.stem):,}"))
    return [Slides(slides, "Samples")] if slides else []


def _spread(sheets: list[Path], count: int) -> list[Path]:
    """At most so many, with the first and, if there is more than one, the last."""
    if len(sheets) <= count:
        return sheets
    step = (len(sheets) - 1) / max(1, count - 1)
    return [sheets[round(number * step)] for number in range(count)]
