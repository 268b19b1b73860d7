"""Recipes and the layers of settings: defaults, recipe, what the caller gives."""

from pathlib import Path

import pytest

from i2icli.config import Config
from i2icli.errors import UserError
from i2icli.recipe import read_recipe, resolve_config, shipped_recipes, write_recipe
from i2icli.registry import SYSTEMS, config_type


def test_flags_win_over_the_recipe_and_the_recipe_over_defaults(tmp_path: Path) -> None:
    recipe = tmp_path / "r.toml"
    recipe.write_text("lr = 1e-3\nwidth = 8\n")

    config = resolve_config("cyclegan", recipe, {"lr": "5e-4"})

    assert config.lr == 5e-4  # given
    assert config.model_dump()["width"] == 8  # from the recipe
    assert config.batch_size == 1  # default


def test_a_list_that_is_too_long_is_refused_in_a_short_line() -> None:
    with pytest.raises(UserError, match=r"^domains .{80}\.\.\.: 10,000 are too many; expected at most 64$"):
        resolve_config("combogan", None, {"domains": [f"domain{number}" for number in range(10_000)]})


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_written_recipe_reads_back_as_the_same_settings(system: str, tmp_path: Path) -> None:
    fields = {"load_size": "300x400", "channels": "1,3", "betas": (0.0, 0.9)}
    config: Config = config_type(system).model_validate(fields)

    write_recipe(tmp_path / "recipe.toml", system, config)

    assert resolve_config(system, tmp_path / "recipe.toml") == config
    assert "None" not in (tmp_path / "recipe.toml").read_text()


@pytest.mark.parametrize("name", shipped_recipes())
def test_shipped_recipes_are_valid(name: str) -> None:
    system = name.split("-")[0]
    assert isinstance(resolve_config(system, name), config_type(system))


def test_python_callers_read_python_names() -> None:
    with pytest.raises(UserError, match=r"^batch_size 0: expected a whole number, at least 1$"):
        resolve_config("cyclegan", overrides={"batch_size": 0})
    with pytest.raises(UserError, match=r"^there is no setting batch_siz; did you mean batch_size\?$"):
        resolve_config("cyclegan", overrides={"batch_siz": 1})


def test_a_huge_file_is_no_recipe(tmp_path: Path) -> None:
    (tmp_path / "big.toml").write_bytes(b"#" * 2_000_000)
    with pytest.raises(UserError, match="too large for a recipe"):
        read_recipe(tmp_path / "big.toml", "cyclegan")
