"""Landscapes in several domains: equal names are equal scenes, and the domains differ."""

from pathlib import Path

import numpy as np

from i2icli.data.kinds.domain_folders import recognise_domains
from i2icli.demo.toy.domains import DOMAINS, render, write_domains
from i2icli.demo.toy.scenes import scene
from i2icli.image import read_image
from i2icli.image.finding import find_images


def test_a_domain_is_a_look_of_the_same_scene() -> None:
    landscape = scene(3, 32)
    assert np.array_equal(render(3, "summer", 32), landscape.photo)
    assert np.array_equal(render(3, "autumn", 32), landscape.dusk)
    means = [render(3, domain, 32).mean(axis=(0, 1)) for domain in DOMAINS]
    for place, mean in enumerate(means):
        assert all(np.abs(mean - other).max() > 20 for other in means[:place])


def test_written_domains_are_recognised_and_share_only_test_scenes(tmp_path: Path) -> None:
    write_domains(tmp_path, train=3, test=2, size=32, seed=5)
    found = recognise_domains([tmp_path])
    assert found.names == DOMAINS
    assert found.validation is not None
    assert [len(c.images) for c in found.train + found.validation] == [3] * 4 + [2] * 4
    for domain in DOMAINS:
        shown = read_image(tmp_path / "test" / domain / "0001.png").pixels
        assert np.array_equal(shown, render(5 + 1_000_000 + 1, domain, 32))
    names = [path.name for path in find_images(tmp_path / "train")]
    assert len(set(names)) == len(names)


def test_some_domains_can_be_chosen(tmp_path: Path) -> None:
    write_domains(tmp_path, train=1, test=1, size=32, domains=("winter", "night"))
    assert recognise_domains([tmp_path]).names == ("night", "winter")
