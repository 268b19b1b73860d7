"""Files that commands write: what exists is kept unless asked otherwise."""

import os
from pathlib import Path
from typing import Annotated

import typer

from i2icli.cli.console import complain
from i2icli.errors import UserError

Overwrite = Annotated[
    bool, typer.Option("--overwrite", help="replace files of the same names that are there already")
]
MOST_LINES = 5  # about images that were left out


def check_free(*paths: Path, overwrite: bool) -> None:
    """Raises UserError if one of the files to be written is there and may not be replaced."""
    for path in paths:
        if os.path.lexists(path) and not overwrite:  # a link to nothing is something as well
            raise UserError(f"{path} exists already; choose another name, or add --overwrite")


def left_out(troubles: list[str]) -> None:
    """Report the first images that could not be used, and how many more."""
    for line in troubles[:MOST_LINES]:
        complain(f"left out: {line}")
    if len(troubles) > MOST_LINES:
        complain(f"left out: {len(troubles) - MOST_LINES:,} more")
