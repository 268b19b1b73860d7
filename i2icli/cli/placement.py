"""Options that were typed before the command they belong to: where they go."""

from collections.abc import Iterator, Sequence
from typing import Any

from typer.core import TyperGroup

from i2icli.errors import UserError


def where_it_goes(option: str, context: Any, arguments: Sequence[str]) -> str | None:
    """Where an option goes that a group of commands does not have, but a command after it has.

    option: with its dashes; context: that of the group; arguments: all that was typed. If they hold no
    command, the first one that has such an option is an example. None where no command has it.
    """
    if not isinstance(context.command, TyperGroup):
        return None
    typed = _typed(context.command, context, arguments)
    place = "the command: " if typed else "a command, as in: "
    for names, command in [typed] if typed else _all(context.command, context):
        if any(option in (*each.opts, *each.secondary_opts) for each in command.params):
            return place + " ".join([context.command_path, *names, option])
    return None


def _typed(group: TyperGroup, context: Any, words: Sequence[str]) -> tuple[list[str], Any] | None:
    """The command that some words name, with the names that lead to it; None if they name none."""
    for number, word in enumerate(words):
        found = None if word.startswith("-") else _command(group, context, word)
        if isinstance(found, TyperGroup):
            inner = _typed(found, context, words[number + 1 :])
            return inner and ([word, *inner[0]], inner[1])
        if found is not None:
            return [word], found
    return None


def _all(group: TyperGroup, context: Any) -> Iterator[tuple[list[str], Any]]:
    """All commands of a group and of the groups in it, with the names that lead to them."""
    for name in group.list_commands(context):
        found = group.get_command(context, name)
        if isinstance(found, TyperGroup):
            yield from (([name, *names], command) for names, command in _all(found, context))
        else:
            yield [name], found


def _command(group: TyperGroup, context: Any, word: str) -> Any:
    try:
        return group.get_command(context, word)
    except UserError:  # a name that is answered, but is none
        return None
