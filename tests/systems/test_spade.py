"""SPADE: losses and their order, sizes, styles, instances, memory."""

from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor

from i2icli.inference.translator import Translator
from i2icli.nn.label_maps import boundaries
from i2icli.nn.spectral_norm import SpectralConv2d
from i2icli.request import Request
from i2icli.runtime.checkpoint import write_model
from i2icli.runtime.device import Placement
from i2icli.systems.spade.config import SPADEConfig
from i2icli.systems.spade.system import SPADE
from i2icli.training.ema import EMA
from i2icli.training.trainer import Trainer
from tests.asking import ask, tasks
from tests.systems.steps import run_step
from tests.tiny import tiny_config
from tests.training.synthetic import assert_same, batches

CPU = Placement(torch.device("cpu"))
VAE = {"vae": True, "num_latents": 5}


def tiny(**changes: Any) -> SPADE:
    torch.manual_seed(0)
    config = tiny_config("spade", **changes)
    assert isinstance(config, SPADEConfig)
    return SPADE(config)


def scenes(height: int = 32, width: int = 32, rows: int = 2) -> dict[str, Tensor]:
    torch.manual_seed(1)
    maps = {"labels": torch.randint(14, (rows, 1, height, width))}
    maps |= {"instances": torch.randint(3, (rows, 1, height, width))}
    return maps | {"image": torch.rand(rows, 3, height, width) * 2 - 1}


def lively(system: SPADE) -> SPADE:
    """With maps and codes that matter: fresh weights are so small that they hardly do."""
    with torch.no_grad():
        for module in system.modules():
            if isinstance(module, torch.nn.Conv2d | torch.nn.Linear) and not isinstance(
                module, SpectralConv2d
            ):
                module.weight *= 20
    return system.eval()


@pytest.mark.parametrize(("changes", "generator"), [
    ({}, ["gan", "matching"]),
    ({"norm": "instance", "spectral_norm": False}, ["gan", "matching"]),
    ({"num_upsampling": "more", "num_levels": 1}, ["gan", "matching"]),
    ({"num_upsampling": "most", "num_levels": 1, "kernel": 5}, ["gan", "matching"]),
    ({"gan_loss": "lsgan", "matching_weight": 0}, ["gan"]),
    ({"gan_loss": "vanilla", "num_scales": 1, "num_layers": 3}, ["gan", "matching"]),
    ({"instances": False, "dont_care": True, "channels": 1}, ["gan", "matching"]),
    (VAE, ["kl", "gan", "matching"]),
])  # fmt: skip
def test_every_variant_trains(changes: dict[str, Any], generator: list[str]) -> None:
    system, batch = tiny(**changes), scenes()
    batch["image"] = batch["image"][:, : system.config.image_channels]
    before = {name: value.clone() for name, value in system.named_parameters()}

    updates = run_step(system, batch)

    assert [update.optimizer for update in updates] == ["G", "D"]
    assert [list(update.losses) for update in updates] == [generator, ["gan"]]
    assert all(loss.isfinite() for update in updates for loss in update.losses.values())
    still = [name for name, value in system.named_parameters() if torch.equal(value, before[name])]
    assert not [name for name in still if name.endswith("weight")]


def test_defaults_are_the_papers() -> None:
    config = SPADEConfig()
    assert (config.lr, config.discriminator_lr, config.betas) == (1e-4, 4e-4, (0.0, 0.9))
    assert (config.epochs, config.decay_from, config.crop_size, config.resize_to) == (
        200, 0.5, (256, 256), (286, 286)
    )  # fmt: skip
    assert (config.gan_loss, config.matching_weight, config.kl_weight) == ("hinge", 10, 0.05)
    assert (config.norm, config.width, config.modulation_width, config.kernel) == ("batch", 64, 128, 3)
    assert (config.num_scales, config.num_layers, config.discriminator_width) == (2, 4, 64)
    rates = {name: each.param_groups[0]["lr"] for name, each in tiny().optimizers().items()}
    assert rates == {"G": 1e-4, "D": 4e-4}


