"""Whole training steps, through the real systems, end with the weights of the reference."""

import torch
from torch import Tensor, nn

from i2icli.originals.checkpoint import rename
from i2icli.originals.classic_names import patch_names, resnet_names, unet_names
from i2icli.systems.cyclegan.config import CycleGANConfig
from i2icli.systems.cyclegan.system import CycleGAN
from i2icli.systems.pix2pix.config import Pix2PixConfig
from i2icli.systems.pix2pix.system import Pix2Pix
from tests.parity import cases
from tests.parity.cases import Case
from tests.systems.steps import run_step


def load(network: nn.Module, case: Case, theirs: str, names: dict[str, str]) -> None:
    renamed = rename(case.state(theirs), names)
    assert renamed is not None
    network.load_state_dict(renamed, strict=True)


def capture(network: nn.Module) -> list[Tensor]:
    """The outputs of every call of a network from now on."""
    outputs: list[Tensor] = []
    network.register_forward_hook(lambda _module, _inputs, output: outputs.append(output.detach().clone()))
    return outputs


def assert_weights(
    network: nn.Module, case: Case, theirs: str, names: dict[str, str], noisy: set[str]
) -> None:
    expected = rename(case.after(theirs), names)
    assert expected
    cases.assert_after_adam(network, expected, case.config["lr"], noisy)


def biases_before_instance_norm(network: nn.Module) -> set[str]:
    """Biases that the norm behind them takes away again: their gradient is zero but for rounding."""
    return {name for name, _ in network.named_parameters() if name.endswith(".conv.bias")}


def test_pix2pix() -> None:
    case = cases.read("pix2pix_cyclegan", "pix2pix_train_step")
    theirs = case.config
    config = Pix2PixConfig(
        depth=theirs["num_downs"], width=theirs["ngf"], num_layers=theirs["n_layers"],
        discriminator_width=theirs["ndf"], dropout=0, l1_weight=theirs["lambda_L1"], lr=theirs["lr"],
        betas=theirs["betas"], crop_size=32,
    )  # fmt: skip
    system = Pix2Pix(config)
    names_G, names_D = unet_names(theirs["num_downs"]), patch_names(theirs["n_layers"])
    load(system.G, case, "G", names_G)
    load(system.D, case, "D", names_D)
    fakes = capture(system.G)

    D, G = run_step(system, {"source": case.given("real_A"), "target": case.given("real_B")})

    assert (D.optimizer, G.optimizer) == ("D", "G")
    assert len(fakes) == 1
    cases.assert_images(fakes[0], case.expected("fake_B"))
    cases.assert_loss(D.losses["gan"], 0.5 * (case.expected("loss_D_real") + case.expected("loss_D_fake")))
    cases.assert_loss(G.losses["gan"], case.expected("loss_G_GAN"))
    cases.assert_loss(G.losses["l1"], case.expected("loss_G_L1"))
    # The nested levels of the reference list their weights in the order of our flat ones.
    norms = torch.stack([weight.grad.norm() for weight in system.G.parameters()])
    cases.assert_gradient_norms(norms, case.expected("grad_norm_G"))
    assert_weights(system.G, case, "G", names_G, set())
    assert_weights(system.D, case, "D", names_D, set())


def test_cyclegan() -> None:
    case = cases.read("pix2pix_cyclegan", "cyclegan_train_step")
    theirs = case.config
    config = CycleGANConfig(
        num_blocks=theirs["n_blocks"], width=theirs["ngf"], num_layers=theirs["n_layers"],
        discriminator_width=theirs["ndf"], cycle_weight=theirs["lambda_A"],
        identity_weight=theirs["lambda_identity"], lr=theirs["lr"], betas=theirs["betas"], crop_size=32,
    )  # fmt: skip
    system = CycleGAN(config)
    names_G, names_D = resnet_names(theirs["n_blocks"], dropout=False), patch_names(theirs["n_layers"])
    # The reference calls a generator after the domain it reads, a discriminator after its generator.
    networks = {"G_A": system.G_AB, "G_B": system.G_BA, "D_A": system.D_B, "D_B": system.D_A}
    for name, network in networks.items():
        load(network, case, name, names_G if name.startswith("G") else names_D)
    outputs_AB, outputs_BA = capture(system.G_AB), capture(system.G_BA)

    G, D = run_step(system, {"A": case.given("real_A"), "B": case.given("real_B")})

    assert (G.optimizer, D.optimizer) == ("G", "D")
    cases.assert_images(outputs_AB[0], case.expected("fake_B"))
    cases.assert_images(outputs_BA[1], case.expected("rec_A"))
    for ours, reference in {
        "gan_AB": "G_A", "gan_BA": "G_B", "cycle_A": "cycle_A", "cycle_B": "cycle_B",
        "identity_B": "idt_A", "identity_A": "idt_B",
    }.items():  # fmt: skip
        cases.assert_loss(G.losses[ours], case.expected(f"loss_{reference}"))
    cases.assert_loss(D.losses["gan_B"], case.expected("loss_D_A"))
    cases.assert_loss(D.losses["gan_A"], case.expected("loss_D_B"))
    for name, network in networks.items():
        names = names_G if name.startswith("G") else names_D
        assert_weights(network, case, name, names, biases_before_instance_norm(network))
