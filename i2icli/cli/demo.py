"""`i2i demo [SYSTEM]`: train on generated toy data, offline, and report the results."""

from pathlib import Path
from typing import Annotated

import typer

from i2icli.cli.console import errors, output, say
from i2icli.cli.options import WITH_THREADS, seed_within_bounds
from i2icli.demo import DEFAULT, DEMOS

EXAMPLES = (
    "One system:  i2i demo stargan\n\n"
    "Look at the data alone:  i2i demo --data-only toy\n\n"
    f"Systems:  {', '.join(DEMOS)}"
)


def demo(
    system: Annotated[
        str | None,
        typer.Argument(metavar="SYSTEM", help="one of those below; default: pix2pix and cyclegan"),
    ] = None,
    out: Annotated[
        Path, typer.Option(metavar="<path>", help="folder for runs, images and report.html")
    ] = Path("demo"),
    seed: Annotated[
        int,
        typer.Option(metavar="<int>", callback=seed_within_bounds, help="every random draw follows from it"),
    ] = 0,
    data_only: Annotated[
        Path | None,
        typer.Option(
            metavar="<path>", help="write the data as folders here, to see the layout; train nothing"
        ),
    ] = None,
    threads: WITH_THREADS = None,  # noqa: ARG001 - its callback uses it
) -> None:
    """Train a small network on generated toy data and report how well it does.

    Offline, some minutes for each system on two cores (StarGAN: ten). The ground truth is known, so
    what comes out is measured.
    """
    from i2icli.cli.display import display
    from i2icli.demo.run import run, write_data  # torch loads only when there is work

    chosen = DEFAULT if system is None else (system,)
    if data_only is not None:
        write_data(chosen, data_only, seed)
        say(output(), f"the data as folders: {data_only}")
        return
    with display("demo", errors()) as callbacks:
        lines = list(run(chosen, out, callbacks, seed))
    for line in lines:
        say(output(), line)
