"""`i2i spectrum IMAGES...`: which frequencies pictures hold, folders side by side."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from i2icli.cli.console import errors, output, say
from i2icli.cli.writing import Overwrite, check_free, left_out
from i2icli.errors import UserError, readable, several

if TYPE_CHECKING:
    from i2icli.report.spectra import Spectrum

PICTURES = (".html", ".png", ".svg")

EXAMPLES = (
    "Compare:  i2i spectrum photos samples --out spectra.png\n\n"
    "Numbers:  i2i spectrum photos samples --csv > spectra.csv"
)


def spectrum(
    images: Annotated[
        list[str], typer.Argument(metavar="IMAGES", help="folders, one curve each; files; globs")
    ],
    out: Annotated[
        Path | None, typer.Option(help="the picture: .png, .svg or .html; default: spectrum.png")
    ] = None,
    over_first: Annotated[
        bool,
        typer.Option("--relative", help="each over its first value; always so where pictures differ in size"),
    ] = False,
    as_csv: Annotated[
        bool, typer.Option("--csv", help="print the curves as CSV; no picture without --out")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print the curves as JSON; likewise")] = False,
    overwrite: Overwrite = False,
) -> int:
    """Draw the spectra of pictures: how strong each frequency is, from coarse to fine.

    A curve is the mean over a folder, its band one standard deviation. The frequency 1 is the highest
    that pixels can hold, that of a chessboard. Pictures of networks often show too little or too much there.

    Exit code: 0; 1 if something was left out, which is told; 2 for wrong use.
    """
    if as_csv and as_json:
        raise UserError("--csv and --json cannot be printed together; choose one")
    out = out or (None if as_csv or as_json else Path("spectrum.png"))
    if out is not None:
        _check(out, overwrite)
    from i2icli.report import spectra as engine

    found, over_first, troubles = _measured(images, over_first)
    _print(found, over_first, as_csv, as_json)
    if out is not None:
        engine.write(out, found, over_first=over_first)
        say(errors(), f"written: {out}")
    left_out(troubles)
    return 1 if troubles else 0


def _measured(images: list[str], over_first: bool) -> tuple[list["Spectrum"], bool, list[str]]:
    """The curves, whether they are over their first value, what was left out. Raises UserError for none."""
    from i2icli.report import spectra as engine

    groups, missing = engine.gather(images)
    found, over_first, unusable = engine.measure(groups, over_first=over_first)
    troubles = missing + unusable
    if not found:
        raise UserError(several(troubles), exit_code=1 if groups else 2)
    return found, over_first, troubles


def _check(out: Path, overwrite: bool) -> None:
    """Raises UserError for a picture of another kind, or one that is there already."""
    if out.suffix.lower() not in PICTURES:
        raise UserError(f"--out {out}: expected a name that ends in {', '.join(PICTURES)}")
    check_free(out, overwrite=overwrite)


def _print(found: list["Spectrum"], over_first: bool, as_csv: bool, as_json: bool) -> None:
    from i2icli.report import spectra as engine

    if as_csv:
        print(engine.csv_text(found), end="")
    elif as_json:
        print(json.dumps(engine.json_rows(found, over_first=over_first), indent=2))
    else:
        _print_table(*engine.summary(found, over_first=over_first))


def _print_table(columns: list[str], rows: list[list[str]]) -> None:
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for number, column in enumerate(columns):
        table.add_column(escape(readable(column)), justify="right" if number else "left")
    for row in rows:
        table.add_row(*(escape(readable(cell)) for cell in row))
    output().print(table)
