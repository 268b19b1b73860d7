"""Every shipped recipe is one of a system's and says only what its settings know."""

import pytest

from i2icli.recipe import resolve_config, shipped_recipes
from i2icli.registry import SYSTEMS


def test_every_system_ships_a_small_recipe() -> None:
    assert {f"{system}-small" for system in SYSTEMS} <= set(shipped_recipes())


@pytest.mark.parametrize("name", shipped_recipes())
def test_a_shipped_recipe_is_valid(name: str) -> None:
    system, data = name.split("-", 1)
    assert resolve_config(system, name) == resolve_config(system, data)


@pytest.mark.parametrize(("system", "px"), [("pix2pix", 64), ("cyclegan", 64)])
def test_the_small_recipes_are_small(system: str, px: int) -> None:
    config = resolve_config(system, "small")
    assert config.crop_size == (px, px)
    assert config.model_dump()["width"] <= 32
