"""`i2i edit LABELS --model M --replace tree=building --out DIR`."""

import inspect
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from typer.main import get_command

from i2icli.cli.commands import Command, unwrapped
from i2icli.cli.console import errors, say
from i2icli.cli.loading import load_translator
from i2icli.cli.options import WHICH_MODEL, parameters, typed, use_threads, validated, with_parameters
from i2icli.errors import UserError
from i2icli.fields import flag
from i2icli.inference.options import ModelOptions, TranslateOptions

if TYPE_CHECKING:
    from i2icli.labels.edits import Written

EXAMPLES = (
    "Another class:  i2i edit labels/1.png --model spade --replace tree=building\n\n"
    "Without an object:  i2i edit labels/1.png --model pix2pixhd --remove instance:26003\n\n"
    "Several edits, in this order:  i2i edit labels/1.png --model spade --remove car "
    "--paste 'car from labels/2.png at 120,80' --fill 'road in 0,200,256,256'\n\n"
    "The same edits of many maps:  i2i edit labels --model spade --script edits.toml"
)
EDITS, RESULTS, MACHINE = "Edits, in the order given", "Results", "Machine"
_SAID: dict[str, tuple[str, str]] = {
    "replace": ("<old=new>", "give a class or object another class: tree=building, instance:26003=bus"),
    "remove": ("<what>", "remove a class or object; what surrounds it fills its place"),
    "paste": (
        "<text>",
        "copy a class or object of another map: 'car from other.png at 120,80' (top left corner)",
    ),
    "fill": ("<text>", "give a rectangle a class: 'building in 10,20,80,90' (left,top,right,bottom)"),
    "move": ("<text>", "move a class or object right and down: 'instance:26003 by 20,0'"),
    "script": ("<path>", 'edits of a TOML file: tables [[edit]] such as replace = "tree=building"'),
}
_BEFORE_LAST = {"--paste": "at", "--fill": "in", "--move": "by"}  # the word before the last one of an edit
_LONGEST = 8  # words of an edit
_ORDER = "i2icli.order"
_FIELDS = ("instances", "style", "reference", "latent", "seed", "overwrite")  # of TranslateOptions


class EditCommand(Command):
    """Remembers the order of options, across different ones; joins the words of an edit without quotes."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse as usual; the names of options as they came are in `ctx.meta`."""
        args = joined(args)
        _, _, order = self.make_parser(ctx).parse_args(args=list(args))
        ctx.meta[_ORDER] = [parameter.name for parameter in order]
        return super().parse_args(ctx, args)


def joined(words: Sequence[str]) -> list[str]:
    """Command-line words in which `--fill road in 1,2,3,4` is one option and one value."""
    found: list[str] = []
    waiting = list(words)
    while waiting:
        found.append(waiting.pop(0))
        keyword = _BEFORE_LAST.get(found[-1])
        value = waiting[:_LONGEST]
        if keyword in value[1:-1]:
            end = value.index(keyword, 1) + 2
            if not any(word.startswith("--") for word in value[:end]):
                found.append(" ".join(value[:end]))
                del waiting[:end]
    return found


def edit_command() -> Any:
    """The command `i2i edit`."""

    def edit(ctx: typer.Context, inputs: list[str], **given: Any) -> int:
        """Edit label maps, and see what a trained system makes of them.

        Edits are made in the order given, --script among them. They name classes as the model does, and
        objects by their numbers in the instance map beside the label map (instance:26003). Writes, below
        --out: labels/ and instances/ (edited), images/ (new photos) and compare/ (before
        and after). The inputs stay as they are.
        """
        options = validated(TranslateOptions, _only(typed(ctx, TranslateOptions), _FIELDS), flag)
        written = _written(ctx.meta[_ORDER], given)
        if not written and not options.style:
            raise UserError(f"nothing to do: give {', '.join(map(flag, _SAID))} or --style")
        machine = validated(ModelOptions, _only(given, tuple(ModelOptions.model_fields)), flag)
        use_threads(ctx, machine.threads)
        return _edit(inputs, written, options, given, machine)

    plain = inspect.Parameter.KEYWORD_ONLY
    own = [
        inspect.Parameter("ctx", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context),
        inspect.Parameter("inputs", plain, annotation=_INPUTS),
        inspect.Parameter("model", plain, annotation=_MODEL),
        inspect.Parameter("out", plain, default=Path("edited"), annotation=_OUT),
        *(inspect.Parameter(name, plain, default=None, annotation=_option(name)) for name in _SAID),
    ]
    panels = dict.fromkeys(ModelOptions.model_fields, MACHINE)
    fields = [
        parameter
        for model in (TranslateOptions, ModelOptions)
        for parameter in parameters(model, lambda name: panels.get(name, RESULTS))
        if model is ModelOptions or parameter.name in _FIELDS
    ]
    with_parameters(edit, [*own, *fields])
    single = typer.Typer(add_completion=False)
    single.command("edit", cls=EditCommand, help=unwrapped(edit), epilog=escape(EXAMPLES))(edit)
    return get_command(single)


_INPUTS = Annotated[
    list[str], typer.Argument(metavar="LABELS", help="label maps, folders, globs; - reads a list from stdin")
]
_MODEL = Annotated[
    str,
    typer.Option(
        metavar="<model>",
        help=f"{WHICH_MODEL} that reads label maps",
    ),
]
_OUT = Annotated[Path, typer.Option(metavar="<path>", help="folder for the results")]


def _option(name: str) -> Any:
    metavar, text = _SAID[name]
    option = typer.Option(flag(name), metavar=metavar, help=escape(text), rich_help_panel=EDITS)
    return Annotated[list[str] | None, option]


def _only(given: dict[str, Any], names: Sequence[str]) -> dict[str, Any]:
    return {name: given[name] for name in names if name in given}


def _written(order: Sequence[str], given: dict[str, Any]) -> "list[Written]":
    """The edits in the order in which they were typed. Raises UserError for a script that cannot be read."""
    from i2icli.labels.edits import Written, script

    found: list[Written] = []
    seen: Counter[str] = Counter()
    for name in (each for each in order if each in _SAID):
        words = given[name][seen[name]]
        seen[name] += 1
        found += script(Path(words)) if name == "script" else [Written(name, words)]
    return found


def _edit(
    inputs: list[str],
    written: "Sequence[Written]",
    options: TranslateOptions,
    given: dict[str, Any],
    machine: ModelOptions,
) -> int:
    from i2icli.cli.translate import report
    from i2icli.inference.editing import Editing

    console = errors()
    translator = load_translator(given["model"], machine, console)
    editing = Editing(translator, inputs, given["out"], written, options)
    counts = report(editing, console, as_json=False)
    for note in editing.notes:
        say(console, f"note: {note}")
    maps = "label map" if counts["done"] == 1 else "label maps"
    failed = f", {counts['failed']:,} failed" if counts["failed"] else ""
    say(console, f"{counts['done']:,} {maps} edited into {given['out']}/{failed}")
    return 1 if counts["failed"] else 0
