"""Progressive GAN's networks and losses give the numbers of both reference programs."""

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from i2icli.losses.adversarial import Wasserstein
from i2icli.losses.drift import drift
from i2icli.losses.penalty import gradient_penalty
from i2icli.nn.equalised import EqualConv2d, EqualLinear
from i2icli.nn.minibatch_stddev import append_deviation
from i2icli.nn.pixel_norm import pixel_norm
from i2icli.nn.upsampling import upsample_2x
from i2icli.systems.progan.config import ProGANConfig
from i2icli.systems.progan.conventions import PAPER, ZOO
from i2icli.systems.progan.names import from_paper, from_zoo
from i2icli.systems.progan.networks import Discriminator, Generator, fade_reals
from tests.parity import cases
from tests.parity.cases import Case

SYSTEM = "progan"
OFFICIAL = cases.names(SYSTEM, "official")
ZOO_GENERATORS = cases.names(SYSTEM, "zoo_generator")
ZOO_DISCRIMINATORS = cases.names(SYSTEM, "zoo_discriminator")
DEVIATIONS = cases.names(SYSTEM, "minibatch_stddev")
OTHERS = ["layers", "schedule_and_reals", "wgan_gp_losses"]


def load(network: nn.Module, state: dict[str, Tensor] | None) -> nn.Module:
    assert state is not None
    network.load_state_dict(state, strict=True)
    return network.eval()


def zoo_discriminator(case: Case) -> nn.Module:
    config = case.config
    widths = [config["depth_scale0"], *config["other_depths"]]
    group = 4 if config["minibatch_stddev"] else 1
    labels = config.get("size_decision_layer", 1) - 1
    network = Discriminator(3, widths, config["depth_scale0"], labels, group, ZOO)
    return load(network, from_zoo(case.state(), "D"))


@pytest.mark.parametrize("name", ZOO_GENERATORS)
def test_generators_of_the_re_implementation(name: str) -> None:
    case = cases.read(SYSTEM, name)
    config = case.config
    widths = [config["depth_scale0"], *config["other_depths"]]
    G = load(Generator(config["dim_latent"], widths, 3, ZOO), from_zoo(case.state(), "G"))
    with torch.inference_mode():
        images = G(case.given("z"), len(widths) - 1, 1 - config["alpha"])
    cases.assert_images(images, case.expected())


@pytest.mark.parametrize("name", ZOO_DISCRIMINATORS)
def test_discriminators_of_the_re_implementation(name: str) -> None:
    case = cases.read(SYSTEM, name)
    D = zoo_discriminator(case)
    level, share = len(case.config["other_depths"]), 1 - case.config["alpha"]
    with torch.inference_mode():
        cases.assert_images(D.features(case.given(), level, share), case.expected("features"))
        cases.assert_images(D(case.given(), level, share), case.expected("score"))


@pytest.mark.parametrize("name", OFFICIAL)
def test_networks_of_the_paper_at_every_level_of_detail(name: str) -> None:
    case = cases.read(SYSTEM, name)
    config = case.config
    top = config["resolution"].bit_length() - 3
    widths = [min(config["fmap_max"], config["fmap_base"] >> (level + 1)) for level in range(top + 1)]
    convention = replace(PAPER, average_first=config["fused_scale"])
    generating = "generator" in name
    if generating:
        network = load(Generator(config["latent_size"], widths, 3, convention), from_paper(case.state(), "G"))
    else:
        D = Discriminator(3, widths, config["fmap_max"], 0, config["mbstd_group_size"], convention)
        network = load(D, from_paper(case.state(), "D"))
    for lod in config["lods"]:
        level = top - math.floor(lod)
        share = 1 - (lod - math.floor(lod))
        scale = 2 ** math.floor(lod)
        with torch.inference_mode():
            if generating:
                found = network(case.given("latents"), level, share)
                found = interpolate(found, scale_factor=scale, mode="nearest")
            else:
                images = torch.nn.functional.avg_pool2d(case.given("images"), scale)
                found = network(images, level, share)
        cases.assert_images(found, case.expected(f"lod_{lod}"))


