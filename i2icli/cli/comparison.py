"""Several models beside each other, for `i2i info A B`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from i2icli.errors import print_number
from i2icli.fields import flag, show

if TYPE_CHECKING:
    from rich.table import Table

    from i2icli.cli.description import Description


def compared(found: "Sequence[Description]") -> "Table":
    """A column for each model: what it is, its scores, and settings of all that differ."""
    from rich.table import Table

    from i2icli.cli.console import plain

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("")
    for each in found:
        table.add_column(plain(each.file), overflow="fold")
    for name, cells in _rows(found).items():
        table.add_row(plain(name), *map(plain, cells))
    return table


def _rows(found: "Sequence[Description]") -> dict[str, list[str]]:
    """By what they say: a cell for each model."""
    rows = {
        "system": [each.system for each in found],
        "trained, steps": [f"{each.step:,}" if each.step is not None else "" for each in found],
        "parameters": [f"{sum(part.parameters for part in each.networks):,}" for each in found],
    }
    scores = dict.fromkeys(name for each in found for name in each.scores)
    for name in scores:
        rows[name] = [print_number(each.scores[name], 4) if name in each.scores else "" for each in found]
    for name in found[0].settings:
        if all(name in each.settings for each in found):
            values = ["" if each.settings[name] is None else show(each.settings[name]) for each in found]
            if len(set(values)) > 1:
                rows[flag(name)] = values
    return rows
