"""StarGAN's networks, losses, labels and a whole step give the numbers of the reference."""

import pytest
import torch
from torch import Tensor, nn

from i2icli.losses.penalty import gradient_penalty
from i2icli.nn.norm import AffineInstanceNorm
from i2icli.systems.stargan.config import CELEBA, StarGANConfig
from i2icli.systems.stargan.labels import flipped
from i2icli.systems.stargan.networks import Discriminator, Generator
from i2icli.systems.stargan.original import discriminator_names, generator_names
from i2icli.systems.stargan.system import StarGAN
from tests.parity import cases
from tests.parity.cases import Case
from tests.systems.steps import run_step

GENERATORS = ["generator_eval", "generator_joint_domains_train", "generator_train"]
DISCRIMINATORS = ["discriminator_32", "discriminator_64"]
OTHERS = ["classification_loss", "gradient_penalty", "target_labels", "train_step"]


def renamed(state: dict[str, Tensor], names: dict[str, str]) -> dict[str, Tensor]:
    """The reference's weights under our names, without its running statistics."""
    return {names[key]: value for key, value in state.items() if key in names}


def generator(case: Case) -> Generator:
    theirs = case.config
    network = Generator(3, theirs["c_dim"], theirs["conv_dim"], theirs["repeat_num"])
    network.load_state_dict(renamed(case.state(), generator_names(theirs["repeat_num"])), strict=True)
    return network


def discriminator(case: Case) -> Discriminator:
    theirs = case.config
    size = (theirs["image_size"],) * 2
    network = Discriminator(3, theirs["c_dim"], size, theirs["conv_dim"], theirs["repeat_num"])
    network.load_state_dict(renamed(case.state(), discriminator_names(theirs["repeat_num"])), strict=True)
    return network


def test_every_case_is_covered() -> None:
    assert cases.names("stargan") == sorted(GENERATORS + DISCRIMINATORS + OTHERS)


@pytest.mark.parametrize("name", [name for name in GENERATORS if name.endswith("train")])
def test_a_generator_answers_by_the_statistics_of_the_input(name: str) -> None:
    case = cases.read("stargan", name)
    assert case.mode == "train"
    network = generator(case)
    for training in (True, False):
        with torch.inference_mode():
            answer = network.train(training)(case.given("x"), case.given("c"))
        cases.assert_images(answer, case.expected())


def with_stored_statistics(network: nn.Module, state: dict[str, Tensor], names: dict[str, str]) -> None:
    """Put the reference's stored statistics to use, as its evaluation mode does and ours never."""
    places = {ours.removesuffix(".weight"): theirs.removesuffix(".weight") for theirs, ours in names.items()}
    for name, module in list(network.named_modules()):
        if isinstance(module, AffineInstanceNorm):
            stored = nn.BatchNorm2d(len(module.gain)).eval()
            start = f"{places[name]}."
            stored.load_state_dict(
                {key.removeprefix(start): state[key] for key in state if key.startswith(start)}
            )
            parent, _, own = name.rpartition(".")
            setattr(network.get_submodule(parent), own, stored)


def test_a_generator_answers_by_stored_statistics_if_its_norms_are_made_to() -> None:
    case = cases.read("stargan", "generator_eval")
    network = generator(case)
    own = network(case.given("x"), case.given("c"))
    with_stored_statistics(network, case.state(), generator_names(case.config["repeat_num"]))
    with torch.inference_mode():
        cases.assert_images(network(case.given("x"), case.given("c")), case.expected())
    assert (own - case.expected()).abs().max() > 0.5  # what taking the wrong ones would do


def test_the_reference_gathers_statistics_of_the_features_that_our_norms_see() -> None:
    case = cases.read("stargan", "generator_train")
    names = generator_names(case.config["repeat_num"])
    network, seen = generator(case), {}
    for name, module in network.named_modules():
        if isinstance(module, AffineInstanceNorm):
            module.register_forward_pre_hook(lambda _, inputs, name=name: seen.update({name: inputs[0]}))
    network(case.given("x"), case.given("c"))
    for theirs, ours in names.items():
        if ".norm.weight" in ours:
            key = theirs.replace("weight", "running_mean")
            mean = seen[ours.removesuffix(".weight")].mean((0, 2, 3))  # (C,)
            torch.testing.assert_close(
                0.9 * case.state()[key] + 0.1 * mean.detach(), case.after()[key], atol=5e-5, rtol=1e-4
            )


@pytest.mark.parametrize("name", DISCRIMINATORS)
def test_a_discriminator_answers_as_the_reference(name: str) -> None:
    case = cases.read("stargan", name)
    scores, logits = discriminator(case)(case.given("x"))
    cases.assert_images(scores.detach(), case.expected("src"))
    cases.assert_images(logits.detach(), case.expected("cls"))


