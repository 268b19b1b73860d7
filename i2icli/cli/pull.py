"""`i2i pull MODEL`: download a model, so that `--model` finds it by its name."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from i2icli.cli.console import errors, output, say
from i2icli.errors import readable

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

    from i2icli.downloads.download import Progress
    from i2icli.hub.pull import Result

EXAMPLES = (
    "Published:  i2i pull progan-zoo-celeba-hq-256\n\n"
    "From the hub:  i2i pull hf://owner/horse2zebra\n\n"
    "From anywhere:  i2i pull https://host/latest_net_G.pth --name zebras\n\n"
    "Use it:  i2i translate photos --model zebras"
)
AllowHttp = Annotated[
    bool, typer.Option("--allow-http", help="also take http, where anyone on the way can change what comes")
]


def pull(
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL",
            help="a name of i2i models, https://..., hf://owner/name, or hf://owner/name/file",
        ),
    ],
    name: Annotated[
        str | None,
        typer.Option(metavar="<name>", help="what --model shall call it; default: by its file or repository"),
    ] = None,
    sha256: Annotated[
        str,
        typer.Option(metavar="<digits>", help="refuse a file whose SHA-256 does not begin with these digits"),
    ] = "",
    allow_http: AllowHttp = False,
    again: Annotated[bool, typer.Option("--again", help="download it even if it is here")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object about the model")] = False,
) -> None:
    """Download a model, so that --model finds it by its name.

    A download that broke off goes on where it stopped. The SHA-256 is checked where one is known, else
    recorded. The file is then looked at, without executing anything in it: what is no model is kept aside.
    Models lie below I2I_HOME, by default ~/.local/share/i2icli. A private repository of the hub is read with
    the token in HF_TOKEN.
    """
    from i2icli.hub.pull import pull as get

    with _progress(errors()) as progress:
        result = get(model, progress, name=name, sha256=sha256, allow_http=allow_http, again=again)
    found = result.pulled
    if as_json:
        print(json.dumps(found.model_dump() | {"path": str(found.path)}, indent=2))
        return
    for line in _summary(result):
        say(output(), line)


def _summary(result: "Result") -> list[str]:
    """What came, how it was checked, and how to use it."""
    found = result.pulled
    checked = f"as {found.checked} has it" if found.checked else "recorded; nobody has said what it should be"
    use = f"--model {found.name}"
    if not found.translates:
        use = f"i2i train {found.system} DATA --init-from {found.name} (only a part of {found.system})"
    licence = [f"licence: {found.licence}, of the code it came with"] if found.licence else []
    return [
        f"{found.name} {'is here already' if result.was_here else 'is here'}: {found.system}, {found.path}",
        f"SHA-256: {found.sha256} ({checked})",
        *licence,
        f"use it: {use}",
    ]


@contextmanager
def _progress(console: "Console") -> Iterator["Progress"]:
    """A bar on a terminal, lines elsewhere."""
    from i2icli.downloads.download import Lines

    if not console.is_terminal:
        yield Lines(lambda text: say(console, text))
        return
    from rich import progress

    columns = (
        progress.TextColumn("{task.description}", markup=False),
        progress.BarColumn(),
        progress.DownloadColumn(),
        progress.TransferSpeedColumn(),
        progress.TimeRemainingColumn(),
    )
    with progress.Progress(*columns, console=console, transient=True) as bar:
        yield _Bar(bar, console)


class _Bar:
    """Progress as a bar."""

    def __init__(self, bar: "RichProgress", console: "Console") -> None:
        self.bar, self.console = bar, console
        self.tasks: dict[str, TaskID] = {}

    def note(self, text: str) -> None:
        """One line above the bar."""
        say(self.console, text)

    def moved(self, name: str, done: int, total: int | None) -> None:
        """Move the bar of a file."""
        if name not in self.tasks:
            self.tasks[name] = self.bar.add_task(readable(name), total=total)
        self.bar.update(self.tasks[name], completed=done, total=total)
