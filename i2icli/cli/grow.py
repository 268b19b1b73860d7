"""The command `i2i grow DATA`: train coarse to fine, or grow a translator to twice its size."""

import inspect
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from pydantic import TypeAdapter, ValidationError
from rich.markup import escape
from typer.main import get_command

from i2icli import registry
from i2icli.cli.commands import Command
from i2icli.cli.console import errors
from i2icli.cli.options import GROWING, panel_of, parameters, run_options, typed, with_parameters
from i2icli.cli.train_system import print_plan, run, shared_parameters
from i2icli.config import Config, RunOptions, Size
from i2icli.errors import UserError
from i2icli.fields import flag
from i2icli.recipe import LENGTHS, resolve_config

if TYPE_CHECKING:
    from i2icli.training.growth_plan import GrowthPlan

ABOUT = (
    f"Train coarse to fine: {registry.STAGED} on images, resolution after resolution; or grow a trained "
    "translator to a larger size.\n\n"
    "The plan is printed first: what is learned at which resolution, memory and time, about. Run the same "
    "command again to resume, also in the middle of a fade; with a larger --to a finished run grows on."
)
EXAMPLES = (
    "Images out of noise:  i2i grow emoji --to 64 --out runs/emoji\n\n"
    "Go on to twice the size:  i2i grow emoji --to 128 --out runs/emoji\n\n"
    "A translator to 256 px:  i2i grow pairs --from runs/small --to 256 --how fade"
)

Chosen = tuple[str, Config, RunOptions]
"""The system, its settings, and the options of the run."""


def grow_command() -> Any:
    """The command, its options made from the settings of the system that is trained in stages."""
    model = registry.config_type(registry.STAGED)

    def command(ctx: typer.Context, data: list[Path], recipe: str | None, dry_run: bool, **own: Any) -> int:
        to = _size(own["to"]) if own["to"] is not None else None
        given = typed(ctx, model)
        if own["source"] is not None:
            chosen = _of_translator(ctx, own, recipe, given, to)
        else:
            chosen = _from_images(ctx, data, own, recipe, given, to)
        return _grow(data, chosen, dry_run)

    settings = parameters(model, lambda name: panel_of(name, registry.STAGED))
    shared = shared_parameters()
    mine = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)
        for name, annotation in _OWN.items()
    ]
    rest = [parameter for parameter in settings if parameter.name != "crop_size"]
    with_parameters(command, [*shared[:2], *mine, *shared[2:], *rest])
    single = typer.Typer(add_completion=False)
    single.command("grow", cls=Command, help=escape(ABOUT), epilog=escape(EXAMPLES))(command)
    return get_command(single)


_OWN: dict[str, Any] = {
    "to": Annotated[
        str | None,
        typer.Option(
            "--to",
            "--crop-size",
            metavar="<size>",
            help="grow up to this size in pixels; default: as the recipe or the run says, "
            "or with --from twice the size",
            rich_help_panel=GROWING,
        ),
    ],
    "source": Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="<model>",
            help="grow this trained translator (a run or a model file) instead of beginning with noise",
            rich_help_panel=GROWING,
        ),
    ],
    "how": Annotated[
        str | None,
        typer.Option(
            metavar="<choice>",
            help="with --from, how new levels learn: fade (Progressive GAN; the default), residual "
            "(pix2pixHD's enhancer), or scratch: the grown networks from nothing",
            rich_help_panel=GROWING,
        ),
    ],
    "fade": Annotated[
        str | None,
        typer.Option(
            metavar="<number>",
            help="with --from, fraction of a level's steps in which it fades in or learns alone; "
            "default: 0.5",
            rich_help_panel=GROWING,
        ),
    ],
}


