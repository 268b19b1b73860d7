"""Two collections with latent codes and some known pairs, and the toy data that is made for them."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from i2icli.data.kinds.partly_paired import PartlyPairedImages
from i2icli.demo.toy.styles import item, write_styles
from i2icli.errors import UserError
from tests.data.files import scanned
from tests.tiny import tiny_config


def numbered(folder: Path, names: range, add: int = 0) -> None:
    """Images of one shade each, which tells their number."""
    folder.mkdir(parents=True)
    for name in names:
        Image.fromarray(np.full((32, 32, 3), name + add, np.uint8)).save(folder / f"{name}.png")


def shade(image: torch.Tensor) -> int:
    return round((image.mean().item() + 1) * 127.5)


@pytest.fixture
def collections(tmp_path: Path) -> Path:
    """0 to 19 in A, 10 to 29 in B, there 100 lighter: ten pairs."""
    numbered(tmp_path / "trainA", range(20))
    numbered(tmp_path / "trainB", range(10, 30), add=100)
    return tmp_path


def opened(folder: Path, **changes: object) -> PartlyPairedImages:
    config = tiny_config("augmented_cyclegan", holdout=0, **changes)
    return scanned("augmented_cyclegan", [folder], config, cache_bytes=10**8)


def test_a_fraction_of_equal_names_are_pairs_and_always_the_same_ones(collections: Path) -> None:
    def pairs(**changes: object) -> set[int]:
        data = opened(collections, **changes)
        found = set()
        for seed in range(100):
            example = data.train().get(seed % 20, np.random.default_rng(seed))
            assert shade(example["paired_B"]) == shade(example["paired_A"]) + 100
            found.add(shade(example["paired_A"]))
        return found

    some = pairs(supervised_fraction=0.3)
    assert len(some) == 3
    assert some < set(range(10, 20)) == pairs(supervised_fraction=1.0)
    assert pairs(supervised_fraction=0.3) == some
    assert pairs(supervised_fraction=0.3, seed=1) != some
    assert any(
        "supervised: 3 pairs of 10" in line for line in opened(collections, supervised_fraction=0.3).report
    )


def test_codes_follow_from_the_example_alone(collections: Path) -> None:
    data = opened(collections, supervised_fraction=0, two_sided=True).train()
    first, again, other = (data.get(3, np.random.default_rng(seed)) for seed in (0, 0, 1))
    assert set(first) == {"A", "B", "z_A", "z_B"}
    assert first["z_B"].shape == (4,)
    assert torch.equal(first["z_B"], again["z_B"])
    assert not torch.equal(first["z_B"], other["z_B"])
    assert not torch.equal(first["z_B"], first["z_A"])
    assert set(data.get(3, None)) == {"A", "B"}


def test_pairs_without_equal_names_are_refused(tmp_path: Path) -> None:
    numbered(tmp_path / "trainA", range(4))
    numbered(tmp_path / "trainB", range(4, 8))
    with pytest.raises(
        UserError, match=r"--supervised-fraction 0.5: no training images with the same name .*0 and 4"
    ):
        opened(tmp_path, supervised_fraction=0.5)
    assert len(opened(tmp_path, supervised_fraction=0).train()) == 4


def test_toy_things_are_the_same_each_time_and_their_dye_shows() -> None:
    first, again = item(3, 48), item(3, 48)
    assert np.array_equal(first.image, again.image)
    assert first.drawing.shape == first.image.shape == (48, 48, 3)
    for seed in range(8):
        each = item(seed)
        plain = np.ptp(each.drawing.astype(int), axis=2) < 20
        assert plain.all()  # a drawing has no colour
        pixels = each.image[np.ptp(each.image.astype(int), axis=2) > 60]
        colour = pixels.mean(axis=0)
        assert int(colour.argmax()) == int(np.argmax(each.dye.colour()))


def test_toy_folders_share_a_quarter_of_their_names(tmp_path: Path) -> None:
    write_styles(tmp_path, train=8, test=2, size=32)
    a, b = ({path.name for path in (tmp_path / side).glob("*.png")} for side in ("trainA", "trainB"))
    assert (len(a), len(b), len(a & b)) == (8, 8, 2)
    assert len(list((tmp_path / "testA").glob("*.png"))) == len(list((tmp_path / "testB").glob("*.png"))) == 2
