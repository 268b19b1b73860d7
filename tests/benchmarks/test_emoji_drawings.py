"""The data of the README's picture: variants of an emoji stay in one split, the settings are a recipe."""

import pytest

from benchmarks.experiments.emoji_drawings import is_test, main
from i2icli.recipe import resolve_config


@pytest.mark.parametrize("code", ["1f9d1", "1f44b", "1f600"])
def test_variants_are_in_the_split_of_their_emoji(code):
    variants = [f"{code}-{tone}" for tone in ("1f3fb", "1f3ff", "200d-1f680", "1f3fd-200d-2695-fe0f")]
    assert {is_test(each) for each in variants} == {is_test(code)}


def test_about_a_tenth_is_for_the_test():
    share = sum(is_test(f"{0x1F300 + number:x}") for number in range(1000)) / 1000
    assert 0.07 < share < 0.13


def test_the_printed_settings_are_a_recipe(tmp_path, capsys):
    main(["settings", "--steps", "123"])
    recipe = tmp_path / "drawings.toml"
    recipe.write_text(capsys.readouterr().out)
    config = resolve_config("pix2pix", str(recipe), {})
    assert (config.steps, config.crop_size) == (123, (96, 96))
