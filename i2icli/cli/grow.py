"""The command `i2i grow DATA`: train coarse to fine, or grow a translator to twice its size."""

import inspect
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import TypeAdapter, ValidationError
from rich.markup import escape
from typer.main import get_command

from i2icli import registry
from i2icli.cli.commands import Command
from i2icli.cli.console import errors
from i2icli.cli.options import GROWING, panel_of, parameters, run_options, typed, with_parameters
from i2icli.cli.train_system import print_plan, run, shared_parameters, sized_recipe
from i2icli.config import Config, RunOptions, Size
from i2icli.errors import UserError, quoted
from i2icli.fields import flag
from i2icli.recipe import LENGTHS, resolve_config

ABOUT = (
    "Train coarse to fine: {system} on images, one resolution after the other; or grow a trained "
    "translator to a larger size.\n\n"
    "The plan is printed first: resolution, images, batch size and estimated memory of every stage. Run the "
    "same command again to resume, also in the middle of a fade; a larger --to continues a finished run."
)
EXAMPLES = (
    "Images from noise:  i2i grow emoji --to 64 --out runs/emoji\n\n"
    "Continue to twice the size:  i2i grow emoji --to 128 --out runs/emoji\n\n"
    "A translator to 256 px:  i2i grow pairs --from runs/small --to 256 --how fade"
)

Chosen = tuple[str, Config, RunOptions]
"""The system, its settings, and the options of the run."""


def grow_command() -> Any:
    """The command, its options made from the settings of the system that grows from noise."""
    system = registry.growing_from_noise()
    model = registry.config_type(system)

    def command(ctx: typer.Context, data: list[Path], recipe: str | None, dry_run: bool, **own: Any) -> int:
        to = _size(own["to"]) if own["to"] is not None else None
        given = typed(ctx, model)
        if own["source"] is not None:
            chosen = _from_translator(ctx, own, recipe, given, to)
        else:
            chosen = _from_noise(ctx, data, own, recipe, given, to)
        return _grow(data, chosen, dry_run)

    settings = parameters(model, lambda name: panel_of(name, system))
    shared = shared_parameters()
    mine = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)
        for name, annotation in _OWN.items()
    ]
    rest = [parameter for parameter in settings if parameter.name != "crop_size"]
    with_parameters(command, [*shared[:2], *mine, *shared[2:], *rest])
    single = typer.Typer(add_completion=False)
    about = escape(ABOUT.format(system=system))
    single.command("grow", cls=Command, help=about, epilog=escape(EXAMPLES))(command)
    return get_command(single)


_OWN: dict[str, Any] = {
    "to": Annotated[
        str | None,
        typer.Option(
            "--to",
            "--crop-size",
            metavar="<size>",
            help="grow up to this size in pixels; default: that of the recipe or run, or twice the size "
            "with --from",
            rich_help_panel=GROWING,
        ),
    ],
    "source": Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="<model>",
            help="grow this trained translator (a run or a model file) instead of starting from noise",
            rich_help_panel=GROWING,
        ),
    ],
    "how": Annotated[
        str | None,
        typer.Option(
            metavar="<choice>",
            help="with --from, how new levels learn: fade (Progressive GAN; the default), residual "
            "(pix2pixHD's enhancer, its default), or scratch: train the grown networks from scratch",
            rich_help_panel=GROWING,
        ),
    ],
    "fade": Annotated[
        str | None,
        typer.Option(
            metavar="<number>",
            help="with --from, fraction of a level's steps during which it fades in or learns alone; "
            "default: as that model has it",
            rich_help_panel=GROWING,
        ),
    ],
}


def _from_noise(
    ctx: typer.Context,
    data: list[Path],
    own: dict[str, Any],
    recipe: str | None,
    given: dict[str, Any],
    to: tuple[int, int] | None,
) -> Chosen:
    """Settings for growing from noise; a run that is already in the folder keeps its own."""
    from i2icli.training.growing import check_resumable_size, run_recipe
    from i2icli.training.run_folder import default_folder

    for name in ("how", "fade"):
        if own[name] is not None:
            raise UserError(f"--{name} is for growing a trained translator; give that with --from")
    system = registry.growing_from_noise()
    options = run_options(ctx)
    folder = options.out or default_folder(system, data)
    started, resumable = run_recipe(folder)
    if started not in (None, system):
        raise UserError(
            f"{folder} holds a run of {started}; to grow it: "
            f"i2i grow DATA --from {quoted(folder)} --out NEW_FOLDER"
        )
    if resumable and recipe is None:
        recipe = str(folder / "recipe.toml")
        before = resolve_config(system, recipe)
        if to is not None and to != before.crop_size:
            check_resumable_size(folder, before, to)
            given = dict.fromkeys(LENGTHS & {"steps", "images"}) | given  # they were those of the smaller run
    if to is not None:
        given["crop_size"] = to
    if recipe is None and not resumable:
        recipe = sized_recipe(system, data, given, options, _as_typed)
    return system, resolve_config(system, recipe, given, flag), options


def _as_typed(setting: str) -> str:
    """The option of `i2i grow` that a setting is named with."""
    return "--to" if setting == "crop_size" else flag(setting)


def _from_translator(
    ctx: typer.Context,
    own: dict[str, Any],
    recipe: str | None,
    given: dict[str, Any],
    to: tuple[int, int] | None,
) -> Chosen:
    """Settings of a grown translator: those of the smaller one at the new size."""
    from i2icli.training.growing import grown_settings

    source, how = own["source"], own["how"]
    foreign = [name for name in given if name not in Config.model_fields]
    if foreign:
        raise UserError(
            f"{flag(foreign[0])} is an option of {registry.growing_from_noise()}; "
            "a model grown with --from keeps its settings, only those that every system has can be changed"
        )
    if recipe is not None:
        raise UserError("--recipe: with --from the settings are those of the trained model; leave it out")
    options = run_options(ctx)
    if options.init_from is not None:
        raise UserError("--init-from and --from both name a model to start from; give only --from")
    if own["fade"] is not None:
        given["fade"] = own["fade"]
    system, config, model = grown_settings(source, to, how, given)
    folder = model.parent
    out = options.out or folder.with_name(f"{folder.name or model.stem}-{config.crop_size[1]}")
    if out.resolve() == folder.resolve():
        raise UserError(f"--out {out}: the trained model is there; choose another folder for the grown one")
    begin = None if config.how == "scratch" else str(model)
    return system, config, options.model_copy(update={"out": out, "init_from": begin})


def _grow(data: list[Path], chosen: Chosen, dry_run: bool) -> int:
    system, config, options = chosen
    if not dry_run:
        return run(system, data, config, options, show_plan=True)
    from i2icli.cli.stage_table import stage_table
    from i2icli.training.plan import plan

    planned = plan(system, data, config, options, measure=True)
    print_plan(planned, options)
    errors().print(stage_table(planned.stages))
    return 0


def _size(text: str) -> tuple[int, int]:
    try:
        return TypeAdapter(Size).validate_python(text)
    except ValidationError:
        raise UserError(f"--to {text}: expected pixels like 256, or WIDTHxHEIGHT like 512x256") from None
