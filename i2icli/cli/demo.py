"""`i2i demo`: learn from procedural pictures, offline, and show what was learned."""

from pathlib import Path
from typing import Annotated

import typer

from i2icli.cli.console import errors

EXAMPLES = "Look at the data alone:  i2i demo --data-only toy"


def demo(
    out: Annotated[
        Path, typer.Option(metavar="<path>", help="folder for runs, pictures and report.html")
    ] = Path("demo"),
    seed: Annotated[int, typer.Option(metavar="<int>", min=0, help="every random draw follows from it")] = 0,
    data_only: Annotated[
        Path | None,
        typer.Option(
            metavar="<path>", help="write the data as folders here, to see the layout; train nothing"
        ),
    ] = None,
) -> None:
    """Train a small pix2pix and a small CycleGAN on made-up pictures and report what they learned.

    Offline, about two minutes on two cores.
    """
    from i2icli.cli.display import display
    from i2icli.demo import run, write_data  # torch loads only when there is work

    if data_only is not None:
        write_data(data_only, seed)
        print(f"the data as folders: {data_only}")
        return
    with display("demo", errors()) as watcher:
        lines = list(run(out, watcher, seed))
    for line in lines:
        print(line)