@pytest.mark.parametrize(
    ("channels", "instances", "millions"), [(184, True, 97.5), (151, False, 96.5), (36, True, 93.0)]
)
def test_the_published_generators_have_as_many_weights(
    channels: int, instances: bool, millions: float
) -> None:
    classes = tuple(f"{each} {each}" for each in range(channels - instances))
    with torch.device("meta"):
        G = SPADE(SPADEConfig(classes=classes, instances=instances)).G
    assert sum(weight.numel() for weight in G.parameters()) / 1e6 == pytest.approx(millions, abs=0.05)


@pytest.mark.parametrize(
    ("changes", "multiple"),
    [({}, 32), ({"num_upsampling": "more"}, 64), ({"num_upsampling": "most"}, 128), ({"num_levels": 2}, 8)],
)
def test_images_of_the_right_multiples_have_any_aspect_ratio(changes: dict[str, Any], multiple: int) -> None:
    config = SPADEConfig.model_validate({"width": 2, "modulation_width": 2, "norm": "instance"} | changes)
    (task,) = config.tasks(config.stages()[0])
    assert (task.inputs["labels"].multiple, task.inputs["labels"].fixed) == (multiple, None)
    system = SPADE(config).eval()
    for height, width in ((2 * multiple, 2 * multiple), (2 * multiple, 3 * multiple)):
        labels = torch.randint(8, (1, 1, height, width))
        assert system(task, {"labels": labels})[0].shape == (1, 3, height, width)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"crop_size": 250}, ["250x250", "multiples of 32", "--num-levels"]),
        ({"crop_size": 32}, ["32x32", "too small", "64 px"]),
        ({"crop_size": "256x128", "num_upsampling": "most"}, ["256x128", "too small", "256 px"]),
        ({"crop_size": 128, "num_upsampling": "most", "num_levels": 5}, ["128x128", "too small"]),
    ],
)
def test_crops_that_do_not_fit_are_refused(settings: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(ValidationError) as refused:
        SPADEConfig(**settings)
    assert all(word in str(refused.value) for word in words)


def test_the_discriminators_see_a_fake_of_the_new_generator() -> None:
    system, batch = tiny(), scenes()
    fakes: list[Tensor] = []
    system.G.register_forward_hook(lambda _module, _inputs, output: fakes.append(output))
    seen: list[Tensor] = []
    system.D.register_forward_hook(lambda _module, given, _output: seen.append(given[0]))
    (G, D) = run_step(system, batch)
    for fake, pairs in zip(fakes, seen, strict=True):
        assert torch.equal(pairs[:2, -3:], fake)  # the fakes first
        assert torch.equal(pairs[2:, -3:], batch["image"])
        assert torch.equal(pairs[:2, :-3], pairs[2:, :-3])
    assert [fake.requires_grad for fake in fakes] == [True, False]
    assert not torch.equal(*fakes)
    assert G.fakes == G.reconstructed == {"": (fakes[0], batch["image"])}
    assert (D.fakes, D.reconstructed) == ({}, {})


# -- label maps ------------------------------------------------------------------------------


def test_without_instance_maps_the_boundaries_are_those_of_the_classes() -> None:
    system, (task,) = lively(tiny()), tasks(tiny())
    assert task.inputs["instances"].instead == "labels"
    batch = scenes()
    given = {name: batch[name] for name in ("labels", "instances")}
    alone = ask(system, {"labels": batch["labels"]})
    assert torch.equal(alone, ask(system, given | {"instances": batch["labels"]}))
    assert not torch.equal(alone, ask(system, given))


def test_a_model_without_instances_reads_none() -> None:
    system = lively(tiny(instances=False))
    assert set(tasks(system)[0].inputs) == {"labels"}
    batch = scenes()
    assert torch.equal(ask(system, {"labels": batch["labels"]}), ask(system, batch))


def test_what_is_unlabelled_is_a_class_or_none() -> None:
    labels = scenes()["labels"]
    without = torch.where(labels == 3, 14, labels)
    for dont_care in (False, True):
        system = lively(tiny(instances=False, dont_care=dont_care))
        assert not torch.equal(ask(system, {"labels": labels}), ask(system, {"labels": without}))
        assert system.G.start.in_channels == 14 + dont_care


def test_networks_see_the_boundaries_beside_the_classes() -> None:
    system, batch = tiny(), scenes()
    planes = system._planes(batch).planes(torch.float32)
    assert torch.equal(planes[:, :14].argmax(1, keepdim=True), batch["labels"])
    assert torch.equal(planes[:, 14:], boundaries(batch["instances"]))


# -- styles ----------------------------------------------------------------------------------


def test_styles_are_codes_or_photos_and_fix_the_size() -> None:
    system = lively(tiny(**VAE))
    (task,) = tasks(system)
    assert task.reads == {"latent", "reference"}
    assert task.inputs["labels"].fixed == task.inputs["instances"].fixed == (32, 32)
    batch = scenes()
    labels, photo = {"labels": batch["labels"]}, batch["image"][:1]
    mean, _ = system.E(photo)
    by_photo = ask(system, labels, reference=photo)
    assert torch.equal(by_photo, ask(system, labels, latent=mean))
    assert not torch.allclose(by_photo, ask(system, labels, latent=mean + 1), atol=1e-3)
    large = torch.nn.functional.interpolate(photo, (90, 70))
    assert ask(system, labels, reference=large).shape == (2, 3, 32, 32)
    assert task.reference is not None
    assert system.config.conditions(task, Request()) == {}


@pytest.mark.parametrize("norm", ["batch", "instance"])
def test_many_styles_of_one_map_are_computed_together(norm: str) -> None:
    system = lively(tiny(**VAE, norm=norm))
    (task,) = tasks(system)
    labels = {"labels": scenes(rows=1)["labels"]}
    codes = torch.randn(3, 5)
    together, _ = system(task, labels | {"latent": codes})
    alone = torch.cat([system(task, labels | {"latent": code[None]})[0] for code in codes])
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=1e-4)


