"""`i2i train SYSTEM DATA`: one subcommand per system."""

from pathlib import Path
from typing import Any

import typer

from i2icli.cli.commands import Group
from i2icli.errors import UserError, quoted


class Systems(Group):
    """The systems as subcommands, each built when it is asked for."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - Typer's signature
        """The names of all systems."""
        from i2icli import registry

        return list(registry.SYSTEMS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command that trains one system. Raises UserError for one that cannot be trained."""
        from i2icli.registry import system_named

        if system := system_named(cmd_name):
            from i2icli.cli.train_system import system_command

            return system_command(system)
        if ctx.resilient_parsing or cmd_name.startswith("-"):
            return None
        raise UserError(_unknown(cmd_name))


app = typer.Typer(
    cls=Systems,
    no_args_is_help=True,
    epilog=(
        "Train one:  i2i train cyclegan horse2zebra --out runs/horse2zebra\n\n"
        "Each has its own options:  i2i train cyclegan --help\n\n"
        "Which one suits your data:  i2i systems, docs/choosing.md\n\n"
        "Without data of your own:  i2i demo"
    ),
)


@app.callback()
def train() -> None:
    """Train a system on folders of images; run it again to resume."""


def _unknown(name: str) -> str:
    from i2icli.registry import unknown_system

    if Path(name).exists():
        return f"{name} is a file or folder; name the system first: i2i train cyclegan {quoted(name)}"
    return unknown_system(name)
