"""Recipes: TOML files of settings. Read, written, and layered under what a caller gives. No torch here."""

import tomllib
from collections.abc import Callable, Mapping
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from i2icli import registry
from i2icli.config import Config, RunOptions
from i2icli.errors import UserError
from i2icli.fields import close, explain, flag
from i2icli.files import atomic_write

LENGTHS = {"steps", "images", "epochs"}
PAPER = "paper"  # the recipe of the defaults
SMALL = "small"  # that of every system that is sized to a processor
LARGEST_BYTES = 1_000_000  # a recipe is a page of text; anything larger is some other file


def resolve_config(
    system: str,
    recipe: str | Path | None = None,
    overrides: Mapping[str, Any] | None = None,
    spell: Callable[[str], str] = str,
) -> Config:
    """A system's settings: its defaults, under a recipe, under what the caller gives.

    `recipe` is the path of a TOML file, the name of a shipped one, or "paper": the defaults. `spell` says
    how the caller writes a setting's name, for errors. Raises UserError naming the setting, the value and
    what is allowed.
    """
    given = dict(overrides or {})
    model = registry.config_type(system)
    values = read_recipe(recipe, system) if recipe is not None else {}
    if (
        LENGTHS & given.keys()
    ):  # three ways to say one thing: what the caller says wins over all of the recipe's
        values = {name: value for name, value in values.items() if name not in LENGTHS}
    try:
        return model.model_validate(values | given)
    except ValidationError as error:
        where = error.errors()[0]["loc"]
        from_recipe = bool(where) and where[0] in values and where[0] not in given
        if from_recipe:
            raise UserError(f"recipe {recipe}: {explain(error, model, str)}") from error
        raise UserError(explain(error, model, spell)) from error


def read_recipe(recipe: str | Path, system: str) -> dict[str, Any]:
    """The settings a recipe gives for a system, by field name, not yet validated.

    Raises UserError for a recipe that is not there, is no TOML, is another system's or has unknown keys.
    """
    name, text = _text(recipe, system)
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"recipe {name} is not valid TOML: {error}") from error
    written_for = values.pop("system", system)
    if written_for != system:
        raise UserError(
            f"recipe {name} is for {written_for}, not {system}; use it with: i2i train {written_for}"
        )
    model = registry.config_type(system)
    for key in values:
        if key in RunOptions.model_fields:
            raise UserError(
                f"recipe {name}: {key} belongs to the run, not to a recipe; give it as {flag(key)}"
            )
        if key not in model.model_fields:
            raise UserError(f"recipe {name}: {system} has no setting {key!r}{close(key, model, str)}")
    return values


def small_sizes(system: str) -> dict[str, Any]:
    """What the small recipe of a system says of the sizes of images and networks; {}: there is none."""
    if f"{system}-{SMALL}" not in shipped_recipes():
        return {}
    shared = Config.model_fields.keys() - {"crop_size", "load_size"}
    values, config = read_recipe(SMALL, system), resolve_config(system, SMALL)
    return {name: getattr(config, name) for name in values if name not in shared}


def is_small(system: str, config: Config) -> bool:
    """Whether images and networks are as large as in the small recipe of a system, or there is none."""
    return all(getattr(config, name) == value for name, value in small_sizes(system).items())


def shipped_recipes() -> list[str]:
    """The names of the recipes that come with i2icli."""
    files = resources.files("i2icli.recipes").iterdir()
    return sorted(file.name.removesuffix(".toml") for file in files if file.name.endswith(".toml"))


def recipe_text(system: str, config: Config) -> str:
    """Settings as a TOML text that `read_recipe` reads back; those that are None are left out."""
    import tomlkit  # 70 ms that --help need not pay

    document = tomlkit.document()
    document.add("system", tomlkit.item(system))
    shared = set(Config.model_fields)
    values = {name: value for name, value in config.model_dump(mode="json").items() if value is not None}
    document.add(tomlkit.nl())
    document.add(tomlkit.comment("training"))
    for name in (name for name in values if name in shared):
        document.add(name, tomlkit.item(values[name]))
    own = [name for name in values if name not in shared]
    if own:
        document.add(tomlkit.nl())
        document.add(tomlkit.comment(f"{system} alone"))
    for name in own:
        document.add(name, tomlkit.item(values[name]))
    return tomlkit.dumps(document)


def write_recipe(path: Path, system: str, config: Config) -> None:
    """Write settings as a recipe file that can be trained from again."""
    with atomic_write(path) as beside:
        beside.write_text(recipe_text(system, config), encoding="utf-8")


def _text(recipe: str | Path, system: str) -> tuple[str, str]:
    """The name of a recipe for messages, and its text."""
    path = Path(recipe)
    if path.is_file():
        if path.stat().st_size > LARGEST_BYTES:
            raise UserError(f"{path} is too large for a recipe; expected a TOML file of settings")
        try:
            return str(path), path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            raise UserError(
                f"recipe {path}: not a text; expected a TOML file such as a run's recipe.toml"
            ) from None
        except OSError as error:
            raise UserError(f"recipe {path} cannot be read: {error.strerror}") from error
    if str(recipe) == PAPER:
        return PAPER, ""
    names = shipped_recipes()
    shipped = f"shipped for {system}: {', '.join(name for name in names if name.startswith(f'{system}-'))}"
    if path.suffix == ".toml" or len(path.parts) > 1:
        raise UserError(f"there is no recipe file {path}; {shipped}")
    for name in (str(recipe), f"{system}-{recipe}"):
        if name in names:
            return name, (resources.files("i2icli.recipes") / f"{name}.toml").read_text(encoding="utf-8")
    raise UserError(f"unknown recipe {str(recipe)!r}; {shipped}; or give a TOML file")
