"""report.html of a run: samples, curves, settings; one file that opens offline."""

from collections import defaultdict

from i2icli import registry
from i2icli.config import Config
from i2icli.report.log import Row, loss_curves, read_log, score_curves
from i2icli.report.page import write_page
from i2icli.report.sections import Curves, Figure, Section, Text, Values
from i2icli.training.run_folder import RunFolder

SHEETS = 3  # sample sheets shown: the first, one half way, the last


def write_run_report(folder: RunFolder, system: str, config: Config) -> None:
    """Write the report from what the run folder holds."""
    entry = registry.entry(system)
    rows = read_log(folder.log_file)
    last = rows[-1]["step"] if rows else 0
    lead = f"{system}: {entry.summary} ({entry.paper}). {last:,} of {config.steps or last:,} steps."
    sections: list[Section] = [Text(lead, lead=True), *_samples(folder)]
    scores = score_curves(rows)
    by_name: dict[str, dict[str, list[tuple[float, float]]]] = defaultdict(dict)
    for key, points in scores.items():
        by_name[key.split("/")[0]][key] = points
    sections += [
        Curves(
            curves,
            f"Validation: {_TITLES.get(name, name)}",
            y_label=_UNITS.get(name, _TITLES.get(name, name)),
        )
        for name, curves in by_name.items()
    ]
    sections += [Text(f"{remark[:1].upper()}{remark[1:]}.", heading) for remark, heading in _remarks(rows)]
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
    settings = {key: str(value) for key, value in config.model_dump(mode="json").items() if value is not None}
    sections.append(Values(settings, "Settings", folded=True))
    write_page(folder.report, folder.path.resolve().name, sections)


_TITLES = {
    "psnr": "PSNR (dB)",
    "ssim": "SSIM",
    "spectral_distance": "spectral distance of samples to the data (20 ln; 0 is best)",
    "enlarged_distance": "spectral distance of enlarged pictures to their own truth (20 ln; 0 is best)",
    "interpolated_distance": "spectral distance of plain interpolation to the truth (20 ln; 0 is best)",
    "checkerboard": "checkerboard in samples, power against real images (1 is best)",
}

_UNITS = {
    "spectral_distance": "20 ln",
    "enlarged_distance": "20 ln",
    "interpolated_distance": "20 ln",
    "checkerboard": "times as much",
}

_RUN = {
    "images_per_s": "Images per second",
    "data_wait": "Share of the time spent waiting for data",
    "lr_factor": "Learning rate, as a factor",
}


def _remarks(rows: list[Row]) -> list[tuple[str, str]]:
    """What the last measurement found, with a heading over the first."""
    last: list[str] = next((row["remarks"] for row in reversed(rows) if "remarks" in row), [])
    return [(remark, "" if place else "What stands out") for place, remark in enumerate(last)]


def _samples(folder: RunFolder) -> list[Section]:
    sheets = sorted(folder.samples.glob("*.png"))
    chosen = sheets if len(sheets) <= SHEETS else [sheets[0], sheets[len(sheets) // 2], sheets[-1]]
    chosen = chosen[::-1]  # the newest first
    return [
        Figure(sheet.read_bytes(), f"step {int(sheet.stem):,}", "Samples" if sheet == chosen[0] else "")
        for sheet in chosen
    ]
