"""What all commands have in common: how their help looks. Light, as every --help begins here."""

import inspect
from collections.abc import Callable
from typing import Any

from rich.markup import escape
from typer.core import TyperArgument, TyperCommand, TyperGroup


class Command(TyperCommand):
    """A command whose help shows no `<bool>` beside its flags and no `<list[str]>` beside its arguments."""

    def get_params(self, ctx: Any) -> list[Any]:
        """The options and arguments, as the help shows them."""
        return _plainly_typed(super().get_params(ctx))


class Group(TyperGroup):
    """A group of commands, with the same help."""

    def get_params(self, ctx: Any) -> list[Any]:
        """The options and arguments, as the help shows them."""
        return _plainly_typed(super().get_params(ctx))


def unwrapped(function: Callable[..., Any]) -> str:
    """A docstring with each paragraph on one line, for the terminal to wrap anew."""
    paragraphs = inspect.cleandoc(function.__doc__ or "").split("\n\n")
    return escape("\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs))


def _plainly_typed(parameters: list[Any]) -> list[Any]:
    """The same parameters; only options with a value show what it is, and defaults do not take a line."""
    for parameter in parameters:
        if isinstance(parameter, TyperArgument):
            setattr(parameter, "display_type_rich", lambda ctx: None)  # noqa: ARG005, B010 - mypy refuses to assign
        elif parameter.is_flag:
            parameter.metavar = ""
        if parameter.show_default and (default := _shown_default(parameter)):
            parameter.show_default = False
            parameter.help = f"{parameter.help} [dim]{escape(f'[default: {default}]')}[/]"
    return parameters


def _shown_default(parameter: Any) -> str | None:
    """The default as the user would type it; None where there is none to show."""
    default = parameter.default
    if not isinstance(default, bool):
        return None if default is None or isinstance(default, list | tuple) else str(default)
    return str(parameter.opts[0]).lstrip("-") if default else None
