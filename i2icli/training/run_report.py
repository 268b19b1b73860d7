"""report.html of a run: samples, curves and settings in one self-contained file."""

from collections import defaultdict

from i2icli import registry
from i2icli.config import Config
from i2icli.metadata import cleaned
from i2icli.report.log import Row, loss_curves, read_log, score_curves
from i2icli.report.page import write_page
from i2icli.report.sections import Curves, Figure, Section, Text, Values
from i2icli.report.titles import TITLES, UNITS
from i2icli.training.run_folder import RunFolder

SHEETS = 3  # sample sheets shown: first, middle, last


def write_run_report(folder: RunFolder, system: str, config: Config) -> None:
    """Write the report from the files of the run folder."""
    entry = registry.entry(system)
    rows = read_log(folder.log_file)
    last = rows[-1]["step"] if rows else 0
    lead = f"{system}: {entry.summary} ({entry.paper}). {last:,} of {config.steps or last:,} steps."
    sections: list[Section] = [Text(lead, lead=True), *_samples(folder), *_clips(folder)]
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
    sections += [Text(f"{text[:1].upper()}{text[1:]}.", heading) for text, heading in _warnings(rows)]
    grouped: dict[str, dict[str, list[tuple[float, float]]]] = defaultdict(dict)
    for key, points in loss_curves(rows).items():
        optimizer, _, loss = key.partition("/")
        if loss:
            grouped[optimizer][loss] = points
        else:
            grouped["run"][key] = points
    own = grouped.pop("run", {})
    sections += [Curves(curves, f"Losses of {name}") for name, curves in grouped.items()]
    sections += [Curves({key: points}, _RUN[key]) for key, points in own.items() if key in _RUN]
    settings = {
        key: str(value) for key, value in cleaned(config).model_dump(mode="json").items() if value is not None
    }
    sections.append(Values(settings, "Settings", folded=True))
    write_page(folder.report, folder.path.resolve().name, sections)


_RUN = {
    "images_per_s": "Images per second",
    "data_wait": "Data wait, fraction of the time",
    "lr_factor": "Learning rate factor",
}


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


def _samples(folder: RunFolder) -> list[Section]:
    sheets = sorted(folder.samples.glob("*.png"))
    chosen = sheets if len(sheets) <= SHEETS else [sheets[0], sheets[len(sheets) // 2], sheets[-1]]
    chosen = chosen[::-1]  # the newest first
    return [
        Figure(sheet.read_bytes(), f"step {int(sheet.stem):,}", "Samples" if sheet == chosen[0] else "")
        for sheet in chosen
    ]