def _from_images(
    ctx: typer.Context,
    data: list[Path],
    own: dict[str, Any],
    recipe: str | None,
    given: dict[str, Any],
    to: tuple[int, int] | None,
) -> Chosen:
    """Settings of the staged system; a run that is in the folder goes on with its own."""
    from i2icli.training.growing import check_resumable_size, run_recipe
    from i2icli.training.run import default_folder

    for name in ("how", "fade"):
        if own[name] is not None:
            raise UserError(f"--{name} is about growing a trained translator; name it with --from")
    system = registry.STAGED
    options = run_options(ctx)
    folder = options.out or default_folder(system, data)
    begun, resumable = run_recipe(folder)
    if begun not in (None, system):
        raise UserError(
            f"{folder} holds a run of {begun}; to grow it: i2i grow DATA --from {folder} --out NEW_FOLDER"
        )
    if resumable and recipe is None:
        recipe = str(folder / "recipe.toml")
        before = resolve_config(system, recipe)
        if to is not None and to != before.crop_size:
            check_resumable_size(folder, before, to)
            given = dict.fromkeys(LENGTHS & {"steps", "images"}) | given  # they were those of the smaller run
    if to is not None:
        given["crop_size"] = to
    return system, resolve_config(system, recipe, given, flag), options


def _of_translator(
    ctx: typer.Context,
    own: dict[str, Any],
    recipe: str | None,
    given: dict[str, Any],
    to: tuple[int, int] | None,
) -> Chosen:
    """Settings of a grown translator: those of the small one, larger."""
    from i2icli.training.growing import grown_settings

    source, how = own["source"], own["how"] or "fade"
    foreign = [name for name in given if name not in Config.model_fields]
    if foreign:
        raise UserError(
            f"{flag(foreign[0])} is an option of {registry.STAGED}; "
            "a model grown with --from keeps its own settings, but for those every system has"
        )
    if recipe is not None:
        raise UserError("--recipe: with --from the settings are those of the trained model; leave it out")
    options = run_options(ctx)
    if options.init_from is not None:
        raise UserError("--init-from and --from both name a model to begin with; give --from alone")
    if own["fade"] is not None:
        given["fade"] = own["fade"]
    system, config, model = grown_settings(source, to, how, given)
    folder = model.parent
    out = options.out or folder.with_name(f"{folder.name or model.stem}-{config.crop_size[1]}")
    if out.resolve() == folder.resolve():
        raise UserError(f"--out {out}: the trained model is there; choose a folder for the grown one")
    begin = None if how == "scratch" else str(model)
    return system, config, options.model_copy(update={"out": out, "init_from": begin})


def _grow(data: list[Path], chosen: Chosen, dry_run: bool) -> int:
    system, config, options = chosen
    if os.environ.get("RANK", "0") == "0":  # of the processes that torchrun starts only the first one plans
        from i2icli.training.growth_plan import plan_growth

        planned = plan_growth(system, data, config, options)
        if dry_run:
            print_plan(planned.plan)
        _print_growth(planned, config.crop_size)
    return 0 if dry_run else run(system, data, config, options)


def _print_growth(planned: "GrowthPlan", crop: tuple[int, int]) -> None:
    """The growth plan as a table; stages without a size of their own learn the crops, (height, width)."""
    from rich.table import Table

    whole = f"{crop[1]}" if crop[0] == crop[1] else f"{crop[1]}x{crop[0]}"

    table = Table(box=None, pad_edge=False)
    table.add_column("stage")
    for name in ("resolution", "images", "batch", "memory", "done", "to go"):
        table.add_column(name, justify="right")
    for number, stage in enumerate(planned.plan.stages):
        done = planned.done[number] / stage.steps
        table.add_row(
            stage.name,
            f"{stage.resolution or whole} px",
            f"{stage.images:,}",
            f"{stage.batch_size}",
            f"{stage.memory_bytes / 1e6:,.0f} MB",
            f"{done:.0%}" if done else "",
            ("" if done == 1 else _about(planned.seconds[number])) if planned.seconds else "?",
        )
    console = errors()
    console.print(table)
    if planned.seconds is not None:
        console.print(
            f"to go: {_about(sum(planned.seconds))} in all, by steps timed on this machine just now"
        )


def _about(seconds: float) -> str:
    from i2icli.cli.display import duration

    return f"about {duration(seconds)}" if seconds >= 1 else "under 1s"


def _size(text: str) -> tuple[int, int]:
    try:
        return TypeAdapter(Size).validate_python(text)
    except ValidationError:
        raise UserError(f"--to {text}: expected pixels like 256, or WIDTHxHEIGHT like 512x256") from None
