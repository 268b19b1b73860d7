"""Settings of a run that grows: from a smaller translator, or those in its run folder. No torch here."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

from pydantic import ValidationError

from i2icli import registry
from i2icli.config import Config
from i2icli.errors import UserError, quoted
from i2icli.fields import explain, flag
from i2icli.growable import GrowableConfig, How
from i2icli.metadata import Metadata, read_metadata
from i2icli.recipe import LENGTHS
from i2icli.runs import find_model

MOST = 3  # sizes that an error offers


def grown_settings(
    source: str, to: tuple[int, int] | None, how: str | None, given: Mapping[str, Any]
) -> tuple[str, GrowableConfig, Path]:
    """System, settings and model of the run that grows from the run or model `source`.

    to: (height, width) of the new crops, None for the next doubling; how: fade, residual or scratch, None for
    the system's default; given: settings that win over the smaller run's. By default it is as long as that.
    Raises UserError for a model that cannot grow, another size than a doubling, an unknown `how`.
    """
    path = find_model(source)
    metadata = read_metadata(path)
    config = metadata.settings(path)
    if config.grows_from_noise:
        larger = 2 * config.crop_size[0]
        raise UserError(
            f"--from {source}: a run of {metadata.system} grows without --from: "
            f"i2i grow DATA --out {quoted(path.parent)} --to {larger}"
        )
    if not isinstance(config, GrowableConfig):
        able = [name for name in registry.SYSTEMS if issubclass(registry.config_type(name), GrowableConfig)]
        raise UserError(f"--from {source}: {metadata.system} cannot grow; these can: {', '.join(able)}")
    _check_grown(source, metadata, config)
    how = how or config.default_how
    known = {name: name for name in get_args(How)}
    if how not in known:
        raise UserError(f"--how {how}: expected one of {', '.join(known)}")
    levels = 1 if to is None else _doublings(source, config.crop_size, to)
    settings = config.model_dump() | config.grown_from(levels, known[how])
    if LENGTHS & given.keys():
        settings |= {"steps": None, "images": None}
    try:
        return metadata.system, type(config).model_validate(settings | dict(given)), path
    except ValidationError as error:
        raise UserError(explain(error, type(config), flag)) from error


def run_recipe(folder: Path) -> tuple[str | None, bool]:
    """The system of the run in a folder, None if there is none; and whether it can be resumed."""
    try:
        recipe = tomllib.loads((folder / "recipe.toml").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None, False
    return recipe.get("system"), (folder / "resume.pt").is_file()


def _check_grown(source: str, metadata: Metadata, config: GrowableConfig) -> None:
    """Raise UserError if the model has not finished growing itself."""
    here = [stage for stage in config.stages() if stage.name == metadata.stage]
    if here and (here[0].level < config.grown or here[0].fading or here[0].alone):
        raise UserError(
            f"--from {source}: it is still growing (stage {metadata.stage}); let it finish first: "
            "run the command that started it again"
        )


def _doublings(source: str, before: tuple[int, int], to: tuple[int, int]) -> int:
    """How often one size, (height, width), must be doubled to give the other. Raises UserError."""
    for levels in range(1, 9):
        if (before[0] << levels, before[1] << levels) == to:
            return levels
    nexts = ", ".join(_size((before[0] << n, before[1] << n)) for n in range(1, MOST + 1))
    what = "it cannot grow to a smaller size" if to <= before else "it grows by doubling"
    raise UserError(
        f"--to {_size(to)}: {source} was trained at {_size(before)} px and {what}; choose one of {nexts}"
    )


def _size(size: tuple[int, int]) -> str:
    height, width = size
    return f"{width}" if height == width else f"{width}x{height}"


def check_resumable_size(folder: Path, before: Config, to: tuple[int, int]) -> None:
    """Raise UserError if the run in a folder has settings for larger images than it is to grow to."""
    if to < before.crop_size:
        raise UserError(
            f"--to {_size(to)}: {folder} is a run that grows to {_size(before.crop_size)} px; "
            "it cannot grow to a smaller size, choose another --out for a new run"
        )
