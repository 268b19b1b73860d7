"""`i2i systems`: what can be trained."""

import json
from typing import Annotated

import typer

from i2icli.cli.console import output

EXAMPLES = "Train one:  i2i train pix2pix DATA"


def systems(
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON list instead of a table")] = False,
) -> None:
    """Show what can be trained."""
    from rich.table import Table

    if as_json:
        print(json.dumps(_rows(), indent=2))
        return
    console = output()
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("system", "what it learns", "paper"):
        table.add_column(column)
    for row in _rows():
        table.add_row(row["system"], row["summary"], row["paper"])
    console.print(table)
    console.print("\nTrain one: i2i train SYSTEM DATA; its options: i2i train SYSTEM --help")


def _rows() -> list[dict[str, str]]:
    from i2icli import registry

    return [
        {"system": name, "status": "ready", "summary": entry.summary, "paper": entry.paper, "url": entry.url}
        for name, entry in registry.SYSTEMS.items()
    ]
