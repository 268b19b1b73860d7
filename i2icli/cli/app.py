"""The app behind `i2i`: its commands, one file each."""

from typing import Annotated, Any

import typer
from rich.markup import escape

from i2icli import __version__
from i2icli.cli import (
    benchmark,
    card,
    demo,
    detect_fake,
    detector,
    env,
    export,
    info,
    labels,
    models,
    pull,
    push,
    runs,
    spectrum,
    systems,
    train,
)
from i2icli.cli.commands import Command, Group, unwrapped
from i2icli.cli.elsewhere import COMMANDS
from i2icli.errors import UserError


class Main(Group):
    """The commands in the order people need them."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - Typer's signature
        """The names of the commands."""
        using = ["translate", "video", "edit", "spectrum", "detect-fake", "detector"]
        sharing = ["models", "pull", "push", "card"]
        return [
            "train",
            "grow",
            *using,
            "export",
            "benchmark",
            "labels",
            "runs",
            "info",
            "systems",
            "env",
            *sharing,
            "demo",
        ]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """A command by its name; those whose options are settings are built when they are asked for."""
        if cmd_name == "grow":
            from i2icli.cli.grow import grow_command

            return grow_command()
        if cmd_name == "translate":
            from i2icli.cli.translate import translate_command

            return translate_command()
        if cmd_name == "video":
            from i2icli.cli.video import video_command

            return video_command()
        if cmd_name == "edit":
            from i2icli.cli.edit import edit_command

            return edit_command()
        found = super().get_command(ctx, cmd_name)
        if found is None and cmd_name in COMMANDS:
            raise UserError(f"no such command '{cmd_name}'; here: {COMMANDS[cmd_name]}")
        return found


app = typer.Typer(
    cls=Main,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=(
        "Start here:  i2i demo\n\n"
        "Train:  i2i train cyclegan horse2zebra --out runs/horse2zebra\n\n"
        "Use:  i2i translate photos --model runs/horse2zebra --to zebra --out zebras"
    ),
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"i2icli {__version__}")
        raise typer.Exit


@app.callback()
def i2i(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Train and run the classic GAN image-to-image systems."""


app.add_typer(train.app, name="train")
app.add_typer(detector.app, name="detector")
app.add_typer(labels.app, name="labels")
for command, epilog in (
    (spectrum.spectrum, spectrum.EXAMPLES),
    (detect_fake.detect_fake, detect_fake.EXAMPLES),
    (export.export, export.EXAMPLES),
    (benchmark.benchmark, benchmark.EXAMPLES),
    (runs.runs, runs.EXAMPLES),
    (info.info, info.EXAMPLES),
    (systems.systems, systems.EXAMPLES),
    (env.env, env.EXAMPLES),
    (models.models, models.EXAMPLES),
    (pull.pull, pull.EXAMPLES),
    (push.push, push.EXAMPLES),
    (card.card, card.EXAMPLES),
    (demo.demo, demo.EXAMPLES),
):
    app.command(cls=Command, help=unwrapped(command), epilog=escape(epilog))(command)
