"""`i2i info MODEL`: what a checkpoint or a run is; several beside each other."""

import dataclasses
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from i2icli.cli.console import output, say
from i2icli.errors import print_number, readable
from i2icli.written import counted

if TYPE_CHECKING:
    from rich.console import Console

    from i2icli.cli.description import Description
    from i2icli.task import Task

MOST = 8  # parts of a network that are listed
EXAMPLES = (
    "A run:  i2i info runs/horse2zebra\n\nThe original authors' file:  i2i info latest_net_G.pth\n\n"
    "Two beside each other:  i2i info runs/a runs/b"
)


def info(
    models: Annotated[
        list[str],
        typer.Argument(
            metavar="MODEL",
            help="runs, checkpoint files, pulled models by their names, systems (the newest run of each), or "
            "a detector; several: compared",
        ),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object instead of tables")] = False,
) -> None:
    """Show what a trained model is: its system, settings, networks and scores."""
    from i2icli.cli.comparison import compared
    from i2icli.cli.description import describe  # what --help need not load: numpy, pydantic
    from i2icli.cli.detector_info import detector_facts, detector_in
    from i2icli.runs import find_model

    paths = [find_model(model) for model in models]
    if len(paths) == 1 and (detector := detector_in(paths[0])):
        facts = detector_facts(paths[0], detector)
        _print_pairs(output(), facts) if not as_json else print(detector.model_dump_json(indent=2))
        return
    every = [describe(path) for path in paths]
    if as_json:
        objects = [dataclasses.asdict(each) for each in every]
        print(json.dumps(objects[0] if len(objects) == 1 else objects, indent=2, default=sorted))
        return
    console = output()
    if len(every) > 1:
        console.print(compared(every))
        return
    _print(console, every[0])


def _print(console: "Console", found: "Description") -> None:
    """All about one model."""
    from i2icli.cli.tasks import task_lines
    from i2icli.fields import flag, show

    _print_pairs(console, _facts(found))
    console.print("\nTasks", style="bold")
    for line in task_lines(found.tasks):
        say(console, f"  {line}")
    classes_shown = _print_classes(console, found.tasks)
    for note in found.notes:
        say(console, f"note: {note}")
    console.print("\nNetworks", style="bold")
    _print_networks(console, found)
    console.print("\nSettings that differ from the defaults", style="bold")
    changed = {name: value for name, value in found.changed.items() if name != "classes" or not classes_shown}
    _print_pairs(console, {flag(name): show(value) for name, value in changed.items()} or {"none": ""})


def _facts(found: "Description") -> dict[str, str]:
    """What the file is, as far as it tells."""
    ours, theirs = f"i2icli {found.written_by}", "original authors' checkpoint, or one of its kind"
    lines: dict[str, str | None] = {
        "file": found.file,
        "system": f"{found.system}: {found.paper}, {found.url}",
        "written by": ours if found.written_by else theirs,
        "recognised by": found.recognised_by,
        "trained": _trained(found.step, found.steps, found.stage),
        "validation": _scores(found.scores, found.scores_step),
        "best model": found.best,
        **found.graph,
    }
    return {name: text for name, text in lines.items() if text}


def _print_pairs(console: "Console", pairs: dict[str, str]) -> None:
    width = max(map(len, pairs))
    for name, text in pairs.items():
        say(console, f"  {name:<{width}}  {text}")


def _print_networks(console: "Console", found: "Description") -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, show_header=False, padding=(0, 1))
    table.add_column(min_width=8)
    table.add_column(justify="right")
    table.add_column(justify="right")
    table.add_column(overflow="fold")
    for each in found.networks:
        size = f"{each.bytes / 1e6:.1f} MB"
        inside = found.parts.get(each.name, [])
        parts = ", ".join(inside[:MOST]) + (", ..." if len(inside) > MOST else "")
        name, inside_of = Text(f" {readable(each.name)}"), Text(readable(parts))  # no markup in either
        table.add_row(name, f"{each.parameters:,} parameters", size, inside_of)
    console.print(table)


def _print_classes(console: "Console", tasks: "Sequence[Task]") -> bool:
    """Id, name and colour of every class of label maps, with the colour in which sheets show it.

    False if the tasks read none.
    """
    from rich.columns import Columns
    from rich.text import Text

    from i2icli.classes import UNLABELLED
    from i2icli.image.label_colours import colours_of

    ports = (port for task in tasks for port in task.inputs.values())
    labels = next((port.labels for port in ports if port.labels is not None), None)
    if labels is None:
        return False
    unlabelled = f"{', '.join(map(str, labels.ignored))} {UNLABELLED}"
    names = [*map(str, labels.classes), *([unlabelled] if labels.dont_care else [])]
    shown = [
        Text.assemble(("  ", "on rgb({},{},{})".format(*colour)), f" {readable(name)}")
        for name, colour in zip(names, colours_of(labels), strict=False)
    ]
    console.print("\nClasses", style="bold")
    console.print(Columns(shown, padding=(0, 2), column_first=True))
    return True


def _trained(step: int | None, steps: int | None, stage: str | None) -> str | None:
    if step is None:
        return None
    done = f"{step:,} of {counted(steps, 'step')}" if steps else counted(step, "step")
    return done + (f", stage {stage}" if stage and stage != "main" else "")


def _scores(scores: dict[str, float], step: int | None) -> str | None:
    if not scores or step is None:
        return None
    return ", ".join(f"{name} {print_number(value)}" for name, value in scores.items()) + f" (step {step:,})"
