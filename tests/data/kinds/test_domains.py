"""Images of two of many domains: one pair of domains per step, even validation, plain refusals."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from i2icli.config import Config
from i2icli.data.kinds.domains import DomainImages
from i2icli.data.loader import batches
from i2icli.data.options import DataOptions
from i2icli.errors import UserError
from i2icli.systems.combogan.config import ComboGANConfig
from tests.data.files import fill, put, scanned

NAMES = ("a", "b", "c")


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def whole(**changes: Any) -> ComboGANConfig:
    return ComboGANConfig.model_validate({"preprocess": "none", "crop_size": 8, "flip": False} | changes)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Domains a, b and c of 6, 4 and 2 training images, valued 10, 20 and 30; two scenes in test."""
    for place, (name, number) in enumerate(zip(NAMES, (6, 4, 2), strict=True)):
        for index in range(number):
            put(tmp_path / "train" / name / f"{name}{index}.png", size=(8, 8), value=10 * (place + 1))
        for index in range(2):
            put(tmp_path / "test" / name / f"{index}.png", size=(8, 8), value=100 * place + index)
    return tmp_path


def value(image: torch.Tensor) -> int:
    return round((image.mean().item() + 1) * 127.5)


def test_settings_and_report_name_the_domains(folder: Path) -> None:
    data = scanned("combogan", [folder], whole())
    assert data.settings == {"learned_size": (8, 8), "channels": (3,), "types": ("uint8",), "domains": NAMES}
    assert data.report[0] == "3 domains, training images: a 6, b 4, c 2"
    assert any("2 file names in all domains, so they show the same scenes" in line for line in data.report)
    assert len(data.train()) == 6  # two images each: every one of 12 once, on average


def test_a_step_has_one_pair_in_every_process_and_in_all_it_accumulates(folder: Path) -> None:
    train = scanned("combogan", [folder], whole()).train()

    def seen(rank: int, world: int, accumulate: int) -> list[list[list[int]]]:
        found = batches(train, batch_size=4, seed=3, count=12, rank=rank, world=world, accumulate=accumulate)
        return [batch["pair"].tolist() for batch in found]

    alone, first, second = seen(0, 1, 2), seen(0, 2, 2), seen(1, 2, 2)
    for step, (whole_batch, *shares) in enumerate(zip(alone, first, second, strict=True)):
        assert whole_batch == [whole_batch[0]] * 4
        assert shares == [whole_batch[:2]] * 2
        assert whole_batch == alone[step - step % 2]
    assert len({tuple(batch[0]) for batch in alone}) >= 3


def test_every_ordered_pair_is_drawn_alike_and_shows_its_domains(folder: Path) -> None:
    train = scanned("combogan", [folder], whole()).train()
    counts: Counter[tuple[int, int]] = Counter()
    for seed in range(600):
        example = train.of_batch(rng(seed)).get(seed % len(train), rng(seed))
        a, b = example["pair"].tolist()
        assert (value(example["A"]), value(example["B"])) == (10 * (a + 1), 10 * (b + 1))
        counts[a, b] += 1
    assert set(counts) == {(a, b) for a in range(3) for b in range(3) if a != b}
    assert min(counts.values()) > 60


def test_all_images_of_uneven_domains_are_shown(tmp_path: Path) -> None:
    for name, number in (("a", 9), ("b", 1)):
        for index in range(number):
            put(tmp_path / name / f"{index}.png", size=(8, 8), value=index)
    train = scanned("combogan", [tmp_path], whole(holdout=0)).train()
    seen = {value(example["A" if example["pair"][0] == 0 else "B"])
            for example in (train.of_batch(rng(s)).get(0, rng(s)) for s in range(150))}  # fmt: skip
    assert seen == set(range(9))


def test_pairs_without_a_learned_domain_are_not_drawn(folder: Path) -> None:
    data = scanned("combogan", [folder], whole(learn=("C",)))
    assert data.settings["learn"] == ("c",)
    pairs = [set(data.train().of_batch(rng(seed)).get(0, rng())["pair"].tolist()) for seed in range(50)]
    assert all(2 in pair for pair in pairs)
    assert {0, 2} in pairs
    assert {1, 2} in pairs
    validation = data.validation()
    assert validation is not None
    assert all(2 in validation.get(index, None)["pair"].tolist() for index in range(len(validation)))
    assert any("learning only c," in line for line in data.report)