def test_classification_losses() -> None:
    case = cases.read("stargan", "classification_loss")
    names = tuple("abcdefgh")
    attributes = StarGAN(StarGANConfig(attributes=names[:5], width=1, discriminator_width=1))
    domains = StarGAN(StarGANConfig(domains=names, width=1, discriminator_width=1))
    one_hot = nn.functional.one_hot(case.given("target_class").long(), 8).float()
    cases.assert_loss(
        attributes._classification(case.given("logits_attr"), case.given("target_attr"), 0),
        case.expected("attr"),
    )
    cases.assert_loss(domains._classification(case.given("logits_class"), one_hot, 0), case.expected("class"))


def test_gradient_penalty() -> None:
    case = cases.read("stargan", "gradient_penalty")
    D = discriminator(case)
    penalty = gradient_penalty(
        lambda x: D(x)[0], case.given("real"), case.given("fake"), case.given("alpha").flatten(1)
    )
    cases.assert_gradient_norms(penalty, case.expected())


def test_target_labels() -> None:
    case = cases.read("stargan", "target_labels")
    assert tuple(case.config["selected_attributes"]) == CELEBA
    system = StarGAN(StarGANConfig(attributes=CELEBA, width=1, discriminator_width=1))
    for number, target in enumerate(system._flips(case.given("labels"), 0).values()):
        assert torch.equal(target, case.expected(str(number)))
    names = tuple("abcdefgh")
    domains = StarGAN(StarGANConfig(domains=names, width=1, discriminator_width=1))
    (labels,) = domains.label_sets
    for number, name in enumerate(names):
        for before in names:
            assert flipped(frozenset({before}), frozenset({name}), labels) == {name}
        every = domains._vector(frozenset({name}), labels, torch.zeros(6))
        assert torch.equal(every, case.expected(f"class.{number}"))


def test_a_whole_step_ends_with_the_weights_of_the_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    case = cases.read("stargan", "train_step")
    theirs = case.config
    G, D = theirs["generator"], theirs["discriminator"]
    system = StarGAN(StarGANConfig(
        attributes=CELEBA, crop_size=32, width=G["conv_dim"], num_blocks=G["repeat_num"],
        discriminator_width=D["conv_dim"], num_layers=D["repeat_num"], critic_steps=1,
        lr=theirs["lr"], betas=theirs["betas"],
    ))  # fmt: skip
    names_G, names_D = generator_names(G["repeat_num"]), discriminator_names(D["repeat_num"])
    system.G.load_state_dict(renamed(case.state("G"), names_G), strict=True)
    system.D.load_state_dict(renamed(case.state("D"), names_D), strict=True)
    label, target = case.given("c_org"), case.given("c_trg")
    monkeypatch.setattr(system, "_targets", lambda _: target)
    monkeypatch.setattr(torch, "rand", lambda *_, **__: case.given("alpha").flatten(1))
    fakes: list[Tensor] = []
    system.G.register_forward_hook(lambda _module, _inputs, output: fakes.append(output.detach().clone()))

    first, second = run_step(system, {"label_0": label, "image_0": case.given("x_real")})

    assert (first.optimizer, second.optimizer) == ("D", "G")
    cases.assert_images(fakes[0], case.expected("x_fake"))
    cases.assert_images(fakes[1], case.expected("x_rec"))
    real, fake = case.expected("D_loss_real"), case.expected("D_loss_fake")
    cases.assert_loss(first.losses["gan"], real + fake)
    cases.assert_loss(first.losses["classification"], case.expected("D_loss_cls"))
    cases.assert_gradient_norms(first.losses["penalty"], theirs["lambda_gp"] * case.expected("D_loss_gp"))
    cases.assert_loss(second.losses["gan"], case.expected("G_loss_fake"))
    cases.assert_loss(second.losses["classification"], case.expected("G_loss_cls"))
    cases.assert_loss(second.losses["cycle"], theirs["lambda_rec"] * case.expected("G_loss_rec"))
    cases.assert_after_adam(system.D, renamed(case.after("D"), names_D), theirs["lr"], set())
    # A weight in the middle of the first kernel sees a constant label plane, which the norm takes away
    # again: its gradient is zero but for rounding.
    after = renamed(case.after("G"), names_G)
    cases.assert_after_adam(system.G, after, theirs["lr"], {"stem.conv.weight"})
    difference = (system.G.stem.conv.weight - after["stem.conv.weight"]).abs()
    difference[:, 3:, 3, 3] = 0
    assert difference.max() <= 2e-6
