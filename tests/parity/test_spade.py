"""SPADE's layers, networks and losses give the numbers of the reference."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, conv_transpose2d, linear

from i2icli.losses.adversarial import ADVERSARIAL
from i2icli.losses.feature_matching import feature_matching
from i2icli.losses.latent import kl_divergence
from i2icli.nn.label_conv import LabelPlanes
from i2icli.nn.spade import SPADE, Modulation, SPADEBlock
from i2icli.nn.spectral_norm import SpectralNorm
from i2icli.systems.spade.config import SPADEConfig
from i2icli.systems.spade.names import (
    block_names,
    discriminator_names,
    encoder_names,
    generator_names,
    layer_names,
    renamed,
)
from i2icli.systems.spade.networks import Encoder, Generator, Latent, build_discriminator
from tests.parity import cases
from tests.parity.cases import Case

SYSTEM = "spade"
LOSSES = {"hinge": "hinge", "ls": "lsgan", "original": "vanilla", "w": "wgangp"}


def load(network: nn.Module, case: Case, names: dict[str, str], part: str | None = None) -> None:
    state = renamed(case.state(part), names)
    assert state is not None
    network.load_state_dict(state, strict=True)
    network.train(case.mode == "train")


def assert_state(network: nn.Module, case: Case, names: dict[str, str]) -> None:
    """What the reference's forward pass changed."""
    after = renamed(case.after(), names)
    assert after
    for name, value in after.items():
        torch.testing.assert_close(network.state_dict()[name], value)


def labels_of(case: Case) -> LabelPlanes:
    """The label map that the case's planes show."""
    planes = case.given("seg")  # one of them is 1 in every pixel
    return LabelPlanes(planes.argmax(1, keepdim=True), planes.shape[1])