def test_validation_shows_every_pair_and_spreads_over_the_scenes(tmp_path: Path) -> None:
    for name in "abcde":
        for index in range(40):
            put(tmp_path / "test" / name / f"{index:02}.png", size=(8, 8), value=index)
        put(tmp_path / "train" / name / "1.png", size=(8, 8))
    validation = scanned("combogan", [tmp_path], whole()).validation()
    assert validation is not None
    assert len(validation) == 100  # ten pairs, ten each
    examples = [validation.get(index, None) for index in range(100)]
    assert set(Counter(tuple(example["pair"].tolist()) for example in examples).values()) == {10}
    assert {value(example["A"]) for example in examples} == set(range(40))
    for example in examples:
        assert example["truth"].item() is True
        assert value(example["A"]) == value(example["B"])


def test_scenes_that_not_all_domains_have_are_left_out_of_the_scores(folder: Path) -> None:
    (folder / "test" / "c" / "1.png").rename(folder / "test" / "c" / "other.png")
    data = scanned("combogan", [folder], whole())
    validation = data.validation()
    assert validation is not None
    assert {value(validation.get(index, None)["A"]) for index in range(len(validation))} <= {0, 100, 200}
    (folder / "test" / "c" / "0.png").unlink()
    unscored = scanned("combogan", [folder], whole()).validation()
    assert unscored is not None
    assert "truth" not in unscored.get(0, None)


def test_held_out_images_are_shown_but_not_scored(tmp_path: Path) -> None:
    for name in "ab":
        fill(tmp_path / name, *(f"{index:02}.png" for index in range(20)), size=(8, 8))
    data = scanned("combogan", [tmp_path], whole())
    validation = data.validation()
    assert validation is not None
    assert len(validation) == 1
    assert "truth" not in validation.get(0, None)
    assert any("validation split: 2 images, for sample sheets only" in line for line in data.report)
    assert scanned("combogan", [tmp_path], whole(holdout=0)).validation() is None


def test_some_of_the_folders_can_be_chosen_by_name(folder: Path) -> None:
    data = scanned("combogan", [folder], whole(domains=("c", "A")))
    assert data.settings["domains"] == ("c", "a")
    assert value(data.train().get(0, None)["A"]) == 30
    with pytest.raises(UserError, match=r"--domains d: there is no such domain in the data; found a, b, c"):
        scanned("combogan", [folder], whole(domains=("a", "d")))
    with pytest.raises(UserError, match=r"--learn d: there is no such domain in the data; found a, b, c"):
        scanned("combogan", [folder], whole(learn=("d",)))


def test_channels_are_the_same_in_all_domains(folder: Path) -> None:
    put(folder / "train" / "b" / "grey.png", size=(8, 8), channels=1)
    with pytest.raises(UserError, match=r"different numbers of channels: 1 with 1 .*grey\.png"):
        scanned("combogan", [folder], whole())
    assert scanned("combogan", [folder], whole(channels=(3,))).settings["channels"] == (3,)
    with pytest.raises(UserError, match=r"--channels 1,3: expected one number"):
        scanned("combogan", [folder], whole(channels=(1, 3)))


def test_sizes_that_cannot_share_a_batch_are_refused_across_domains(folder: Path) -> None:
    put(folder / "train" / "b" / "large.png", size=(16, 8))
    scanned("combogan", [folder], whole())
    with pytest.raises(UserError, match=r"large\.png becomes 8x16 pixels"):
        scanned("combogan", [folder], whole(batch_size=2))


def test_an_image_is_shown_once_on_average(folder: Path) -> None:
    data = DomainImages([folder], DataOptions.of(Config(crop_size=8), cache_bytes=10**7))
    assert len(data.train()) == 6
    assert len(data.train().get(0, rng())) == 3
