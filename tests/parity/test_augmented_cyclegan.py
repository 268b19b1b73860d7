"""Augmented CycleGAN's networks, latent losses and training step give the numbers of the reference."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from i2icli.losses.latent import gaussian_log_likelihood, kl_divergence, laplace_log_likelihood
from i2icli.originals.checkpoint import rename
from i2icli.systems.augmented_cyclegan.config import AugmentedCycleGANConfig
from i2icli.systems.augmented_cyclegan.latent import LatentDiscriminator, LatentEncoder
from i2icli.systems.augmented_cyclegan.names import (
    discriminator_names,
    encoder_names,
    generator_names,
    latent_names,
    once,
)
from i2icli.systems.augmented_cyclegan.networks import Generator, ImageDiscriminator, SmallPatchDiscriminator
from i2icli.systems.augmented_cyclegan.norms import ConditionalInstanceNorm
from i2icli.systems.augmented_cyclegan.system import AugmentedCycleGAN
from tests.parity import cases
from tests.parity.cases import Case
from tests.systems.steps import run_step

SYSTEM = "augmented_cyclegan"
NETWORKS = [
    name for start in ("discriminator", "encoder", "generator") for name in cases.names(SYSTEM, start)
]


def conditional_names() -> dict[str, str]:
    """The same, its norms following a code."""
    names = {name: ours for name, ours in discriminator_names().items() if not ours.endswith("norm")}
    for layer in range(3):
        for part in ("scale", "shift"):
            names[f"model.{3 + 3 * layer}.{part}_conv.0"] = f"layers.{layer}.norm.{part}"
    return names


class ConditionalDiscriminator(SmallPatchDiscriminator):
    """In the authors' code, but unused: a patch discriminator conditioned on the code, wider at the end."""

    def __init__(self, channels: int, width: int, num_latents: int) -> None:
        super().__init__(channels, width)
        wider = 4 * width + num_latents
        self.layers[2].conv = nn.Conv2d(4 * width, wider, 4, padding=1)
        for layer in self.layers:
            layer.norm = ConditionalInstanceNorm(layer.conv.out_channels, num_latents)
        self.head = nn.Conv2d(wider, 1, 4, padding=1)

    def forward(self, x: Tensor, code: Tensor) -> Tensor:
        x = leaky_relu(self.stem(x), 0.2)
        for layer in self.layers:
            x = leaky_relu(layer(x, code), 0.2)
        return self.head(x)


def build(case: Case) -> tuple[nn.Module, dict[str, str]]:
    """Our network for a case, and its layers' names."""
    config = case.config
    if "generator" in config:
        codes = config.get("nlatent", 0)
        sizes = (config["input_nc"], config["output_nc"], config["ngf"], config["n_blocks"])
        return Generator(*sizes, codes), generator_names(config["n_blocks"], coded=codes > 0)
    if "encoder" in config:
        return LatentEncoder(config["input_nc"], config["nlatent"], config["nef"]), encoder_names()
    kind = config["discriminator"]
    if kind == "latent":
        return LatentDiscriminator(config["nlatent"], config["ndf"]), latent_names()
    if kind == "cin":
        network = ConditionalDiscriminator(config["input_nc"], config["ndf"], config["nlatent"])
        return network, conditional_names()
    discriminator = ImageDiscriminator if kind == "edges" else SmallPatchDiscriminator
    return discriminator(config["input_nc"], config["ndf"]), discriminator_names()


def load(network: nn.Module, state: dict[str, Tensor], names: dict[str, str]) -> None:
    renamed = rename(once(state), names)
    assert renamed is not None
    network.load_state_dict(renamed, strict=True)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_answers_as_the_reference(name: str) -> None:
    case = cases.read(SYSTEM, name)
    network, names = build(case)
    load(network, case.state(), names)
    network.train(case.mode == "train")
    given = [case.tensors[f"in.{each}"] for each in ("x", "z") if f"in.{each}" in case.tensors]

    answer = network(*(each.flatten(1) if each.shape[-1] == 1 else each for each in given))

    if case.has("mu"):
        cases.assert_images(answer[0].detach(), case.expected("mu"))
        cases.assert_images(answer[1].detach(), case.expected("logvar"))
    else:
        cases.assert_images(answer.detach(), case.expected())
    for key, value in (rename(case.after(), names) or {}).items():
        torch.testing.assert_close(network.state_dict()[key], value)


