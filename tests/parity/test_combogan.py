"""ComboGAN's networks and losses give the numbers of the reference."""

import pytest
import torch
from torch import Tensor, nn

from i2icli.losses.adversarial import LeastSquares, Vanilla
from i2icli.originals.checkpoint import rename
from i2icli.systems.combogan.losses import coarse_distance, discriminator_loss, distance, generator_loss
from i2icli.systems.combogan.names import (
    branch_names,
    count_blocks,
    decoder_names,
    encoder_names,
    shared_names,
)
from i2icli.systems.combogan.networks import (
    Decoder,
    Discriminator,
    Encoder,
    SharedBlocks,
    blur,
    blur_kernel,
    luminance,
)
from tests.parity import cases
from tests.parity.cases import Case

SYSTEM = "combogan"
GENERATORS = ["generator_2domains_batch", "generator_2domains_shared", "generator_3domains"]
DISCRIMINATORS = ["discriminator_n3", "discriminator_n4"]


def load(network: nn.Module, state: dict[str, Tensor], names: dict[str, str]) -> nn.Module:
    renamed = rename(state, names)
    assert renamed is not None
    network.load_state_dict(renamed, strict=True)
    return network.eval()


def translators(case: Case) -> tuple[list[nn.Module], list[nn.Module], nn.Module | None, nn.Module | None]:
    """(encoders, decoders, shared encoder, shared decoder) with the reference's weights."""
    config = case.config
    n, width, norm = config["n_domains"], config["ngf"], config["norm"]
    states = [case.state(f"G{k}") for k in range(2 * n + 2 * (config["n_blocks_shared"] > 0))]
    half = len(states) // 2

    def build(kind: type[nn.Module], state: dict[str, Tensor]) -> nn.Module:
        number = count_blocks(state)
        names = encoder_names(number) if kind is Encoder else decoder_names(number)
        return load(kind(3, width, number, norm, "running"), state, names)

    def build_shared(state: dict[str, Tensor]) -> nn.Module:
        number = count_blocks(state)
        return load(SharedBlocks(4 * width, number, n, norm, "running"), state, shared_names(number))

    encoders = [build(Encoder, state) for state in states[:n]]
    decoders = [build(Decoder, state) for state in states[half : half + n]]
    if half == n:
        return encoders, decoders, None, None
    return encoders, decoders, build_shared(states[n]), build_shared(states[-1])


@pytest.mark.parametrize("name", GENERATORS)
def test_any_encoder_and_any_decoder_answer_as_the_reference(name: str) -> None:
    case = cases.read(SYSTEM, name)
    encoders, decoders, shared_encoder, shared_decoder = translators(case)
    compared = 0
    with torch.inference_mode():
        for source, encoder in enumerate(encoders):
            code = encoder(case.given())
            code = shared_encoder(code, source) if shared_encoder else code
            if case.has(f"encoded_{source}"):
                cases.assert_images(code, case.expected(f"encoded_{source}"))
            for target, decoder in enumerate(decoders):
                inner = shared_decoder(code, target) if shared_decoder else code
                if case.has(f"{source}_to_{target}"):
                    cases.assert_images(decoder(inner), case.expected(f"{source}_to_{target}"))
                    compared += 1
    assert compared >= 4


@pytest.mark.parametrize("name", DISCRIMINATORS)
def test_a_discriminator_answers_at_every_depth_as_the_reference(name: str) -> None:
    case = cases.read(SYSTEM, name)
    config = case.config
    for domain in range(config["n_domains"]):
        D = Discriminator(3, config["ndf"], config["n_layers"], config["norm"])
        load(D, case.state(f"D{domain}"), branch_names(config["n_layers"]))
        with torch.inference_mode():
            scores = D(case.given())
        assert len(scores) == config["n_layers"]
        for depth, score in enumerate(scores):
            cases.assert_images(score[:, 0], case.expected(f"D{domain}.{depth}"))


def test_the_two_views_of_a_discriminator() -> None:
    case = cases.read(SYSTEM, "discriminator_preprocess")
    torch.testing.assert_close(blur_kernel(), case.expected("kernel"), atol=1e-7, rtol=1e-6)
    cases.assert_images(luminance(case.given())[:, 0], case.expected("gray"))
    cases.assert_images(blur(case.given(), blur_kernel()), case.expected("blur"))


def test_losses() -> None:
    case = cases.read(SYSTEM, "losses")
    scores = [case.given(f"pred.{depth}") for depth in range(case.config["n_predictions"])]
    for name, loss in (("lsgan", LeastSquares()), ("vanilla", Vanilla())):
        real, fake = case.expected(f"{name}.real"), case.expected(f"{name}.fake")
        cases.assert_loss(generator_loss(loss, scores), real)
        cases.assert_loss(discriminator_loss(loss, scores, scores), real + fake)
    a, b = case.given("a"), case.given("b")
    cases.assert_loss(distance(a, b), case.expected("cycle_smooth_l1"))
    cases.assert_loss(coarse_distance(a, b), case.expected("idt_smooth_l1_downsampled"))


def test_every_case_is_covered() -> None:
    assert set(cases.names(SYSTEM)) == {*GENERATORS, *DISCRIMINATORS, "discriminator_preprocess", "losses"}
