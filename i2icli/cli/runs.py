"""`i2i runs`: the trainings there are, newest first."""

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from i2icli.cli.console import output, plain, say
from i2icli.errors import UserError, print_number, readable
from i2icli.home import runs_home

if TYPE_CHECKING:
    from i2icli.cli.description import Description

EXAMPLES = (
    "All:  i2i runs\n\nElsewhere:  i2i runs experiments\n\nTwo beside each other:  i2i info runs/a runs/b"
)
DEPTH = 3  # levels of folders below the one that is named
SHOWN = 2  # scores in the table; i2i info shows all
_UNITS = (("day", 86_400), ("h", 3_600), ("min", 60))


def runs(
    folder: Annotated[
        Path | None, typer.Argument(metavar="[FOLDER]", help="folder of the run folders; default: runs")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON list instead of a table")] = False,
) -> None:
    """Show the trainings below a folder: system, steps, scores on the validation images, age."""
    from rich.table import Table

    from i2icli.cli.description import describe  # what --help need not load: numpy, pydantic
    from i2icli.runs import run_models

    if folder is not None and not folder.is_dir():
        raise UserError(f"{folder}: there is no such folder; expected one that holds run folders")
    folder = folder or runs_home()  # where there may be none yet
    found: list[dict[str, Any]] = []
    broken: list[str] = []
    for model in run_models(folder, depth=DEPTH):
        try:
            found.append(_row(model, describe(model), folder))
        except UserError as error:
            broken.append(str(error))
    if as_json:
        print(json.dumps(found, indent=2))
        return
    console = output()
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("run", "system", "steps", "scores", "saved"):
        table.add_column(column, justify="right" if column == "steps" else "left", overflow="fold")
    for row in found:
        run, system = (plain(str(row[name])) for name in ("run", "system"))
        table.add_row(run, system, _steps(row), plain(_scores(row)), _age(row))
    if found:
        console.print(table)
    else:
        say(console, f"no runs below {folder}; start one with: i2i train SYSTEM DATA, or i2i demo")
    for line in broken:
        say(console, f"cannot be read: {line}")


def _row(model: Path, found: "Description", folder: Path) -> dict[str, Any]:
    return {
        "run": readable(model.parent.relative_to(folder).as_posix()),
        "system": found.system,
        "step": found.step,
        "steps": found.steps,
        "scores": found.scores,
        "saved": model.stat().st_mtime,
    }


def _steps(row: dict[str, Any]) -> str:
    if row["step"] is None:  # a file of another program
        return ""
    return f"{row['step']:,}" + (f" of {row['steps']:,}" if row["steps"] else "")


def _scores(row: dict[str, Any]) -> str:
    scores = list(row["scores"].items())
    more = " ..." if len(scores) > SHOWN else ""
    return ", ".join(f"{readable(name)} {print_number(value)}" for name, value in scores[:SHOWN]) + more


def _age(row: dict[str, Any]) -> str:
    seconds = max(0.0, time.time() - row["saved"])
    for unit, length in _UNITS:
        if seconds >= length:
            count = int(seconds // length)
            return f"{count} {unit}{'s' if unit == 'day' and count > 1 else ''} ago"
    return "just now"
