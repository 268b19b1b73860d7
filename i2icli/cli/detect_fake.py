"""`i2i detect-fake IMAGES`."""

import csv
import json
import os
import sys
from collections import Counter
from collections.abc import Iterable
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from i2icli.cli.console import errors, output, say
from i2icli.errors import UserError, readable, several

if TYPE_CHECKING:
    from i2icli.detector.detector import Detector
    from i2icli.detector.run import Finding

EXAMPLES = (
    "A folder:  i2i detect-fake downloads\n\n"
    "For a script:  i2i detect-fake a.png --json; test $? -eq 3 && echo fake\n\n"
    "From a list:  find . -name '*.png' | i2i detect-fake - --csv > verdicts.csv\n\n"
    "With a detector of your own:  i2i detect-fake faces --model detector.safetensors"
)

MODES = ("traces", "profile")
FAKE_FOUND, ONLY_UNCERTAIN, FAILED = 3, 4, 1  # exit codes
_STYLES = {"fake": "red", "real": "green", "uncertain": "yellow", "failed": "bold red"}


def detect_fake(
    *,
    inputs: Annotated[
        list[str],
        typer.Argument(metavar="IMAGES", help="pictures, films, folders, globs; - reads a list from stdin"),
    ],
    model: Annotated[
        Path | None,
        typer.Option(
            metavar="<path>", help="a detector that i2i detector fit wrote; default: the shipped one"
        ),
    ] = None,
    mode: Annotated[
        str | None,
        typer.Option(
            metavar="<choice>",
            help="shipped detector: traces of up-sampling (traces, default), or the paper's profile of the "
            "spectrum (profile)",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object per file on stdout")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="print a table for spreadsheets on stdout")] = False,
    plot: Annotated[
        Path | None,
        typer.Option(
            metavar="<path>", help="folder for a picture of each spectrum, with what is measured marked"
        ),
    ] = None,
) -> int:
    """Say whether pictures were made by an up-convolution network, or are photographs.

    Each gets a verdict (fake, real, uncertain), the probability of a fake and the reason. The detector
    looks for the lattices that up-sampling leaves, not at what is shown; it abstains where it cannot know.

    Exit code: 0 all real; 3 at least one fake; 4 none fake, but some uncertain; 1 a file could not be read;
    2 wrong use.
    """
    if as_json and as_csv:
        raise UserError("--json and --csv: choose one")
    if model and mode:
        raise UserError("--model and --mode: choose one; --mode picks among the shipped detectors")
    chosen = mode or "traces"
    if chosen not in MODES:
        raise UserError(f"--mode {chosen}: expected one of {', '.join(MODES)}")
    if plot and plot.exists() and not plot.is_dir():
        raise UserError(f"--plot {plot}: a file; expected a folder for the pictures")
    from i2icli.detector.detector import Detector

    detector = Detector.load(model) if model else Detector.shipped(chosen)
    findings = _shown(*_judged(detector, inputs), as_json, as_csv)
    if plot:
        _plot(detector, findings, plot)
    return _exit_code(Counter(finding.verdict for finding in findings))


def _judged(detector: "Detector", inputs: Iterable[str]) -> tuple[Iterable["Finding"], int]:
    """Findings of all files, then of words that name none; how many. Raises UserError where all name none."""
    from i2icli.detector.run import Finding, judge_files
    from i2icli.detector.sources import find_sources

    files, refused = find_sources(_words(inputs))
    missing = [f"{file}: there is no such file or folder" for file in files if not os.path.lexists(file)]
    if len(missing) == len(files):
        raise UserError(several([*missing, *refused.values()]))
    nothing = [Finding(Path(word), "failed", None, why) for word, why in refused.items()]
    return chain(judge_files(detector, files), nothing), len(files) + len(nothing)


def _words(inputs: Iterable[str]) -> Iterable[str]:
    """The inputs, with the lines of standard input in the place of "-"."""
    for text in inputs:
        yield from (line.rstrip("\r\n") for line in sys.stdin if line.strip()) if text == "-" else [text]


def _shown(findings: Iterable["Finding"], total: int, as_json: bool, as_csv: bool) -> list["Finding"]:
    """Print findings as they come; on a terminal a bar shows how far it is."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    console, done = errors(), []
    table = csv.writer(sys.stdout)
    if as_csv:
        table.writerow(["file", "verdict", "probability", "reason"])
    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal or total < 2
    ) as bar:
        task = bar.add_task("judging", total=total)
        for finding in findings:
            done.append(finding)
            bar.advance(task)
            if as_json:
                sys.stdout.write(json.dumps(finding.as_row()) + "\n")
                sys.stdout.flush()
            elif as_csv:
                table.writerow([finding.file, finding.verdict, _number(finding, ""), finding.text])
            if finding.verdict == "failed" and (as_json or as_csv):
                say(console, f"failed: {finding.file}: {finding.reason}")
    if not as_json and not as_csv:
        _print_table(done)
    return done


def _print_table(findings: list["Finding"]) -> None:
    console = output()
    names = [readable(str(finding.file)) for finding in findings]
    width = max(map(len, names))
    for name, finding in zip(names, findings, strict=True):
        console.print(f"{finding.verdict:9}", style=_STYLES[finding.verdict], end="")
        say(console, f" {_number(finding, '-'):>6}  {name:<{width}}  {finding.text}")
    if len(findings) > 1:
        counts = Counter(finding.verdict for finding in findings)
        parts = [f"{number:,} {verdict}" for verdict, number in sorted(counts.items())]
        errors().print(f"{len(findings):,} files: {', '.join(parts)}", markup=False)


def _number(finding: "Finding", none: str) -> str:
    return none if finding.probability is None else f"{finding.probability:.3f}"


def _plot(detector: "Detector", findings: list["Finding"], folder: Path) -> None:
    from i2icli.detector.plots import plot_spectra

    for line in plot_spectra(detector, findings, folder):
        say(errors(), line)


def _exit_code(counts: Counter[str]) -> int:
    if counts["failed"]:
        return FAILED
    if counts["fake"]:
        return FAKE_FOUND
    return ONLY_UNCERTAIN if counts["uncertain"] else 0