@pytest.mark.parametrize("name", DEVIATIONS)
def test_minibatch_standard_deviation(name: str) -> None:
    case = cases.read(SYSTEM, name)
    size = case.config["group_size"]
    cases.assert_images(append_deviation(case.given(), size, consecutive=True), case.expected("zoo"))
    if case.has("tf"):
        cases.assert_images(append_deviation(case.given(), size), case.expected("tf"))


def test_layers() -> None:
    case = cases.read(SYSTEM, "layers")
    cases.assert_images(pixel_norm(case.given()), case.expected("pixel_norm"))
    cases.assert_images(upsample_2x(case.given()), case.expected("upscale"))
    for convention, scale_bias in (("tf", False), ("zoo", True)):
        for kind, layer, given in (
            ("conv", EqualConv2d(5, 4, 3, scale_bias=scale_bias), "x"),
            ("linear", EqualLinear(5, 4, scale_bias=scale_bias), "z"),
        ):
            state = {key.removeprefix("module."): value for key, value in case.state(kind).items()}
            found = load(layer, state)(case.given(given))
            cases.assert_images(found.detach(), case.expected(f"{convention}.{kind}"))


def test_schedule_and_reals() -> None:
    case = cases.read(SYSTEM, "schedule_and_reals")
    config = case.config
    settings = ProGANConfig(
        crop_size=config["resolution"],
        start_size=config["initial_resolution"],
        stage_images=config["lod_training_kimg"],
        fade_images=config["lod_transition_kimg"],
        batch_size=1,  # a step is a thousand images
    )
    top = config["resolution"].bit_length() - 3
    for kimg, lod in zip(case.given("kimg").tolist(), case.expected("lod").tolist(), strict=True):
        done = 0.0
        for stage in settings.model_copy(update={"steps": 10_000}).stages():
            if kimg < done + stage.steps:
                alpha = (kimg - done) / stage.fade_steps if stage.fading else 1.0
                assert top - stage.level + 1 - alpha == pytest.approx(lod, abs=1e-5)
                break
            done += stage.steps
    reals = case.given("reals")  # of half the resolution: level of detail 1 and more
    for lod in (0.0, 0.25, 1.5):
        faded = fade_reals(reals, 1 - lod % 1)
        scale = 2 ** math.floor(lod)
        cases.assert_images(
            interpolate(faded, scale_factor=scale, mode="nearest"), case.expected(f"processed_lod_{lod}")
        )


def test_losses() -> None:
    case = cases.read(SYSTEM, "wgan_gp_losses")
    network = zoo_discriminator(case)
    real, fake = case.given("real"), case.given("fake")
    size = len(real)

    def D(images: Tensor) -> Tensor:
        return network(images, 1)

    penalty = case.config["lambda_gp"] * gradient_penalty(D, real, fake, case.given("alpha"))
    held = case.config["drift"] * drift(D(real))
    cases.assert_gradient_norms(size * penalty, case.expected("zoo.gradient_penalty"))
    cases.assert_loss(size * held, case.expected("zoo.drift"))
    wasserstein = Wasserstein()
    cases.assert_loss(size * wasserstein.generator(D(fake)), case.expected("zoo.generator"))
    critic = wasserstein.discriminator(D(real), D(fake))
    cases.assert_loss(size * critic, case.expected("zoo.real") + case.expected("zoo.fake"))
    cases.assert_loss(wasserstein.generator(D(fake)), case.expected("tf.generator_mean"))
    cases.assert_gradient_norms(critic + penalty + held, case.expected("tf.discriminator_mean"))
    per_sample = case.expected("tf.discriminator_per_sample")
    torch.testing.assert_close(per_sample.mean(), case.expected("tf.discriminator_mean"))


def test_every_case_is_covered() -> None:
    covered = {*OFFICIAL, *ZOO_GENERATORS, *ZOO_DISCRIMINATORS, *DEVIATIONS, *OTHERS}
    assert set(cases.names(SYSTEM)) == covered
    assert len(covered) == 32
