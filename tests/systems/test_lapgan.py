"""LAPGAN: stages and losses, two ways of making pictures, classes, schedule, settings that cannot work."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from pydantic import ValidationError
from torch import Tensor
from torch.optim import SGD

from i2icli.errors import UserError
from i2icli.inference.options import TranslateOptions
from i2icli.inference.translator import Translator
from i2icli.nn.pyramid import upsample
from i2icli.originals import load_original
from i2icli.recipe import resolve_config
from i2icli.runtime.checkpoint import write_model
from i2icli.runtime.device import Placement
from i2icli.runtime.torch_backend import TorchBackend
from i2icli.stage import Clock, Stage
from i2icli.systems.lapgan.config import LAPGANConfig
from i2icli.systems.lapgan.system import LAPGAN, times, uniform
from i2icli.task import names_of
from i2icli.training.compiling import compile_networks
from i2icli.training.run import build_system
from tests.asking import ask, compare, measure, resolve, samples, tasks
from tests.data.files import scanned
from tests.parity import cases
from tests.systems.steps import run_step
from tests.tiny import tiny_config


def tiny(**changes: Any) -> LAPGAN:
    torch.manual_seed(0)
    config = tiny_config("lapgan", **changes)
    assert isinstance(config, LAPGANConfig)
    return LAPGAN(config)


def test_the_networks_of_every_level_are_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[str] = []
    monkeypatch.setattr(torch.nn.Module, "compile", lambda network: compiled.append(type(network).__name__))
    system = tiny()
    compile_networks(system)  # the cascades themselves are never called
    levels = len(system.G.levels)
    assert levels > 1
    expected = ["SmallGenerator", "SmallDiscriminator", *["LevelGenerator", "LevelDiscriminator"] * levels]
    assert sorted(compiled) == sorted(expected)


def codes(system: LAPGAN, number: int = 1) -> Tensor:
    """Latent codes (K, Z)."""
    return torch.randn(number, resolve(system).latent_size)


def batch(system: LAPGAN, side: int = 32) -> dict[str, Tensor]:
    torch.manual_seed(1)
    made = {
        "image": torch.rand(2, 3, side, side) * 2 - 1,
        "noise": torch.rand(2, system.config.noise_size) * 2 - 1,
    }
    classes = len(system.config.classes)
    return made | ({"label": torch.eye(classes)[[0, classes - 1]]} if classes else {})


def at(system: LAPGAN, name: str, step: int = 0) -> LAPGAN:
    """The system at a level."""
    system.clock = Clock(Stage(name, 10), step)
    return system


# -- learning --------------------------------------------------------------------------------


def test_steps_are_shared_by_the_levels() -> None:
    assert [(s.name, s.steps) for s in tiny(steps=9).config.stages()] == [
        ("8 px", 3),
        ("16 px", 3),
        ("32 px", 3),
    ]
    shared = tiny(steps=20, shares=(7, 2, 1)).config.stages()
    assert [stage.steps for stage in shared] == [14, 4, 2]
    assert [stage.name for stage in tiny(steps=1).config.stages()] == ["32 px"]
    assert [stage.name for stage in tiny(coarsest=False).config.stages()] == ["16 px", "32 px"]


@pytest.mark.parametrize("changes", [
    {}, {"conditional": True, "classes": ("cat", "dog", "newt")}, {"norm": "batch", "generator_dropout": 0.5},
    {"pixel_weight": 2.0}, {"pixel_weight": 2.0, "gan_weight": 0, "coarsest": False}, {"widths": (4, 6, 5)},
    {"discriminator_widths": (4, 5, 6), "kernel": 3, "last_kernel": 7}, {"interpolation": "centres"},
    {"optimizer": "sgd", "lr": 0.02}, {"sides": (5, 12, 32)},
])  # fmt: skip
def test_every_variant_trains_at_every_level(changes: dict[str, Any]) -> None:
    system = tiny(**changes)
    for stage in system.config.stages():
        system.clock = Clock(stage)
        before = {name: value.clone() for name, value in system.named_parameters()}
        updates = run_step(system, batch(system))
        assert [update.optimizer for update in updates] == (["D", "G"] if system.config.gan_weight else ["G"])
        assert all(loss.isfinite() for update in updates for loss in update.losses.values())
        moved = {name for name, value in system.named_parameters() if not torch.equal(value, before[name])}
        level = system._level
        place = "first" if level is None else f"levels.{level}"
        assert moved
        assert all(name[2:].startswith(place) for name in moved)
        assert ("pixels" in updates[-1].losses) == bool(changes.get("pixel_weight") and level is not None)


def test_the_paper_s_schedule_drives_the_optimisers() -> None:
    system = tiny(optimizer="sgd", lr=0.02, epoch_images=4, batch_size=2, most_momentum=0.502)
    optimizers = system.optimizers()
    assert isinstance(optimizers["D"], SGD)
    seen = []
    for step in range(0, 10, 2):
        at(system, "8 px", step)
        run_step(system, batch(system), optimizers)
        group = optimizers["G"].param_groups[0]
        assert group["momentum"] == group["dampening"]
        seen.append((round(group["momentum"], 5), system.lr_factor("G")))
    assert [momentum for momentum, _ in seen] == [0.5, 0.5008, 0.5016, 0.502, 0.502]
    assert [factor for _, factor in seen] == pytest.approx([1.00004**-epoch for epoch in range(5)])


def test_with_adam_the_rate_falls_at_each_level() -> None:
    system = at(tiny(decay_from=0.5), "8 px", 0)
    assert [at(system, "16 px", step).lr_factor("G") for step in (0, 5, 10)] == [1, 1, 0]


def test_noise_reaches_every_level() -> None:
    system = tiny().eval()
    noise = system.G.split(torch.arange(system.config.noise_size).float()[None])
    assert [part.shape for part in noise] == [(1, 100), (1, 1, 16, 16), (1, 1, 32, 32)]
    assert noise[1].flatten()[0] == 100
    assert noise[2].flatten()[0] == 356


# -- making pictures -------------------------------------------------------------------------


def test_levels_whose_stage_has_not_begun_only_enlarge() -> None:
    system = tiny().eval()
    code = codes(system, 2)
    noise = system.G.split(uniform(code))
    for stage in system.config.stages()[:2]:
        system.clock = Clock(stage)
        wanted = system.G.first_image(noise, None)
        for place, side in enumerate(system.config.pyramid[1:]):
            wanted = upsample(wanted, (side, side))
            if side <= int(stage.name.removesuffix(" px")):
                wanted = wanted + system.G.residual(place, wanted, noise, None)
        torch.testing.assert_close(ask(system, latent=code), wanted.clamp(-1, 1))


def test_a_sample_follows_from_its_code_and_can_be_searched_for() -> None:
    system = tiny().eval()
    system.clock = Clock(system.config.stages()[-1])
    code = codes(system, 3).requires_grad_()
    made = ask(system, latent=code)
    assert made.shape == (3, 3, 32, 32)
    torch.testing.assert_close(made[1:2], ask(system, latent=code[1:2]))
    (gradient,) = torch.autograd.grad(made.sum(), code)
    parts = torch.split(gradient, list(system.config.noise_sizes), dim=1)
    assert all(part.abs().sum() > 0 for part in parts)


def test_codes_become_uniform_noise() -> None:
    drawn = uniform(torch.randn(100_000))
    assert drawn.abs().max() <= 1
    assert abs(drawn.mean()) < 0.01
    assert abs(drawn.var() - 1 / 3) < 0.01


@pytest.mark.parametrize(("to", "size"), [("x2", (46, 30)), ("x4", (92, 60)), (None, (46, 30))])
def test_pictures_of_any_size_are_enlarged(to: str | None, size: tuple[int, int]) -> None:
    system = tiny().eval()
    answer = ask(system, image=torch.rand(2, 3, 23, 15) * 2 - 1, to=to)
    assert answer.shape == (2, 3, *size)
    assert answer.abs().max() <= 1
    assert resolve(system, to).output.scale == (4 if to == "x4" else 2)


def test_enlarging_without_residuals_is_interpolation() -> None:
    system = tiny(interpolation="centres").eval()
    for level in system.G.levels:
        torch.nn.init.zeros_(level.head.weight)  # type: ignore[union-attr, arg-type]
        torch.nn.init.zeros_(level.head.bias)  # type: ignore[union-attr, arg-type]
    image = torch.rand(1, 3, 40, 50)
    wanted = torch.nn.functional.interpolate(image, scale_factor=2.0, mode="bilinear")
    torch.testing.assert_close(ask(system, image=image), wanted)


def test_levels_need_not_be_twice_as_large() -> None:
    system = tiny(crop_size=28, sides=(8, 14, 28)).eval()
    assert names_of(tasks(system)) == ("x2", "x3.5")
    assert ask(system, image=torch.zeros(1, 3, 9, 11), to="x3.5").shape == (1, 3, 32, 38)
    assert ask(system).shape == (1, 3, 28, 28)


def test_sides_are_rounded_as_numbers_are() -> None:
    for factor in (Fraction(7, 2), Fraction(28, 8), Fraction(5, 3), Fraction(4)):
        assert [times(side, factor) for side in range(99)] == [round(side * factor) for side in range(99)]


def test_files_come_out_larger_alpha_and_depth_kept(tmp_path: Path) -> None:
    system = build_system("lapgan", tiny_config("lapgan"))
    write_model(tmp_path / "model.safetensors", system, "lapgan", {"G": system.G})
    translator = Translator.load(tmp_path / "model.safetensors", precision="fp32")
    Image.fromarray(np.full((20, 30, 4), 99, np.uint8)).save(tmp_path / "small.png")
    for to, size in (("x2", (60, 40)), ("x4", (120, 80))):
        (result,) = translator.run([str(tmp_path / "small.png")], tmp_path / to, TranslateOptions(to=to))
        assert result.status == "done"
        with Image.open(tmp_path / to / "small.png") as made:
            assert made.size == size
            assert made.mode == "RGBA"
            assert np.asarray(made)[:, :, 3].min() == 99
    every = TranslateOptions(to="all")
    results = list(translator.run([str(tmp_path / "small.png")], tmp_path / "all", every))
    assert [result.status for result in results] == ["done", "done"]
    generated = list(translator.sample(tmp_path / "generated", TranslateOptions(samples=2)))
    assert [Image.open(result.target or "").size for result in generated] == [(32, 32)] * 2


def test_a_model_that_only_enlarges_says_so(tmp_path: Path) -> None:
    system = tiny(coarsest=False).eval()
    assert not tasks(system, generating=True)
    assert ask(system, image=torch.zeros(1, 3, 8, 8)).shape == (1, 3, 16, 16)
    backend = TorchBackend(system, Placement(torch.device("cpu")))
    translator = Translator(backend, tmp_path / "model.safetensors")
    with pytest.raises(UserError, match="LAPGAN translates images, but no input images are given"):
        translator.sample(tmp_path / "out")


@pytest.mark.parametrize(("asked", "folders"), [("all", ["cat", "dog"]), ("dog", ["out"]), (None, ["out"])])
def test_samples_are_of_classes_not_of_factors(asked: str | None, folders: list[str], tmp_path: Path) -> None:
    system = tiny(conditional=True, classes=("cat", "dog"))
    write_model(tmp_path / "m.safetensors", system, "lapgan", {"G": system.G})
    translator = Translator.load(tmp_path / "m.safetensors", "cpu")
    results = translator.sample(tmp_path / "out", TranslateOptions(to=asked, samples=1))
    assert [result.target.parent.name for result in results if result.target] == folders
    with pytest.raises(UserError, match="--to x4 upscales images; give some"):
        translator.sample(tmp_path / "out", TranslateOptions(to="x4", samples=1))


def test_all_samples_of_one_factor_without_classes_are_the_usual_ones(tmp_path: Path) -> None:
    system = tiny(sides=(16, 32))
    write_model(tmp_path / "m.safetensors", system, "lapgan", {"G": system.G})
    translator = Translator.load(tmp_path / "m.safetensors", "cpu")
    results = list(translator.sample(tmp_path / "out", TranslateOptions(to="all", samples=1)))
    assert [result.status for result in results] == ["done"]


# -- classes ---------------------------------------------------------------------------------


def test_a_class_can_be_asked_for_with_a_factor_or_without() -> None:
    system = tiny(conditional=True, classes=("cat", "dog")).eval()
    assert names_of(tasks(system)) == ("x2", "x4", "cat", "dog")
    assert names_of(tasks(system, generating=True)) == ("cat", "dog")
    assert resolve(system, "DOG, x4").name == "x4,dog"
    code = codes(system)
    cat, dog = (ask(system, latent=code, to=name) for name in ("cat", "dog"))
    assert not torch.equal(cat, dog)
    image = torch.rand(1, 3, 9, 9)
    assert ask(system, image=image, latent=code, to="x4,dog").shape == (1, 3, 36, 36)
    assert resolve(system, "x4,dog").output.scale == 4
    for wrong in ("x4,x2", "cat,dog", "cow"):
        with pytest.raises(UserError, match=r"expected one factor|unknown target 'cow'"):
            resolve(system, wrong)


def test_without_a_class_the_code_picks_one() -> None:
    system = tiny(conditional=True, classes=("cat", "dog")).eval()
    code, image = codes(system), torch.rand(1, 3, 9, 9)
    for last, name in ((-0.5, "cat"), (0.5, "dog")):
        code[0, -1] = last
        torch.testing.assert_close(ask(system, latent=code), ask(system, latent=code, to=name))
        torch.testing.assert_close(
            ask(system, image=image, latent=code, to="x2"), ask(system, image=image, latent=code, to=name)
        )


# -- looking at it ---------------------------------------------------------------------------


def test_sheets_show_the_level_that_is_learned() -> None:
    system = tiny().eval()
    columns = at(system, "8 px").preview(batch(system))
    assert list(columns) == ["generated", "real"]
    assert columns["real"].shape == (2, 3, 8, 8)
    columns = at(system, "16 px").preview(batch(system))
    assert list(columns) == ["coarse", "with its residual", "real", "generated, 8 px", "generated, 16 px"]
    assert columns.pop("generated, 8 px").shape == (2, 3, 8, 8)
    assert {column.shape for column in columns.values()} == {(2, 3, 16, 16)}


def test_only_the_last_level_is_scored_against_the_truth() -> None:
    system = tiny().eval()
    data = batch(system)
    assert compare(at(system, "8 px"), data) == compare(at(system, "16 px"), data) == {}
    assert measure(system, data).keys() == {"enlarged_distance", "interpolated_distance"}
    ((generated, real),) = samples(system, data).values()
    assert generated.shape == real.shape == (2, 3, 16, 16)
    assert measure(at(system, "8 px"), data) == {}
    ((answer, truth),) = compare(at(system, "32 px"), data).values()
    assert torch.equal(truth, data["image"])
    assert answer.shape == truth.shape


# -- data, settings, originals ---------------------------------------------------------------


def write_images(folder: Path, size: tuple[int, int], count: int = 3) -> Path:
    folder.mkdir(parents=True)
    for number in range(count):
        Image.fromarray(np.full((*size, 3), 50 * number, np.uint8)).save(folder / f"{number}.png")
    return folder


def test_examples_bring_their_noise(tmp_path: Path) -> None:
    config = tiny_config("lapgan", preprocess="crop", holdout=0.4)
    assert isinstance(config, LAPGANConfig)
    data = scanned("lapgan", [write_images(tmp_path / "images", (40, 36), 5)], config)
    first, again, other = (data.train().get(0, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert first["noise"].shape == (config.noise_size,)
    assert -1 <= first["noise"].min() < -0.9
    assert 0.9 < first["noise"].max() <= 1
    assert torch.equal(first["noise"], again["noise"])
    assert not torch.equal(first["noise"], other["noise"])
    validation = data.validation()
    assert validation is not None
    assert torch.equal(validation.get(1, None)["noise"], validation.get(1, None)["noise"])
    assert not torch.equal(validation.get(0, None)["noise"], validation.get(1, None)["noise"])


def test_images_smaller_than_the_last_level_are_refused(tmp_path: Path) -> None:
    folder = write_images(tmp_path / "images", (20, 40))
    with pytest.raises(UserError, match=r"40x20 pixels.*smaller than the 32x32.*--crop-size 16"):
        scanned("lapgan", [folder], tiny_config("lapgan"))


@pytest.mark.parametrize(("settings", "words"), [
    ({"crop_size": "64x32"}, ["64x32", "square"]),
    ({"crop_size": 9}, ["9x9", "--sides"]),
    ({"crop_size": 48, "sides": (8, 16, 32)}, ["8,16,32", "32 px", "48", "both the same"]),
    ({"sides": (16, 8, 32)}, ["16,8,32", "growing sides"]),
    ({"sides": (2, 32)}, ["2,32", "from 4 px"]),
    ({"shares": (1, 2)}, ["1,2", "2 numbers", "3 levels (8, 16, 32 px)"]),
    ({"gan_weight": 0, "coarsest": False}, ["--pixel-weight 0"]),
    ({"gan_weight": 0, "pixel_weight": 1}, ["--no-coarsest"]),
    ({"conditional": True, "classes": ("x2", "y")}, ["'x2'"]),
])  # fmt: skip
def test_settings_that_cannot_work_are_refused(settings: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(ValidationError) as refused:
        LAPGANConfig.model_validate(settings)
    assert all(word in str(refused.value) for word in words)


def test_recipes_are_the_paper_s() -> None:
    pyramids = {name: resolve_config("lapgan", name, {}) for name in ("cifar10", "stl", "lsun")}
    sides = {name: config.pyramid for name, config in pyramids.items() if isinstance(config, LAPGANConfig)}
    assert sides == {"cifar10": (8, 14, 28), "stl": (8, 16, 32, 64, 96), "lsun": (4, 8, 16, 32, 64)}
    with torch.device("meta"):
        for config in pyramids.values():
            assert isinstance(config, LAPGANConfig)
            LAPGAN(config)


@pytest.mark.parametrize("name", ["conditional_generator", "class_conditional_generator"])
def test_a_generator_with_the_names_of_ports_enlarges_pictures(name: str, tmp_path: Path) -> None:
    case = cases.read("lapgan", name)
    torch.save(case.state(), tmp_path / "generator.pth")
    original = load_original(tmp_path / "generator.pth")
    assert original.system == "lapgan"
    assert "one level" in original.notes[0]
    assert isinstance(original.config, LAPGANConfig)
    system = LAPGAN(original.config).eval()
    system.load_state_dict(system.state_dict() | original.tensors)
    noise = case.given("noise").flatten(1)
    label = case.given("class") if "classes" in case.config else None
    with torch.inference_mode():
        residual = system.G.residual(0, case.given("coarse"), system.G.split(noise), label)
    cases.assert_images(residual, case.expected())
    translator = Translator.load(tmp_path / "generator.pth")
    assert np.asarray(translator.translate(np.zeros((32, 32, 3), np.uint8))).shape == (64, 64, 3)


def test_a_discriminator_is_told_apart(tmp_path: Path) -> None:
    torch.save(cases.read("lapgan", "conditional_discriminator").state(), tmp_path / "d.pth")
    with pytest.raises(UserError, match="discriminator of LAPGAN"):
        load_original(tmp_path / "d.pth")


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("class1.weight", (4, 10)),
        ("class1.weight", (1024, 0)),
        ("class1.bias", (3,)),
        ("conv1.weight", (9,)),
    ],
)
def test_weights_of_sizes_that_no_level_has_are_not_recognised(
    name: str, shape: tuple[int, ...], tmp_path: Path
) -> None:
    state = cases.read("lapgan", "class_conditional_generator").state() | {name: torch.zeros(shape)}
    if shape == (4, 10):
        state["class1.bias"] = torch.zeros(4)
    torch.save(state, tmp_path / "odd.pth")
    with pytest.raises(UserError, match="no system here recognises"):
        load_original(tmp_path / "odd.pth")
