"""pix2pix: losses and their order, channels, and one documented behaviour when translating."""

from typing import Any

import pytest
import torch
from torch import Tensor

from i2icli.systems.pix2pix.config import Pix2PixConfig
from i2icli.systems.pix2pix.system import Pix2Pix
from tests.asking import ask, compare, resolve, samples
from tests.systems.steps import run_step
from tests.tiny import tiny_config


def tiny(**changes: Any) -> Pix2Pix:
    torch.manual_seed(0)
    config = tiny_config("pix2pix", **changes)
    assert isinstance(config, Pix2PixConfig)
    return Pix2Pix(config)


def pairs(source: int = 3, target: int = 3, side: int = 32) -> dict[str, Tensor]:
    torch.manual_seed(1)
    images = {"source": torch.rand(2, source, side, side), "target": torch.rand(2, target, side, side)}
    return {name: image * 2 - 1 for name, image in images.items()}


@pytest.mark.parametrize("changes", [
    {}, {"generator": "resnet", "norm": "instance"}, {"discriminator": "pixel"}, {"norm": "none"},
    {"gan_loss": "lsgan"}, {"gan_loss": "hinge"}, {"gan_loss": "wgangp", "norm": "instance"},
])  # fmt: skip
def test_every_variant_trains(changes: dict[str, Any]) -> None:
    system = tiny(**changes)
    before = {name: value.clone() for name, value in system.named_parameters()}

    updates = run_step(system, pairs())

    penalty = ["penalty"] if changes.get("gan_loss") == "wgangp" else []
    assert [update.optimizer for update in updates] == ["D", "G"]
    assert [list(update.losses) for update in updates] == [["gan", *penalty], ["gan", "l1"]]
    assert all(loss.isfinite() for update in updates for loss in update.losses.values())
    weights = [name for name, value in system.named_parameters() if torch.equal(value, before[name])]
    assert not [name for name in weights if not name.endswith("bias")]


def test_the_l1_distance_is_weighted_and_can_be_learned() -> None:
    batch = pairs()
    system = tiny(l1_weight=100.0, lr=5e-3)
    first = run_step(system, batch)[-1].losses["l1"].item()
    assert first == pytest.approx(50, rel=0.1)  # two uniform images: 100 x about 0.5
    optimizers = system.optimizers()
    for _ in range(30):
        last = run_step(system, batch, optimizers)[-1].losses["l1"].item()
    assert last < 0.95 * first


@pytest.mark.parametrize(
    ("channels", "expected"), [(None, (3, 3)), ((1,), (1, 1)), ((3,), (3, 3)), ((1, 4), (1, 4))]
)
def test_channels_follow_the_data(channels: tuple[int, ...] | None, expected: tuple[int, int]) -> None:
    system = tiny(channels=channels)
    source, target = expected
    task = resolve(system)
    assert (task.inputs["image"].channels, task.output.channels) == expected
    run_step(system, pairs(source, target))
    assert ask(system, image=torch.zeros(1, source, 32, 32)).shape == (1, target, 32, 32)


def test_sides_are_multiples_of_what_the_generator_halves() -> None:
    for changes, multiple in (({"depth": 3}, 8), ({"depth": None}, 32), ({"generator": "resnet"}, 4)):
        assert resolve(tiny(**changes)).inputs["image"].multiple == multiple


def test_an_answer_depends_on_the_seed_and_not_on_the_other_images() -> None:
    system = tiny(crop_size=64, depth=6)
    run_step(system, pairs(side=64))
    system.eval()
    image = pairs(side=64)["source"]

    def translate(seed: int, image: Tensor) -> Tensor:
        with torch.inference_mode():
            return ask(system, image=image, seed=seed)

    assert torch.equal(translate(1, image), translate(1, image))
    assert not torch.allclose(translate(1, image), translate(2, image), atol=1e-4)
    torch.testing.assert_close(translate(1, image)[1:], translate(1, image[1:]), atol=1e-5, rtol=1e-5)


def test_running_statistics_are_a_choice() -> None:
    by_image, running = tiny(statistics="image"), tiny(statistics="running")
    run_step(by_image, pairs())
    running.load_state_dict(by_image.state_dict(), strict=True)
    image = pairs()["source"]
    with torch.inference_mode():
        assert not torch.allclose(
            ask(by_image.eval(), image=image), ask(running.eval(), image=image), atol=1e-3
        )


@pytest.mark.parametrize(("batch_size", "expected"), [(1, "image"), (4, "running")])
def test_statistics_follow_the_batches_of_the_training(batch_size: int, expected: str) -> None:
    assert tiny_config("pix2pix", batch_size=batch_size).translating_statistics == expected


def test_preview_and_compare_show_input_answer_and_truth() -> None:
    system, batch = tiny().eval(), pairs()
    columns = system.preview(batch)
    assert list(columns) == ["input", "fake", "truth"]
    assert columns["input"] is batch["source"]
    ((answer, truth),) = compare(system, batch).values()
    assert torch.equal(answer, columns["fake"])
    assert truth is batch["target"]
    ((answer, truth),) = samples(system, batch).values()
    assert torch.equal(answer, columns["fake"])
    assert truth is batch["target"]
