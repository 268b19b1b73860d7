"""The command `i2i train <system>`: its options are the system's settings."""

import inspect
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from typer.main import get_command

from i2icli import registry
from i2icli.cli.commands import Command
from i2icli.cli.console import INTERRUPTED, errors, output, say, warned
from i2icli.cli.options import RUN, panel_of, parameters, run_options, typed, with_parameters
from i2icli.cli.tasks import task_lines
from i2icli.config import Config, RunOptions
from i2icli.errors import readable
from i2icli.fields import flag
from i2icli.recipe import PAPER, SMALL, resolve_config, shipped_recipes
from i2icli.written import counted, print_bytes

if TYPE_CHECKING:
    from i2icli.training.plan import Plan


def system_command(system: str) -> Any:
    """The command `i2i train <system>`, its options made from the system's settings."""
    entry = registry.entry(system)
    model = registry.config_type(system)

    def command(ctx: typer.Context, data: list[Path], recipe: str | None, dry_run: bool, **_: Any) -> int:
        given, options = typed(ctx, model), run_options(ctx)
        config = resolve_config(system, recipe, given, flag)  # refuses what is wrong before torch loads
        if recipe is None:
            config = resolve_config(system, sized_recipe(system, data, given, options), given, flag)
        return _train(system, data, config, options, dry_run)

    with_parameters(command, [*shared_parameters(), *parameters(model, lambda name: panel_of(name, system))])
    single = typer.Typer(add_completion=False)
    about = f"{entry.summary[:1].upper()}{entry.summary[1:]}.\n\n{entry.paper}, {entry.url}"
    single.command(system, cls=Command, help=escape(about), epilog=_examples(system))(command)
    return get_command(single)


def shared_parameters() -> list[inspect.Parameter]:
    """What every command that trains takes: data, recipe, --dry-run and the run's options."""
    return [
        inspect.Parameter("ctx", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context),
        inspect.Parameter("data", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=_DATA),
        inspect.Parameter("recipe", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=_RECIPE),
        inspect.Parameter("dry_run", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=_DRY_RUN),
        *parameters(RunOptions, lambda _: RUN),
    ]


def _recipe_names(incomplete: str) -> list[str]:
    return [name for name in (PAPER, SMALL, *shipped_recipes()) if name.startswith(incomplete)]


_DATA = Annotated[
    list[Path],
    typer.Argument(
        metavar="DATA",
        help="one folder, or one per collection; of pairs also a list (CSV: source,target[,split]); vid2vid: "
        "also videos",
    ),
]
_RECIPE = Annotated[
    str | None,
    typer.Option(
        help="settings to start from: a TOML file, the name of a shipped recipe, or paper; options win over "
        "it; default: the paper's with a GPU, small without",
        metavar="<recipe>",
        rich_help_panel=RUN,
        autocompletion=_recipe_names,
    ),
]
_DRY_RUN = Annotated[
    bool,
    typer.Option(
        "--dry-run",
        help="print settings, networks, memory and, measured over a few steps, the time; train nothing",
        rich_help_panel=RUN,
    ),
]


def sized_recipe(
    system: str,
    data: list[Path],
    given: dict[str, Any],
    options: RunOptions,
    spelled: Callable[[str], str] = flag,
) -> str | None:
    """The recipe where none is named: the one sized to this machine, which is said; None: the paper's.

    spelled: the options of settings, as the user typed them.
    """
    from i2icli.training.default_recipe import default_recipe  # torch loads only when there is work

    recipe, line = default_recipe(system, data, given, options, spelled)
    if line and os.environ.get("RANK", "0") == "0":  # of the processes that torchrun starts, the first
        say(errors(), f"note: {line}")
    return recipe


def _train(system: str, data: list[Path], config: Any, options: RunOptions, dry_run: bool) -> int:
    if dry_run:
        from i2icli.training.plan import plan

        print_plan(plan(system, data, config, options, measure=True), options)
        return 0
    return run(system, data, config, options)


def run(
    system: str, data: list[Path], config: Config, options: RunOptions, *, show_plan: bool = False
) -> int:
    """Train with a display, the planned stages first if wanted, and report the result; the exit code."""
    from i2icli.cli.display import display, summary
    from i2icli.training import run as training  # torch loads only when there is work

    with display(system, errors()) as callbacks:
        result = training.train(system, data, config, options, callbacks, show_plan=show_plan)
    for line in summary(result):
        say(output(), line)
    return INTERRUPTED if result.reason == "interrupted" else 0


def print_plan(plan: "Plan", options: RunOptions) -> None:
    """What would be trained, as a recipe: everything that is no setting is a comment.

    What it needs of the machine follows, and on stderr a warning where that is more than there is.
    """
    from i2icli.training.outlook import hint_line, memory_line, time_line, too_large_line

    lines = [f"# {readable(line)}" for line in plan.report]
    lines += [plan.recipe.rstrip(), ""]
    lines += [f"# task {readable(line)}" for line in task_lines(plan.tasks)]
    lines += [f"# network {name}: {count:,} parameters" for name, count in plan.networks]
    if len(plan.stages) > 1:
        lines += [
            f"# stage {stage.name}: {counted(stage.steps, 'step')} of {stage.batch_size}, "
            f"about {print_bytes(stage.memory_bytes)}"
            for stage in plan.stages
        ]
    lines.append(f"# memory of a step: {memory_line(plan.memory_bytes, plan.machine)}")
    if plan.left_s is not None:
        lines.append(f"# time: {time_line(plan.steps_left, plan.left_s, options.time_limit, even=plan.even)}")
    if hint := hint_line(plan.left_s, plan.machine):
        lines.append(f"# {hint}")
    print("\n".join(lines))
    if warning := too_large_line(plan.memory_bytes, plan.machine, plan.largest.smaller):
        warned(warning)


def _examples(system: str) -> str:
    recipes = [name for name in shipped_recipes() if name.startswith(system)]
    lines = [f"Train:  i2i train {system} DATA --out runs/mine", "Resume:  the same command again"]
    if recipes:
        lines.append(f"Recipes:  {', '.join(recipes)}")
    return escape("\n\n".join(lines))
