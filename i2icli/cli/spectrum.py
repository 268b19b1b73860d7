"""`i2i spectrum IMAGES...`: compare the power spectra of folders of images."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from i2icli.cli.console import errors, output, plain, say
from i2icli.cli.options import CHANNELS_FIRST, PAGES, WITH_THREADS, reading_of
from i2icli.cli.writing import Overwrite, check_free, left_out
from i2icli.errors import UserError

if TYPE_CHECKING:
    from i2icli.report.spectra import Spectrum

SUFFIXES = (".html", ".png", ".svg")

EXAMPLES = (
    "Compare:  i2i spectrum photos samples --out spectra.png\n\n"
    "Numbers:  i2i spectrum photos samples --csv > spectra.csv"
)
_Out = Annotated[
    Path | None,
    typer.Option(metavar="<path>", help="file for the chart: .png, .svg or .html; default: spectrum.png"),
]
_Csv = Annotated[bool, typer.Option("--csv", help="print the curves as CSV; no chart without --out")]
_Json = Annotated[bool, typer.Option("--json", help="print the curves as JSON; no chart without --out")]


def spectrum(
    images: Annotated[
        list[str], typer.Argument(metavar="IMAGES", help="folders (one curve each), files, globs")
    ],
    out: _Out = None,
    relative: Annotated[
        bool,
        typer.Option("--relative", help="relative to the first value; implied if image sizes differ"),
    ] = False,
    as_csv: _Csv = False,
    as_json: _Json = False,
    pages: PAGES = None,
    channels_first: CHANNELS_FIRST = None,
    overwrite: Overwrite = False,
    threads: WITH_THREADS = None,  # noqa: ARG001 - its callback uses it
) -> int:
    """Plot azimuthally averaged power spectra of images, from low to high frequencies.

    A curve is the mean over a folder, its band one standard deviation. Frequency 1 is the highest possible,
    that of a pixel checkerboard. Generated images often have too little or too much power there.

    Exit code: 0; 1 if images were skipped, which is reported; 2 usage error.
    """
    if as_csv and as_json:
        raise UserError("--csv and --json cannot be printed together; choose one")
    reading = reading_of(pages, channels_first)
    out = out or (None if as_csv or as_json else Path("spectrum.png"))
    if out is not None:
        check_chart(out, overwrite=overwrite)
    from i2icli.report import spectra

    found, relative, skipped = spectra.measured(images, relative=relative, reading=reading)
    _print(found, relative, as_csv, as_json)
    if out is not None:
        spectra.write(out, found, relative=relative)
        say(errors(), f"written: {out}")
    left_out(skipped)
    return 1 if skipped else 0


def check_chart(out: Path, *, overwrite: bool) -> None:
    """Raises UserError for other suffixes and existing files."""
    if out.suffix.lower() not in SUFFIXES:
        raise UserError(f"--out {out}: expected a name that ends in {', '.join(SUFFIXES)}")
    check_free(out, overwrite=overwrite)


def _print(found: list["Spectrum"], relative: bool, as_csv: bool, as_json: bool) -> None:
    from i2icli.report import spectra

    if as_csv:
        print(spectra.csv_text(found), end="")
    elif as_json:
        print(json.dumps(spectra.json_rows(found, relative=relative), indent=2))
    else:
        _print_table(*spectra.summary(found, relative=relative))


def _print_table(columns: list[str], rows: list[list[str]]) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for number, column in enumerate(columns):
        table.add_column(plain(column), justify="right" if number else "left")
    for row in rows:
        table.add_row(*map(plain, row))
    output().print(table)
