"""Settings become options of a command: one field of a model, one option, in its help panel."""

import inspect
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Annotated, Any, TypeVar

import typer
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from rich.markup import escape

from i2icli.cli.console import errors, say
from i2icli.config import LARGEST_RUN_SEED, THREADS, Config, RunOptions
from i2icli.errors import UserError
from i2icli.fields import choices, explain, flag, kind, shown_defaults
from i2icli.growable import GrowableConfig
from i2icli.home import variable
from i2icli.pair_config import PairConfig
from i2icli.processors import busy_line, limited_threads
from i2icli.reading import Reading, parse_pages

M = TypeVar("M", bound=BaseModel)
RUN, TRAINING, GROWING, PAIRS = "Run", "Training", "Growing", "Pairs"
WHICH_MODEL = "a run, a checkpoint file, a pulled model by its name, or a system (its newest run)"
MODEL = Annotated[
    str,
    typer.Option(
        metavar="<model>",
        help=WHICH_MODEL,
    ),
]
"""The option --model of the commands that use a model."""

WEIGHTS = Annotated[
    str | None,
    typer.Option(
        metavar="<choice>",
        help="of a run: best by the score of its validation, or last; default: best where one is known",
    ),
]
"""The option --weights of the commands that use a model and have options of their own."""


def use_threads(ctx: typer.Context, number: int | None) -> int | None:
    """Compute with so many threads until the command ends; on a busy machine, say that fewer are faster."""
    ctx.with_resource(limited_threads(number))
    if line := busy_line():
        say(errors(), f"note: {line}")
    return number


WITH_THREADS = Annotated[
    int | None,
    typer.Option(
        "--threads",
        metavar="<int>",
        min=1,
        max=1024,
        help=THREADS,
        callback=use_threads,
        envvar=variable("threads"),
    ),
]
"""The option --threads of the commands that compute without a model of ours."""

PAGES = Annotated[
    str | None,
    typer.Option(
        "--pages",
        metavar="<text>",
        help="of files with several pages: channels (of one image), images or one by its number",
    ),
]
CHANNELS_FIRST = Annotated[
    bool | None,
    typer.Option(
        "--channels-first/--no-channels-first",
        help=".npy files are channels x height x width, or not; default: refused if in doubt",
        show_default=False,
    ),
]
"""The options of commands that read images without a model: how, where files leave it open."""


def reading_of(pages: str | None, channels_first: bool | None) -> Reading:
    """How images are read with these options. Raises UserError."""
    try:
        return Reading(str(parse_pages(pages)) if pages else None, channels_first=channels_first)
    except ValueError as error:
        raise UserError(f"--pages {pages}: {error}") from None


def parameters(
    model: type[BaseModel],
    panel: Callable[[str], str],
    spelled: Mapping[str, tuple[str, ...]] = MappingProxyType({}),
) -> list[inspect.Parameter]:
    """The fields of a model as keyword-only parameters for Typer; `panel` places each by name.

    `spelled` names the options of fields that are not spelled like them.

    Values stay texts, since the model's own validators know how to read them. Flags can be
    switched off as well where they are on, or a recipe may have switched them on.
    """
    defaults = shown_defaults(model)
    settings = issubclass(model, Config)
    return [
        _flag(name, field, defaults[name] == "yes", panel(name), settings)
        if kind(field) == "flag"
        else _parameter(name, field, defaults[name], panel(name), spelled.get(name, (flag(name),)))
        for name, field in option_fields(model).items()
    ]


def option_fields(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """The fields of a model that are options: all but those that are only found from the data."""
    found_only = model.found_only if issubclass(model, Config) else frozenset()
    return {name: field for name, field in model.model_fields.items() if name not in found_only}


def seed_within_bounds(seed: int) -> int:
    """A seed as it is. Raises BadParameter for one that generators do not take."""
    if not 0 <= seed <= LARGEST_RUN_SEED:
        raise typer.BadParameter(f"{seed}: expected a whole number from 0 to {LARGEST_RUN_SEED}")
    return seed


def with_parameters(function: Callable[..., Any], parameters: list[inspect.Parameter]) -> Callable[..., Any]:
    """Give a function the signature that Typer shall read."""
    setattr(function, "__signature__", inspect.Signature(parameters))  # noqa: B010 - mypy refuses the assignment
    function.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return function


def was_given(context: typer.Context, name: str) -> bool:
    """Whether the user gave an option, typed or in a variable of the environment."""
    source = context.get_parameter_source(name)
    return source is not None and source.name in ("COMMANDLINE", "ENVIRONMENT")


def typed(context: typer.Context, model: type[BaseModel]) -> dict[str, Any]:
    """The settings of a model that the user gave, without the defaults."""
    return {name: context.params[name] for name in option_fields(model) if was_given(context, name)}


def validated(model: type[M], given: dict[str, Any], spell: Callable[[str], str]) -> M:
    """Options that the user typed. Raises UserError naming the option as `spell` has it."""
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise UserError(explain(error, model, spell)) from error


def run_options(context: typer.Context) -> RunOptions:
    """The run options that the user typed, validated. Raises UserError naming the option."""
    return validated(RunOptions, typed(context, RunOptions), flag)


def panel_of(name: str, system: str) -> str:
    """The help panel of a setting: shared by all systems, by those of pairs or that grow, or its own."""
    if name in Config.model_fields:
        return TRAINING
    if name in PairConfig.model_fields:
        return PAIRS
    return GROWING if name in GrowableConfig.model_fields else f"{system} only"


def _flag(name: str, field: FieldInfo, default: bool, panel: str, setting: bool) -> inspect.Parameter:
    both = default or setting or field.default is None
    spelled = f"{flag(name)}/{flag('no_' + name)}" if both else flag(name)
    known = field.default is not None  # else the description says what is decided
    option = typer.Option(
        spelled, help=escape(field.description or ""), rich_help_panel=panel, show_default=known
    )
    annotation = Annotated[bool, option]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def _parameter(
    name: str, field: FieldInfo, default: str | None, panel: str, flags: tuple[str, ...]
) -> inspect.Parameter:
    sort = kind(field)
    help_text = field.description or ""
    if sort == "choice":
        help_text += f": {', '.join(choices(field))}" if not _says(help_text, choices(field)) else ""
    option = typer.Option(
        *flags,
        help=escape(help_text),
        metavar="<name=value>" if sort == "pairs" else f"<{sort}>",
        rich_help_panel=panel,
        autocompletion=_completion(field),
        envvar=variable(name),
    )
    annotation: Any = Annotated[str | None, option]
    if sort in ("paths", "pairs"):
        default = None
        annotation = Annotated[list[str] | None, option]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def _says(text: str, names: tuple[str, ...]) -> bool:
    """Whether a help text already names every choice."""
    return all(name in text for name in names)


def _completion(field: FieldInfo) -> Callable[[str], list[str]] | None:
    """What the shell offers for a value; None leaves it to the shell's own file names."""
    names = choices(field)
    if not names:
        return None
    return lambda incomplete: [name for name in names if name.startswith(incomplete)]
