"""docs/cli.md, from the help of every command: `python -m i2icli.cli.reference > docs/cli.md`."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import typer
from typer.main import get_command

from i2icli.cli.app import app
from i2icli.cli.help import Row, commands, panels, paragraphs, usage
from i2icli.cli.verbosity import MESSAGES

Panels = dict[str, list[Row]]

_HEAD = """# The command line

Written by `python -m i2icli.cli.reference > docs/cli.md` from the `--help` of every command; do not edit.

Every command has `-h, --help`, and those that do something `-q, --quiet` (results, warnings and errors alone)
and `-v, --verbose` (also what is decided and how long it takes). A default in words describes what holds
without the option; a flag that can be switched both ways is `on` or `off`.
"""
_COMMON = """### Options of every system

`i2i train SYSTEM` has these options for all systems, with these defaults for most of them. Where a system
differs, its own section says so.
"""
_DIFFERENT = "**Different from the [options of every system](#options-of-every-system)**"
_TRAIN = "i2i train"
_COLUMNS = ("Value", "Default", "What it does")
_FIRST_COLUMNS = {"Arguments": "Argument", "Commands": "Command"}
_IN_WORDS = re.compile(r"(.*)[;,] default: ([^;:]*)", re.DOTALL)  # a default that ends a help text


def contexts() -> Iterator[Any]:
    """The context of every command, each group before its commands."""
    yield from _with_commands(
        typer.Context(get_command(app), info_name="i2i", help_option_names=["-h", "--help"])
    )


def _with_commands(ctx: Any) -> Iterator[Any]:
    yield ctx
    for name, command in commands(ctx):
        yield from _with_commands(typer.Context(command, info_name=name, parent=ctx))


def reference() -> str:
    """The text of docs/cli.md."""
    every = list(contexts())
    common = _common([panels(ctx) for ctx in every if _trains(ctx)])
    lines = [_HEAD]
    for ctx in every:
        lines += _section(ctx, common)
        if ctx.command_path == _TRAIN:
            lines += [_COMMON, *_tables(common)]
    return "\n".join(lines).rstrip() + "\n"


def _trains(ctx: Any) -> bool:
    """Whether this is the command that trains some system."""
    return ctx.parent is not None and ctx.parent.command_path == _TRAIN


def _common(of_systems: list[Panels]) -> Panels:
    """The rows that the commands of all systems have, each as most of them have it."""
    variants: dict[tuple[str, str], Counter[Row]] = {}
    for found in of_systems:
        for title, rows in found.items():
            for row in rows:
                variants.setdefault((title, row.names), Counter())[row] += 1
    common: Panels = {}
    for (title, _), counted in variants.items():
        if counted.total() == len(of_systems):
            common.setdefault(title, []).append(counted.most_common(1)[0][0])
    return common


def _section(ctx: Any, common: Panels) -> list[str]:
    """What a command is for, its usage, its options (but for common ones, if it trains) and examples."""
    level = max(2, 1 + ctx.command_path.count(" "))
    lines = [f"{'#' * level} `{ctx.command_path}`", ""]
    for paragraph in paragraphs(ctx.command.help):
        lines += [_prose(paragraph.plain), ""]
    lines += ["```text", usage(ctx), "```", ""]
    found = panels(ctx)
    if _trains(ctx):
        found = _beside(found, common)
    lines += _tables(found, f"{ctx.command_path} ")
    examples = [f"- {_example(paragraph.plain)}" for paragraph in paragraphs(ctx.command.epilog)]
    return [*lines, *examples, ""] if examples else lines


def _beside(found: Panels, common: Panels) -> Panels:
    """What a system has beside the common rows, first those that it has differently."""
    shared = {row.names: row for rows in common.values() for row in rows}
    different = [row for rows in found.values() for row in rows if shared.get(row.names, row) != row]
    own = {title: [row for row in rows if row.names not in shared] for title, rows in found.items()}
    return {_DIFFERENT: different} | own


def _tables(found: Panels, path: str = "") -> list[str]:
    """A table for each panel; without what every command has."""
    lines = []
    for title, rows in found.items():
        listed = [row for row in rows if "--help" not in row.names]
        if listed and title != MESSAGES:
            lines += [title if title == _DIFFERENT else f"**{title}**", ""]
            links = path if title == "Commands" else None
            lines += [*_table(_FIRST_COLUMNS.get(title, "Option"), listed, links), ""]
    return lines


def _table(first: str, rows: Iterable[Row], links: str | None) -> list[str]:
    """A table without columns in which there is nothing; names are links to sections, if these begin so."""
    cells = [(_name(row, links), *_cells(row)) for row in rows]
    kept = [number for number in range(1 + len(_COLUMNS)) if any(row[number] for row in cells)]
    lines = [(first, *_COLUMNS), ("---",) * 4, *cells]
    return [f"| {' | '.join(line[number] for number in kept)} |" for line in lines]


def _name(row: Row, links: str | None) -> str:
    names = re.sub(r"[^\s,/]+", r"`\g<0>`", row.names)
    return names if links is None else f"[{names}](#{(links + row.names).replace(' ', '-')})"


def _cells(row: Row) -> tuple[str, str, str]:
    """The value, the default and what an option does."""
    value = f"`{row.value}`" if row.value else ""
    if row.required:
        return value, "required", _prose(row.text)
    if row.default:
        literal = row.default if row.default in ("on", "off") else f"`{row.default}`"
        return value, literal, _prose(row.text)
    in_words = _IN_WORDS.fullmatch(row.text)
    text, default = in_words.groups() if in_words else (row.text, "")
    return value, _prose(default), _prose(text)


def _prose(text: str) -> str:
    """A help text as Markdown: options as code, nothing else read as markup."""
    escaped = re.sub(r"[|<*\\]", r"\\\g<0>", text)
    return re.sub(r"(?<![\w-])--[a-z][\w-]*", r"`\g<0>`", escaped)


def _example(text: str) -> str:
    """ "Resume:  the same command again", with a command as code."""
    about, _, what = text.partition(":  ")
    return f"{about}: `{what}`" if "i2i " in what else f"{about}: {_prose(what)}"


if __name__ == "__main__":
    print(reference(), end="")