@pytest.fixture(params=["planes", "table"])
def _first_convolution(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways to compute the first convolution on a label map."""
    table = request.param == "table"
    monkeypatch.setattr("i2icli.nn.label_conv.prefers_table", lambda *_: table)


both_ways = pytest.mark.usefixtures("_first_convolution")


@both_ways
@pytest.mark.parametrize("name", cases.names(SYSTEM, "spade_layer"))
def test_a_layer(name: str) -> None:
    case = cases.read(SYSTEM, name)
    theirs = case.config
    kind = theirs["config"].removeprefix("spade")
    modulation = Modulation(theirs["label_nc"], theirs["hidden"], int(kind[-1]), kind[:-3])
    layer = SPADE(theirs["norm_nc"], modulation)
    load(layer, case, layer_names())

    cases.assert_images(layer(case.given(), labels_of(case)).detach(), case.expected())
    if case.after():
        assert_state(layer, case, layer_names())


@both_ways
@pytest.mark.parametrize("name", cases.names(SYSTEM, "resblock"))
def test_a_block(name: str) -> None:
    case = cases.read(SYSTEM, name)
    theirs = case.config
    block = SPADEBlock(theirs["fin"], theirs["fout"], Modulation(theirs["semantic_nc"], norm="instance"))
    load(block, case, block_names())

    cases.assert_images(block(case.given(), labels_of(case)).detach(), case.expected())
    if case.mode == "train":
        assert_state(block, case, block_names())


@both_ways
@pytest.mark.parametrize("name", cases.names(SYSTEM, "generator"))
def test_a_generator(name: str) -> None:
    case = cases.read(SYSTEM, name)
    theirs = case.config
    height, width = case.given("seg").shape[2:]
    mode = theirs["num_upsampling_layers"]
    multiple = {"normal": 32, "more": 64}[mode]
    latent = Latent(theirs["z_dim"], (height // multiple, width // multiple)) if theirs["use_vae"] else None
    modulation = Modulation(
        theirs["semantic_nc"], norm="batch" if "batch" in theirs["norm_G"] else "instance"
    )
    G = Generator(modulation, 3, theirs["ngf"], 4, mode, latent)
    load(G, case, generator_names(4))

    code = case.given("z") if latent else None
    cases.assert_images(G(labels_of(case), code).detach(), case.expected())


def test_the_encoder() -> None:
    case = cases.read(SYSTEM, "encoder_resized")
    E = Encoder(3, case.config["latent"], case.config["ngf"], case.config["crop_size"])
    load(E, case, encoder_names(6))

    mean, log_variance = E(case.given())
    cases.assert_images(mean.detach(), case.expected("mu"))
    cases.assert_images(log_variance.detach(), case.expected("logvar"))


def discriminator(case: Case, part: str | None = None) -> nn.Module:
    theirs = case.config
    num_scales, num_layers = theirs["num_D"], theirs["n_layers_D"]
    config = SPADEConfig(
        num_scales=num_scales,
        num_layers=num_layers,
        discriminator_width=theirs["ndf"],
        classes=tuple(f"{index} {index}" for index in range(theirs["input_nc"] - 3)),
    )
    D = build_discriminator(config)
    load(D, case, discriminator_names(num_scales, num_layers), part)
    return D


@pytest.mark.parametrize("name", cases.names(SYSTEM, "discriminator_num"))
def test_a_discriminator(name: str) -> None:
    case = cases.read(SYSTEM, name)
    D = discriminator(case)
    for scale, maps in enumerate(D(case.given())):
        for layer, features in enumerate(maps):
            cases.assert_images(features.detach(), case.expected(f"{scale}.{layer}"))
    if case.mode == "train":
        assert_state(D, case, discriminator_names(case.config["num_D"], case.config["n_layers_D"]))


def test_losses_of_a_discriminator() -> None:
    case = cases.read(SYSTEM, "discriminator_losses")
    D = discriminator(case, "D")
    pairs = [torch.cat([case.given("seg"), case.given(name)], 1) for name in ("fake", "real")]
    scales = D(torch.cat(pairs))
    fakes, reals = ([[each.chunk(2)[half] for each in maps] for maps in scales] for half in (0, 1))

    hinge = ADVERSARIAL["hinge"]()
    each = [hinge.discriminator(real[-1], fake[-1]) for real, fake in zip(reals, fakes, strict=True)]
    expected = case.expected("D_Fake") + case.expected("D_real")
    cases.assert_loss(torch.stack(each).mean(), expected[0])
    cases.assert_loss(
        torch.stack([hinge.generator(fake[-1]) for fake in fakes]).mean(), case.expected("GAN")[0]
    )
    weight = case.config["lambda_feat"]
    cases.assert_loss(weight * feature_matching(fakes, reals), case.expected("GAN_Feat"))


@pytest.mark.parametrize("name", LOSSES)
def test_adversarial_losses_are_averaged_over_scales(name: str) -> None:
    case = cases.read(SYSTEM, "gan_losses")
    loss = ADVERSARIAL[LOSSES[name]]()  # type: ignore[index]
    scores = [case.given(f"pred.{scale}") for scale in range(2)]
    generator = torch.stack([loss.generator(score) for score in scores])
    cases.assert_loss(generator.mean(), case.expected(f"{name}.G")[0])
    discriminator = torch.stack([loss.discriminator(score, score) for score in scores])
    expected = case.expected(f"{name}.D_real") + case.expected(f"{name}.D_fake")
    cases.assert_loss(discriminator.mean(), expected[0])


def test_the_divergence_of_codes_is_added_up() -> None:
    case = cases.read(SYSTEM, "gan_losses")
    cases.assert_loss(kl_divergence(case.given("mu"), case.given("logvar")).sum(), case.expected("kld"))


@pytest.mark.parametrize("kind", ["conv", "linear", "transposed"])
def test_spectral_norm(kind: str) -> None:
    """Once with the stored vectors, then twice in training."""
    case = cases.read(SYSTEM, "spectral_norm_layers")
    state = case.state(kind)
    weight, bias = state["weight_orig"], state["bias"]
    rows = weight.transpose(0, 1) if kind == "transposed" else weight  # a row for each output
    norm = SpectralNorm(len(rows), rows[0].numel()).eval()
    norm.load_state_dict({"u": state["weight_u"], "v": state["weight_v"]})

    def layer() -> Tensor:
        normalised = weight / norm(rows.contiguous())
        if kind == "linear":
            return linear(case.given("z"), normalised, bias)
        if kind == "conv":
            return conv2d(case.given(), normalised, bias, padding=1)
        return conv_transpose2d(case.given(), normalised, bias, stride=2, padding=1)

    cases.assert_images(layer(), case.expected(f"{kind}.eval"))
    cases.assert_loss(norm(rows.contiguous()), case.expected(f"{kind}.sigma_stored"))
    norm.train()
    cases.assert_images(layer(), case.expected(f"{kind}.train_1"))
    cases.assert_images(norm.u, case.expected(f"{kind}.u_1"))
    cases.assert_images(norm.v, case.expected(f"{kind}.v_1"))
    cases.assert_images(layer(), case.expected(f"{kind}.train_2"))
    cases.assert_images(norm.u, case.expected(f"{kind}.u_2"))


def test_every_case_is_covered() -> None:
    named = {"encoder_resized", "discriminator_losses", "gan_losses", "spectral_norm_layers"}
    found = [
        cases.names(SYSTEM, each) for each in ("spade_layer", "resblock", "generator", "discriminator_num")
    ]
    assert [len(each) for each in found] == [4, 4, 2, 3]
    assert set(cases.names(SYSTEM)) == named | {name for each in found for name in each}
