"""What all commands have in common: how their help looks. Light, as every --help begins here."""

import inspect
from collections.abc import Callable
from typing import Any

from rich.markup import escape
from typer.core import TyperCommand, TyperGroup

from i2icli.cli.verbosity import options


class Command(TyperCommand):
    """A command whose help is laid out by `i2icli.cli.help`, and which can be quiet or verbose."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.params = [*self.params, *options()]

    def format_help(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 - Typer's signature
        """Print the help."""
        from i2icli.cli.help import print_help

        print_help(ctx)


class Group(TyperGroup):
    """A group of commands, with the same help."""

    def format_help(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 - Typer's signature
        """Print the help."""
        from i2icli.cli.help import print_help

        print_help(ctx)


def unwrapped(function: Callable[..., Any]) -> str:
    """A docstring with each paragraph on one line, for the terminal to wrap anew."""
    paragraphs = inspect.cleandoc(function.__doc__ or "").split("\n\n")
    return escape("\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs))
