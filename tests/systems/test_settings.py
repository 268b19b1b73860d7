"""Settings that cannot work are refused before anything is built, in words that say what to change."""

from typing import Any

import pytest
from pydantic import ValidationError

from i2icli.systems.cyclegan.config import CycleGANConfig
from i2icli.systems.pix2pix.config import Pix2PixConfig


def test_defaults_are_the_papers() -> None:
    pix2pix, cyclegan = Pix2PixConfig(), CycleGANConfig()
    assert (pix2pix.epochs, pix2pix.batch_size, pix2pix.lr, pix2pix.betas) == (200, 1, 2e-4, (0.5, 0.999))
    assert (pix2pix.unet_depth, pix2pix.norm, pix2pix.dropout, pix2pix.l1_weight) == (8, "batch", 0.5, 100)
    assert (pix2pix.gan_loss, cyclegan.gan_loss) == ("vanilla", "lsgan")
    assert (cyclegan.cycle_weight, cyclegan.identity_weight, cyclegan.pool_size) == (10, 0.5, 50)
    assert (cyclegan.num_blocks, cyclegan.norm, cyclegan.dropout) == (9, "instance", 0)


@pytest.mark.parametrize(
    ("crop", "depth"), [("256", 8), ("512x256", 8), ("1024", 8), ("64", 6), ("96x64", 5), ("48", 4)]
)
def test_a_unet_halves_as_often_as_the_crop_allows(crop: str, depth: int) -> None:
    assert Pix2PixConfig(crop_size=crop).unet_depth == depth


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"crop_size": 250}, ["250x250", "1 down-samplings", "multiples of 16"]),
        ({"crop_size": 100}, ["100x100", "2 down-samplings", "--depth"]),
        ({"crop_size": "256x64", "depth": 7}, ["256x64", "too small", "128 px", "fewer layers"]),
        ({"crop_size": 30, "generator": "resnet", "num_layers": 1}, ["30x30", "multiples of 4"]),
        ({"crop_size": 16}, ["16x16", "too small", "32 px", "fewer layers"]),
    ],
)
def test_pix2pix_refuses_crops_that_do_not_fit(settings: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(ValidationError) as refused:
        Pix2PixConfig(**settings)
    assert all(word in str(refused.value) for word in words)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"crop_size": 130}, ["130x130", "multiples of 4"]),
        ({"crop_size": 16}, ["16x16", "too small", "24 px", "fewer layers"]),
        ({"domains": ("horse", "horse")}, ["'horse'", "--to"]),
        ({"domains": ("horse", "zebra", "cow")}, ["at most 2"]),
    ],
)
def test_cyclegan_refuses_what_cannot_work(settings: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(ValidationError) as refused:
        CycleGANConfig(**settings)
    assert all(word in str(refused.value) for word in words)


def test_small_crops_suit_fewer_layers() -> None:
    assert Pix2PixConfig(crop_size=16, num_layers=2).unet_depth == 4
    assert CycleGANConfig(crop_size=16, num_layers=2).num_layers == 2
    assert Pix2PixConfig(crop_size=16, discriminator="pixel").discriminator == "pixel"
