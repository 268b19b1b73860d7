"""What is checked before and during the scan: batches per process, sizes that the networks take."""

import re
from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import ValidationError

from i2icli.config import RunOptions
from i2icli.errors import UserError
from i2icli.registry import SYSTEMS, system_type
from i2icli.training.run_data import open_data
from tests.data.files import fill
from tests.tiny import TINY, tiny_config
from tests.training.synthetic import made


def learns(name: str, side: int, batch_size: int, **changes: Any) -> bool:
    """Whether one step of every stage works with images of that size."""
    torch.manual_seed(0)
    config = tiny_config(name, **changes)
    system = system_type(name)(config).train()
    for stage in system.config.stages():
        system.clock.stage, system.clock.step = stage, stage.steps - 1  # the last: every network is updated
        system.optimizers()
        batch = made(name, torch.Generator().manual_seed(0), batch_size, stage, side)
        batch = {key: v.float() if v.is_floating_point() else v for key, v in batch.items()}
        try:
            for update in system.training_step(batch):
                loss = torch.stack([value.mean() for value in update.losses.values()]).sum()
                loss.backward()
                assert loss.isfinite()
        except (ValueError, RuntimeError):
            return False
    return True


ANY_SIZE = {"augmented_cyclegan", "combogan", "cyclegan", "paired_cyclegan", "pix2pix"}
"""Systems whose networks take images of other sizes than the crops."""

CASES: list[tuple[str, dict[str, Any]]] = [
    ("augmented_cyclegan", {"norm": "instance"}),
    *(("combogan", {"num_layers": layers}) for layers in (1, 4)),
    *(("cyclegan", {"num_layers": layers, "norm": norm}) for layers in (1, 3) for norm in ("batch", "none")),
    *(("paired_cyclegan", {"num_layers": layers}) for layers in (1, 2)),
    *(("pix2pix", {"depth": depth, "num_layers": layers}) for depth in (2, 4) for layers in (1, 2)),
    ("pix2pix", {"depth": 2, "discriminator": "pixel"}),
    ("pix2pix", {"generator": "resnet", "discriminator": "pixel"}),
]


@pytest.mark.parametrize(("name", "changes"), CASES)
def test_the_smallest_side_is_the_smallest_that_works(name: str, changes: dict[str, Any]) -> None:
    config = tiny_config(name, crop_size=64, **changes)
    side, multiple = config.smallest_side, config.multiple
    assert side % multiple == 0
    assert learns(name, side, 1, crop_size=64, **changes)
    if side > multiple:
        assert not learns(name, side - multiple, 1, crop_size=64, **changes)


@pytest.mark.parametrize("name", ["cyclegan", "pix2pix"])
def test_levels_that_were_grown_double_it(name: str) -> None:
    changes = {"grown": 1, "grown_before": 1, "crop_size": 64, "num_layers": 2}
    config = tiny_config(name, **changes)
    assert config.smallest_side == 2 * tiny_config(name, crop_size=32, num_layers=2).smallest_side
    assert learns(name, config.smallest_side, 1, **changes)
    assert not learns(name, config.smallest_side - config.multiple, 1, **changes)


@pytest.mark.parametrize("name", list(SYSTEMS))
def test_smaller_crops_are_refused_with_the_settings(name: str) -> None:
    side = tiny_config(name).smallest_side
    with pytest.raises(ValidationError, match=rf"too small .* at least {side} px"):
        tiny_config(name, crop_size=side - 1)


@pytest.mark.parametrize("name", sorted(set(SYSTEMS) - ANY_SIZE - {"lapgan"}))
def test_crops_of_the_smallest_side_can_be_learned(name: str) -> None:
    changes = {"start_size": 4} if name == "progan" else {}
    side = tiny_config(name).smallest_side
    assert learns(name, side, 2, crop_size=side, **changes)


@pytest.mark.parametrize("name", list(SYSTEMS))
def test_the_smallest_batch_is_the_smallest_that_works(name: str) -> None:
    config = tiny_config(name)
    assert learns(name, 32, config.smallest_batch)
    if config.smallest_batch > 1 and name not in ("stargan", "spectral_dcgan"):  # their steps teach nothing
        assert not learns(name, 32, config.smallest_batch - 1)


@pytest.mark.parametrize(
    ("name", "settings", "devices", "words"),
    [
        ("stargan", {"batch_size": 1}, 1, "at least 2 images per batch .* use --batch-size 2 or more"),
        ("dtn", {"batch_size": 2}, 2, "--batch-size 2 over 2 processes: .* use --batch-size 4 or more"),
        ("spectral_dcgan", {"batch_size": 1}, 1, "at least 2 images"),
        ("augmented_cyclegan", {"batch_size": 1}, 1, "at least 2 images"),
        ("cyclegan", {"batch_size": 3}, 2, "--batch-size 3 cannot be split among 2 processes"),
    ],
)
def test_batches_are_checked_before_the_data(
    name: str, settings: dict[str, Any], devices: int, words: str
) -> None:
    nowhere = Path("there/is/no/such/folder")
    with pytest.raises(UserError, match=words):
        open_data(name, [nowhere], tiny_config(name, **settings), RunOptions(devices=devices))


@pytest.mark.parametrize("name", ["pix2pix", "cyclegan", "combogan", "augmented_cyclegan", "paired_cyclegan"])
@pytest.mark.parametrize(
    ("mode", "size", "advice"),
    [("scale-width", (32, 1200), "--load-size [0-9]+, or --preprocess resize-and-crop"),
     ("none", (5, 5), "--preprocess resize-and-crop, or remove such images")],
)  # fmt: skip
def test_images_too_small_for_the_networks_are_refused(
    name: str, mode: str, size: tuple[int, int], advice: str, tmp_path: Path
) -> None:
    for folder in ("A", "B"):
        fill(tmp_path / folder, *(f"{number}.png" for number in range(4)), size=size)
    settings: dict[str, Any] = {"preprocess": mode}
    if name == "combogan":
        settings["domains"] = ("A", "B")
    config = tiny_config(name, **settings)
    side = config.smallest_side
    with pytest.raises(UserError) as refused:
        open_data(name, [tmp_path], config, RunOptions())
    line = str(refused.value)
    assert "\n" not in line
    assert f"0.png ({size[1]}x{size[0]} pixels) becomes " in line
    assert f"at least {side}x{side}; use " in line
    assert re.search(advice, line)
    if mode == "scale-width":  # what is advised works
        wide = line.split("--load-size ")[1].split(",")[0]
        open_data(name, [tmp_path], tiny_config(name, load_size=wide, **settings), RunOptions())


def test_every_system_is_tried() -> None:
    assert {name for name, _ in CASES} == ANY_SIZE
    assert set(TINY) == set(SYSTEMS)
