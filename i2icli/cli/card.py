"""`i2i card RUN`: the model card of a run."""

from pathlib import Path
from typing import Annotated

import typer

from i2icli.cli.console import errors, output, say
from i2icli.cli.writing import Overwrite, check_free

EXAMPLES = (
    "Write it:  i2i card runs/horse2zebra --licence cc-by-4.0\n\nRead it:  i2i card runs/horse2zebra --out -"
)

Run = Annotated[
    str, typer.Argument(metavar="RUN", help="a run, one of its model files, or a system (its newest run)")
]
Licence = Annotated[
    str | None,
    typer.Option(
        "--licence",
        "--license",
        metavar="<licence>",
        help="under which others may use it, as model hubs write it: mit, cc-by-4.0, other, ...",
    ),
]
KeepNames = Annotated[
    bool,
    typer.Option(
        "--keep-names",
        help="publish it although a domain or class is called as you or this machine is",
    ),
]


def card(
    run: Run,
    out: Annotated[
        str | None,
        typer.Option(metavar="<path>", help="file for it, - prints it; default: README.md in the run"),
    ] = None,
    licence: Licence = None,
    keep_names: KeepNames = False,
    overwrite: Overwrite = False,
) -> None:
    """Write the model card of a run: system, data, scores, settings, licence, how to use it.

    Data are described by counts and sizes. No path, file name, user name or machine name enters the card;
    nothing is uploaded.
    """
    from i2icli.files import atomic_write
    from i2icli.hub.card import card as text_of
    from i2icli.hub.card import check_licence
    from i2icli.hub.published import read_run

    licence = check_licence(licence)
    model = read_run(run, keep_names=keep_names)
    if model.which:
        say(errors(), f"note: {model.which}")
    text = text_of(model, licence=licence)
    if out == "-":
        print(text, end="")
    else:
        path = Path(out) if out is not None else model.path.parent / "README.md"
        check_free(path, overwrite=overwrite)
        with atomic_write(path) as beside:
            beside.write_text(text, encoding="utf-8")
        say(output(), f"written: {path}")
    if licence is None:
        say(errors(), "no licence is named; others need one to use it: --licence mit, cc-by-4.0, ...")