def test_in_validation_a_map_has_the_style_of_its_photo() -> None:
    system, batch = lively(tiny(**VAE)), scenes()
    found = system.evaluate(batch)
    (fake, photo) = found.compared[""]
    codes = system.E(batch["image"])[0]
    inputs = {name: batch[name] for name in ("labels", "instances")}
    assert torch.equal(fake, system(tasks(system)[0], inputs | {"latent": codes})[0])
    assert photo is batch["image"]
    assert found.labels is batch["labels"]
    assert list(system.preview(batch)) == ["labels", "fake", "truth"]


def test_the_divergence_is_added_up_over_the_batch() -> None:
    system = tiny(**VAE, kl_weight=2.0)
    one, two = scenes(rows=1), {name: each.repeat(2, 1, 1, 1) for name, each in scenes(rows=1).items()}
    first, second = (next(iter(system.training_step(batch))).losses["kl"] for batch in (one, two))
    system.E.eval()
    mean, log_variance = system.E(one["image"])
    expected = (mean**2 + log_variance.exp() - 1 - log_variance).sum()  # 2.0 * 0.5
    torch.testing.assert_close(first, expected, rtol=0.05, atol=0)
    torch.testing.assert_close(second, 2 * first, rtol=0.05, atol=0)


# -- memory, averages, inference -------------------------------------------------------------


def test_computing_activations_twice_changes_nothing() -> None:
    ends = []
    for twice in (False, True):
        system = tiny(batch_size=2, steps=3, checkpoint_activations=twice)
        Trainer(system, batches("spade", 2), CPU).fit()
        ends.append(system.state_dict())
    assert_same(*ends)


def test_statistics_are_estimated_anew_for_averaged_weights() -> None:
    system = tiny()
    found = {id(norm) for norm, _ in EMA(system, 0.9).norms}
    assert len(found) == sum("running_mean" in name for name in system.G.state_dict())


def test_weights_are_normalised_once_for_inference(tmp_path: Path) -> None:
    system = tiny().eval()
    modules = {name: system.get_submodule(name) for name in system.inference_modules}
    write_model(tmp_path / "model.safetensors", system, "spade", modules)
    loaded = Translator.load(tmp_path / "model.safetensors", precision="fp32", runtime="torch").backend.system
    assert all(each.folded for each in loaded.G.modules() if isinstance(each, SpectralConv2d))
    labels = {"labels": scenes()["labels"]}
    torch.testing.assert_close(ask(loaded, labels), ask(system, labels), atol=1e-5, rtol=1e-4)