def test_every_case_is_covered() -> None:
    assert set(cases.names(SYSTEM)) == {"latent_losses", "train_step", *NETWORKS}
    assert len(NETWORKS) == 10


def test_latent_losses() -> None:
    case = cases.read(SYSTEM, "latent_losses")
    mean, log_variance, code = case.given("mu"), case.given("logvar"), case.given("z")

    cases.assert_images(kl_divergence(mean, log_variance), case.expected("kld_per_sample"))
    for name, likelihood in (("gaussian", gaussian_log_likelihood), ("laplace", laplace_log_likelihood)):
        cases.assert_images(likelihood(code, mean, log_variance), case.expected(f"log_prob_{name}"))


def test_a_training_step() -> None:
    """In double precision: batch norm over two images leaves so little gradient that rounding would show."""
    case = cases.read(SYSTEM, "train_step")
    theirs = case.config
    config = AugmentedCycleGANConfig(
        num_latents=theirs["nlatent"], width=theirs["ngf"], encoder_width=theirs["nef"],
        discriminator_width=theirs["ndf"], discriminator_width_a=theirs["ndf"],
        cycle_weight=theirs["lambda_A"], latent_weight=theirs["lambda_z_B"], lr=theirs["lr_G"],
        discriminator_lr_factor=theirs["lr_D"] / theirs["lr_G"], max_grad_norm=theirs["max_grad_norm"],
    )  # fmt: skip
    system = AugmentedCycleGAN(config)
    networks: dict[str, tuple[nn.Module, dict[str, str]]] = {
        "netG_A_B": (system.G_AB, generator_names(3, coded=True)),
        "netG_B_A": (system.G_BA, generator_names(3, coded=False)),
        "netE_B": (system.E["B"], encoder_names()),
        "netD_A": (system.D_A, discriminator_names()),
        "netD_B": (system.D_B, discriminator_names()),
        "netD_z_B": (system.D_z["B"], latent_names()),
    }
    for name, (network, names) in networks.items():
        load(network, case.state(name), names)
    system.double()
    fakes_A: list[Tensor] = []
    fakes_B: list[Tensor] = []
    system.G_AB.register_forward_hook(lambda _module, _inputs, output: fakes_B.append(output.detach()))
    system.G_BA.register_forward_hook(lambda _module, _inputs, output: fakes_A.append(output.detach()))

    batch = {"A": case.given("real_A"), "B": case.given("real_B"), "z_B": case.given("prior_z_B").flatten(1)}
    D, G = run_step(system, {name: values.double() for name, values in batch.items()})

    for side, images in (("A", fakes_A), ("B", fakes_B)):
        cases.assert_images(images[0].float(), case.expected(f"img_fake_{side}"))
        cases.assert_images(images[1].float(), case.expected(f"img_rec_{side}"))
    losses = {
        "D_A": D.losses["gan_A"], "D_B": D.losses["gan_B"], "D_z_B": D.losses["gan_z_B"],
        "G_A": G.losses["gan_BA"], "G_B": G.losses["gan_AB"], "Cyc_A": G.losses["cycle_A"],
        "Cyc_B": G.losses["cycle_B"], "Cyc_z_B": G.losses["cycle_z_B"] / theirs["lambda_z_B"],
    }  # fmt: skip
    for name, loss in losses.items():
        cases.assert_loss(loss.double(), case.expected(f"loss_{name}"))
    for name, (network, _) in networks.items():
        learned = [weight.grad.flatten() for weight in network.parameters() if weight.grad is not None]
        norm = torch.cat(learned).norm()
        cases.assert_gradient_norms(norm.float(), case.expected(f"gnorm_{name.removeprefix('net')}"))
