"""`i2i systems`: what can be trained, and what is planned."""

import json
from typing import Annotated, NamedTuple

import typer

from i2icli.cli.console import output

EXAMPLES = "Train one:  i2i train pix2pix DATA"


class Planned(NamedTuple):
    """A system that has no code yet."""

    name: str
    summary: str
    paper: str
    url: str


PLANNED = (
    Planned("vid2vid", "video to video", "Wang et al., NeurIPS 2018", "https://arxiv.org/abs/1808.06601"),
)


def systems(
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON list instead of a table")] = False,
) -> None:
    """Show what can be trained, and what is planned."""
    from rich.table import Table

    if as_json:
        print(json.dumps(_rows(), indent=2))
        return
    console = output()
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("system", "what it learns", "paper"):
        table.add_column(column)
    for row in _rows():
        if row["status"] == "ready":
            table.add_row(row["system"], row["summary"], row["paper"])
    console.print(table)
    console.print("\nNot implemented yet:", style="bold")
    planned = Table(box=None, pad_edge=False, show_header=False, style="dim")
    for row in _rows():
        if row["status"] != "ready":
            planned.add_row(row["system"], row["summary"], row["paper"])
    console.print(planned)
    console.print("\nTrain one: i2i train SYSTEM DATA; its options: i2i train SYSTEM --help")


def _rows() -> list[dict[str, str]]:
    from i2icli import registry

    ready = [
        {"system": name, "status": "ready", "summary": entry.summary, "paper": entry.paper, "url": entry.url}
        for name, entry in registry.SYSTEMS.items()
    ]
    planned = [
        {"system": each.name, "status": "not implemented yet", "summary": each.summary, "paper": each.paper}
        | {"url": each.url}
        for each in PLANNED
        if each.name not in registry.SYSTEMS
    ]
    return ready + planned
