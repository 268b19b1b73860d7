"""The help of a command: its options in panels, printed for `--help` or read for docs/cli.md.

Typer's own layout has columns for names and values, and cuts long names where the terminal is narrow. Here a
long name has a line of its own, and its text begins on the next.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.panel import Panel
from rich.text import Text
from typer.core import TyperArgument, TyperGroup

_OPTION = r"(?<![\w-])--?[a-z][\w-]*"
_GAP = 2  # columns between a name and its text


@dataclass(frozen=True)
class Row:
    """One option, argument or command, as its help shows it."""

    names: str  # "--flip / --no-flip"
    text: str  # what it does
    value: str = ""  # "<int>"; empty for flags
    default: str = ""  # as the user would type it, or "on" or "off"
    required: bool = False

    def heading(self) -> Text:
        """The names and the kind of value."""
        value = Text.assemble(" ", (self.value, "yellow")) if self.value else Text()
        return Text.assemble((self.names, "bold cyan"), value)

    def body(self) -> Text:
        """What it does, and its default."""
        note = "[required]" if self.required else f"[default: {self.default}]" if self.default else ""
        style = "red" if self.required else "dim"
        return Text.assemble(_highlighted(self.text), (f" {note}", style) if note else "")


def panels(ctx: Any) -> dict[str, list[Row]]:
    """The arguments, options and commands of a command, by the title of their panel, in order."""
    found: dict[str, list[Row]] = {}
    for parameter in ctx.command.get_params(ctx):
        if not parameter.hidden:
            is_argument = isinstance(parameter, TyperArgument)
            title = parameter.rich_help_panel or ("Arguments" if is_argument else "Options")
            found.setdefault(title, []).append(_argument(parameter) if is_argument else _option(parameter))
    if subcommands := dict(commands(ctx)):
        found["Commands"] = [
            Row(name, paragraphs(command.help)[0].plain) for name, command in subcommands.items()
        ]
    return found


def commands(ctx: Any) -> Iterator[tuple[str, Any]]:
    """The commands of a group by name, in order, without hidden aliases; none for a command."""
    if isinstance(ctx.command, TyperGroup):
        for name in ctx.command.list_commands(ctx):
            command = ctx.command.get_command(ctx, name)
            if command is not None and not command.hidden:
                yield name, command


def usage(ctx: Any) -> str:
    """How to call a command: "i2i train cyclegan [OPTIONS] DATA..."."""
    pieces = ctx.command.collect_usage_pieces(ctx)
    return " ".join([ctx.command_path, *(piece.replace("{", "").replace("}", "") for piece in pieces)])


def paragraphs(markup: str | None) -> list[Text]:
    """The paragraphs of a description or of examples, without their markup."""
    return [Text.from_markup(paragraph) for paragraph in markup.split("\n\n")] if markup else []


def examples(ctx: Any) -> Iterator[str]:
    """The commands that the examples below the help of a command show."""
    for paragraph in paragraphs(ctx.command.epilog):
        found = paragraph.plain.partition(":  ")[2]
        if found.startswith("i2i "):
            yield found


def print_help(ctx: Any) -> None:
    """Print the help of a command as wide as the terminal is."""
    console = Console(highlight=False)
    console.print(Padding(Text.assemble(("Usage: ", "yellow"), usage(ctx), style="bold"), 1))
    _print_paragraphs(console, ctx.command.help)
    found = panels(ctx)
    inner = max(8, console.width - 4)  # columns inside a panel
    indent = _indent(found, inner)
    for title, rows in found.items():
        entries = Text("\n").join(_entry(console, row, indent, inner) for row in rows)
        console.print(Panel(entries, title=title, title_align="left", border_style="dim"))
    console.print()
    _print_paragraphs(console, ctx.command.epilog)


def _print_paragraphs(console: Console, markup: str | None) -> None:
    for paragraph in paragraphs(markup):
        console.print(Padding(_highlighted(paragraph.plain), (0, 1, 1, 1)))


def _indent(found: Mapping[str, Iterable[Row]], width: int) -> int:
    """Columns before the texts: room for most names beside them, at most three eighths of the width."""
    lengths = [row.heading().cell_len + _GAP for rows in found.values() for row in rows]
    limit = width * 3 // 8
    return max((length for length in lengths if length <= limit), default=limit)


def _entry(console: Console, row: Row, indent: int, width: int) -> Text:
    """A name beside its text where it fits, otherwise above."""
    heading = row.heading()
    fits = heading.cell_len + _GAP <= indent
    gap = " " * (indent - heading.cell_len) if fits else "\n" + " " * indent
    lines = row.body().wrap(console, width - indent)
    return Text.assemble(heading, gap, Text("\n" + " " * indent).join(lines))


def _highlighted(text: str) -> Text:
    """A text in which options stand out."""
    highlighted = Text(text)
    highlighted.highlight_regex(_OPTION, "cyan")
    return highlighted


def _argument(parameter: Any) -> Row:
    names = parameter.metavar + ("..." if parameter.nargs == -1 else "")
    return Row(names, _plain(parameter.help), required=parameter.required)


def _option(parameter: Any) -> Row:
    both_ways = [_joined(names) for names in (parameter.opts, parameter.secondary_opts) if names]
    value = "" if parameter.is_flag else parameter.metavar
    default = _default(parameter)
    return Row(" / ".join(both_ways), _plain(parameter.help), value, default, parameter.required)


def _joined(names: list[str]) -> str:
    """Names of one option, the short one first: "-h, --help"."""
    return ", ".join(sorted(names, key=lambda name: name.startswith("--")))


def _default(parameter: Any) -> str:
    """The default as the user would type it; empty where there is none to show."""
    default = parameter.default
    if parameter.is_flag:
        shown = parameter.secondary_opts and parameter.show_default
        return ("on" if default else "off") if shown else ""
    return "" if default is None or isinstance(default, list | tuple) else str(default)


def _plain(markup: str | None) -> str:
    return Text.from_markup(markup or "").plain
