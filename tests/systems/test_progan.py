"""Progressive GAN: growth, fading, losses, classes, settings that do not fit."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from pydantic import ValidationError
from torch.nn.functional import avg_pool2d, conv2d

from i2icli.demo.toy.sprites import paint_sprite, write_sprites
from i2icli.errors import UserError
from i2icli.inference.options import TranslateOptions
from i2icli.inference.outputs import Outputs
from i2icli.nn.equalised import EqualConv2d, EqualLinear
from i2icli.nn.minibatch_stddev import append_deviation
from i2icli.runtime.device import Placement
from i2icli.stage import Clock, Shape
from i2icli.system import Batch
from i2icli.systems.progan.config import ProGANConfig
from i2icli.systems.progan.networks import fade_reals, upsample_2x
from i2icli.systems.progan.system import ProGAN
from i2icli.task import names_of
from i2icli.training.run import build_system
from i2icli.training.trainer import Trainer
from tests.asking import ask, resolve, samples, tasks
from tests.data.files import scanned
from tests.tiny import tiny_config
from tests.training.synthetic import batches

CPU = Placement(torch.device("cpu"))


def fresh(**changes: Any) -> ProGAN:
    settings = {"batch_size": 2, "steps": None} | changes
    system = build_system("progan", tiny_config("progan", **settings))
    assert isinstance(system, ProGAN)
    return system


def settings(**changes: Any) -> ProGANConfig:
    return ProGANConfig(
        **({"crop_size": 32, "stage_images": 60, "fade_images": 40, "batch_size": 4} | changes)
    )


def at(system: ProGAN, name: str, step: int = 0) -> ProGAN:
    stage = next(stage for stage in system.config.stages() if stage.name == name)
    system.clock = Clock(stage, step)
    return system


def batch_of(side: int, size: int = 4) -> Batch:
    return {"image": torch.rand(size, 3, side, side) * 2 - 1, "codes": torch.randn(size, 2, 8)}


# -- growth --------------------------------------------------------------------------------------


def test_growth_follows_the_images_of_each_stage() -> None:
    growth = settings(batch_sizes="16:2,32:1", accumulate=2).planned_stages()
    assert [(g.resolution, g.fading, g.batch_size, g.steps) for g in growth] == [
        (4, False, 4, 8),
        (8, True, 4, 5),
        (8, False, 4, 8),
        (16, True, 2, 10),
        (16, False, 2, 15),
        (32, True, 1, 20),
        (32, False, 1, 30),
    ]


def test_channels_that_are_not_given_halve_like_those_of_the_paper() -> None:
    config = settings(crop_size=256, start_size=256, widths=(48, 48, 6, 3), width=40)
    assert config.level_widths == (40, 40, 6, 3, 1, 1, 1)
    assert settings(widths=(48, 6)).notes == (
        "--widths ends at 8 px; the next levels get: 3 at 16 px, 1 at 32 px",
    )
    assert settings().notes == ()
    paper = settings(crop_size=1024)
    assert settings(crop_size=1024, widths=paper.widths[:5]).level_widths == paper.level_widths


def test_lists_by_resolution_can_be_emptied() -> None:
    config = settings(crop_size=256, start_size=256, batch_sizes="", lrs="")
    assert [g.batch_size for g in config.planned_stages()] == [4]
    assert settings(crop_size=256, start_size=256).planned_stages()[0].batch_size == 14


def test_length_in_steps_or_images_ends_growth_early_or_makes_the_last_stage_longer() -> None:
    config = settings(start_size=16)
    assert config.total_steps(0) == 15 + 10 + 15
    assert [stage.steps for stage in settings(start_size=16, steps=20).stages()] == [15, 5]
    assert [stage.steps for stage in settings(start_size=16, steps=100).stages()] == [15, 10, 75]
    assert settings(start_size=16, images=80).total_steps(0) == 20
    assert settings(start_size=16, images=400).total_steps(0) == 100
    assert settings(start_size=16, steps=7).total_steps(0) == 7


def test_a_fade_goes_from_nothing_to_all_even_if_training_ends_within_it() -> None:
    system = fresh(stage_images=2, fade_images=20)
    alphas = [at(system, "16 px, fading in", step).clock.alpha for step in (0, 5, 10)]
    assert alphas == [0.0, 0.5, 1.0]
    ended = fresh(stage_images=2, fade_images=20, steps=6)  # 1 step of 8 px, 5 of the fade
    assert at(ended, "16 px, fading in", 5).growth == (2, 0.5)
    assert at(system, "16 px").growth == (2, 1.0)


def test_at_the_start_of_a_fade_both_networks_do_what_the_smaller_ones_did() -> None:
    system = fresh()
    code, images = torch.randn(4, 8), torch.rand(4, 3, 16, 16)
    torch.testing.assert_close(system.G(code, 2, 0.0), upsample_2x(system.G(code, 1)))
    torch.testing.assert_close(system.D(images, 2, 0.0), system.D(avg_pool2d(images, 2), 1))
    assert not torch.allclose(system.G(code, 2, 0.5), system.G(code, 2, 0.0))
    assert not torch.allclose(system.D(images, 2, 0.5), system.D(images, 2, 0.0))
    halfway = (system.G(code, 2, 0.0) + system.G(code, 2, 1.0)) / 2
    torch.testing.assert_close(system.G(code, 2, 0.5), halfway)


def test_real_images_are_faded_like_fakes() -> None:
    images = torch.rand(2, 3, 8, 8)
    assert fade_reals(images, 1.0) is images
    torch.testing.assert_close(fade_reals(images, 0.0), upsample_2x(avg_pool2d(images, 2)))
    torch.testing.assert_close(fade_reals(images, 0.5), (images + upsample_2x(avg_pool2d(images, 2))) / 2)


def test_each_stage_trains_the_layers_in_use_with_fresh_optimisers_at_its_learning_rate() -> None:
    system = fresh(lrs="16:0.002,32:0.003", lr=0.001)
    for name, lr in (("8 px", 0.001), ("16 px, fading in", 0.002), ("16 px", 0.002), ("32 px", 0.003)):
        optimizers = at(system, name).optimizers()
        assert optimizers["G"].param_groups[0]["lr"] == lr
        assert not optimizers["G"].state
        trained = {id(weight) for group in optimizers["G"].param_groups for weight in group["params"]}
        level = system.clock.stage.level
        heads = [number for number, head in enumerate(system.G.to_rgb) if id(head.weight) in trained]
        assert heads == ([level - 1, level] if "fading" in name else [level])
        blocks = [n for n, block in enumerate(system.G.blocks) if id(block.conv.weight) in trained]
        assert blocks == list(range(level + 1))


def test_layers_of_later_resolutions_stay_as_they_are() -> None:
    system = fresh(steps=4)  # 8 px; fade to 16 px in two steps; 16 px
    before = {key: value.clone() for key, value in system.state_dict().items()}
    Trainer(system, batches("progan", 2), CPU).fit()
    moved = {key for key, value in system.state_dict().items() if not torch.equal(value, before[key])}
    assert {"G.blocks.2.up.weight", "D.blocks.2.conv.weight", "D.from_rgb.2.weight"} <= moved
    assert not any(".3." in key for key in moved)


# -- layers ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("side", [4, 6])
def test_strided_kernels_equal_resampling_beside_a_convolution(side: int) -> None:
    x = torch.randn(2, 3, side, side, dtype=torch.float64)
    up, down = (EqualConv2d(3, 5, 3, resample=each).double() for each in ("up", "down"))
    for layer in (up, down):
        torch.nn.init.normal_(layer.bias)
    wanted = conv2d(upsample_2x(x), up.weight * up.scale, up.bias, padding=1)
    torch.testing.assert_close(up(x), wanted)
    wanted = avg_pool2d(conv2d(x, down.weight * down.scale, down.bias, padding=1), 2)
    torch.testing.assert_close(down(x), wanted)


def test_equalised_layers_keep_the_scale_of_their_input() -> None:
    x = torch.randn(64, 100)
    assert EqualLinear(100, 200, gain=1.0)(x).std().item() == pytest.approx(1, abs=0.1)
    images = torch.randn(8, 50, 16, 16)
    assert EqualConv2d(50, 40, 3, 1.0)(images)[:, :, 2:-2, 2:-2].std().item() == pytest.approx(1, abs=0.1)
    assert EqualConv2d(50, 40, 3).weight.std().item() == pytest.approx(1, abs=0.05)


def test_equal_images_have_no_deviation_and_groups_are_their_own() -> None:
    x = torch.randn(1, 3, 4, 4).repeat(8, 1, 1, 1)
    x[1::2] += torch.randn(4, 3, 4, 4)  # groups of four: the even ones and the odd ones
    deviation = append_deviation(x, 4)[:, 3, 0, 0]
    assert deviation[::2].max() < 1e-3
    assert deviation[1::2].min() > 0.1
    assert append_deviation(x, 3).shape == (8, 4, 4, 4)  # not divisible: all of them


# -- losses and classes ----------------------------------------------------------------------------


def losses(system: ProGAN, batch: Batch) -> dict[str, float]:
    found: dict[str, float] = {}
    for update in system.training_step(batch):
        found |= {f"{update.optimizer}/{name}": loss.item() for name, loss in update.losses.items()}
    return found


def test_the_re_implementation_adds_losses_up() -> None:
    batch = batch_of(8)
    torch.manual_seed(0)
    plain = fresh(stddev_group=1)
    summed = fresh(stddev_group=1)
    summed.summed = True
    summed.load_state_dict(plain.state_dict())
    torch.manual_seed(1)
    mean = losses(plain, batch)
    torch.manual_seed(1)
    total = losses(summed, batch)
    assert set(mean) == {"D/gan", "D/penalty", "D/drift", "G/gan"}
    assert total == pytest.approx({name: 4 * value for name, value in mean.items()}, rel=1e-4)


def test_both_conventions_learn() -> None:
    for convention in ("paper", "zoo"):
        system = fresh(steps=6, convention=convention)
        Trainer(system, batches("progan", 2), CPU).fit()
        assert all(weight.isfinite().all() for weight in system.parameters())


def test_classes_enter_with_the_code_and_are_judged() -> None:
    system = fresh(conditional=True, classes=("cat", "dog", "owl"))
    batch = batch_of(8) | {"label": torch.eye(3)[torch.tensor([0, 1, 2, 0])]}
    found = losses(system, batch)
    assert {"D/class", "G/class"} <= set(found)
    assert system.D(batch["image"], 1).shape == (4, 4)
    assert names_of(tasks(system, generating=True)) == ("cat", "dog", "owl")
    code = torch.randn(2, 8)
    answers = [ask(system, latent=code, to=name) for name in (None, "cat", "owl")]
    assert torch.equal(answers[0], answers[1])
    assert not torch.equal(answers[1], answers[2])
    with pytest.raises(UserError, match=r"--to lynx: unknown target 'lynx'.* cat, dog, owl"):
        resolve(system, "lynx", generating=True)
    without = Outputs("ProGAN", fresh().config, tasks(fresh(), generating=True))
    with pytest.raises(UserError, match="ProGAN has no --to; it takes --latent"):
        without.plan(TranslateOptions(to="cat"))


def test_images_are_bounded_and_can_be_searched_for() -> None:
    system = at(fresh(), "32 px")
    code = (3 * torch.randn(2, 8)).requires_grad_(True)
    images = ask(system, latent=code)
    assert images.shape == (2, 3, 32, 32)
    assert images.abs().max() <= 1
    (gradient,) = torch.autograd.grad(images.sum(), code)
    assert gradient.abs().sum() > 0
    assert resolve(system, generating=True).output.fixed == (32, 32)


def test_truncated_samples_vary_less_and_of_a_class_stay_of_it() -> None:
    system = at(fresh(classes=("cat", "dog"), conditional=True), "16 px").eval()
    codes = torch.randn(64, 8)

    def spread(truncate: float | None) -> torch.Tensor:
        return ask(system, latent=codes, to="dog", truncate=truncate).std(0).mean()

    with torch.inference_mode():
        assert spread(1.5) == spread(1.0) == spread(None)
        assert spread(0.05) < 0.5 * spread(0.6) < 0.5 * spread(1.0)
        usual = [ask(system, latent=codes[:1], to=to, truncate=1e-6) for to in ("cat", "dog")]
    assert not torch.allclose(*usual)


def test_samples_stand_beside_reals_that_are_faded_like_them() -> None:
    system, batch = at(fresh(), "16 px, fading in", 1).eval(), batch_of(16)
    ((fake, real),) = samples(system, batch).values()
    assert torch.equal(fake, system.G(batch["codes"][:, 0], 2, 0.5))
    assert torch.equal(real, fade_reals(batch["image"], 0.5))


def test_sheets_show_the_same_codes_every_time_and_both_sides_of_a_fade() -> None:
    system = at(fresh(), "16 px, fading in", 1)
    shown = system.preview(batch_of(16, 1))
    assert list(shown)[:3] == ["8 px", "16 px", "50% faded in"]
    assert list(shown)[-1] == "real"
    assert all(images.shape == (1, 3, 16, 16) for images in shown.values())
    assert not any(torch.equal(shown["sample 2"], shown[name]) for name in shown if name != "sample 2")


# -- what does not fit -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"crop_size": 48}, "crops of 48x48 .*choose a power of two, such as 64"),
        ({"crop_size": "64x32"}, "crops of 32x64|crops of 64x32"),
        ({"crop_size": 2}, "crops of 2x2"),
        ({"start_size": 12}, "--start-size 12 is not a power of two"),
        ({"start_size": 64}, "--start-size 64 is larger than --crop-size 32: it cannot grow to a smaller"),
        ({"widths": ()}, "--widths is empty; give the channels at 4 px at least"),
        ({"batch_sizes": "16:two"}, "--batch-sizes 16:two: expected RESOLUTION:NUMBER, such as 256:14"),
        ({"batch_sizes": "16:2.5"}, "--batch-sizes 16:2.5"),
        ({"lrs": "0.1"}, "--lrs 0.1: expected RESOLUTION:NUMBER"),
        ({"lrs": "16:0"}, "--lrs 16:0"),
    ],
)
def test_settings_that_do_not_fit_are_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        settings(**changes)


def test_images_smaller_than_the_last_resolution_are_refused(tmp_path: Path) -> None:
    write_sprites(tmp_path, train=2, test=0, size=24)
    with pytest.raises(UserError, match=r"24x24 pixels\).*smaller than the 32x32 .*--crop-size 16"):
        scanned("progan", [tmp_path], settings())


def test_data_come_at_every_resolution_without_cutting_square_images(tmp_path: Path) -> None:
    Image.fromarray(paint_sprite(np.random.default_rng(0), 40)).save(tmp_path / "a.png")
    data = scanned("progan", [tmp_path], settings(num_latents=6))
    for side in (4, 8, 16, 32):
        example = data.train(Shape(side)).get(0, np.random.default_rng(0))
        assert example["image"].shape == (3, side, side)
        assert example["codes"].shape == (2, 6)
        assert torch.equal(
            example["image"], data.train(Shape(side)).get(0, None)["image"]
        )  # nothing is drawn
