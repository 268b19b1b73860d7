"""DTN: networks and losses equal the reference's numbers."""

import torch
from torch import Tensor, nn

from i2icli.losses.total_variation import total_variation
from i2icli.systems.dtn.adversaries import Binary
from i2icli.systems.dtn.config import DTNConfig
from i2icli.systems.dtn.original import rename
from i2icli.systems.dtn.system import DTN
from tests.parity import cases
from tests.parity.cases import Case


def tiny(**changes: object) -> DTN:
    """The reference's tiny networks: RGB to one channel, 32 px."""
    sizes = {"width": 3, "generator_width": 3, "discriminator_width": 3, "num_features": 8}
    system = DTN(DTNConfig.model_validate(sizes | {"channels": (3, 1), "feature_steps": 0} | changes))
    return system.eval().requires_grad_(False)


def load(network: nn.Module, part: str, state: dict[str, Tensor]) -> None:
    """A network of ours, with the reference's weights of the part with that name ("f", "head", "g", "D")."""
    renamed = {key.removeprefix(f"{part}."): value for key, value in rename(state, num_blocks=3).items()}
    own = {key: value for key, value in renamed.items() if key in network.state_dict()}
    network.load_state_dict(own, strict=True)


def under(prefix: str, case: Case) -> dict[str, Tensor]:
    """The state of a case under the network's name in a file of several."""
    state = case.state(prefix) or case.state()
    return {f"{prefix}.{key}": value for key, value in state.items()}


def test_extractor() -> None:
    case, system = cases.read("dtn", "content_extractor"), tiny()
    load(system.f, "f", under("f", case))
    load(system.head, "head", under("f", case))
    features = system.f(case.given("src"))
    cases.assert_images(features, case.expected("feature_src"))
    cases.assert_images(system.f(case.given("gray")), case.expected("feature_gray"))
    cases.assert_images(system.head(features), case.expected("logits"))


def test_generator() -> None:
    case, system = cases.read("dtn", "generator"), tiny()
    load(system.g, "g", under("g", case))
    cases.assert_images(system.g(case.given("f")), case.expected())


def test_discriminator() -> None:
    case, system = cases.read("dtn", "discriminator_ternary"), tiny()
    load(system.D, "D", under("D", case))
    cases.assert_images(system.D(case.given("x")), case.expected())


def test_losses_of_digits_and_faces() -> None:
    case = cases.read("dtn", "losses")
    system = tiny(const_weight=100, identity_weight=1, tv_weight=0.05)
    for name, network in (("f", system.f), ("g", system.g), ("D", system.D)):
        load(network, name, under(name, case))
    images = {"source": case.given("src"), "target": case.given("trg")}
    features = system._features(images)
    fakes = {side: system.g(code) for side, code in features.items()}
    cases.assert_images(fakes["source"], case.expected("fake_src"))
    cases.assert_images(fakes["target"], case.expected("fake_trg"))

    critic = system._critic_losses(fakes, images["target"])
    faces = system._generator_losses(fakes, features, images)
    cases.assert_loss(sum(critic.values()), case.expected("L_D"))
    cases.assert_loss(faces["gan_source"] + faces["gan_target"], case.expected("L_GANG"))
    cases.assert_loss(faces["const"] / 100, case.expected("L_CONST"))
    cases.assert_loss(faces["identity"], case.expected("L_TID"))
    cases.assert_loss(faces["tv"] / 0.05, case.expected("L_TV"))
    cases.assert_loss(total_variation(fakes["target"]), case.expected("L_TV_trg"))
    cases.assert_loss(sum(faces.values()), case.expected("L_G_faces"))

    digits = tiny()
    digits.load_state_dict(system.state_dict())
    losses = digits._generator_losses(fakes, features, images)
    assert "tv" not in losses
    cases.assert_loss(sum(losses.values()), case.expected("L_G_digits"))


def test_binary_losses() -> None:
    case = cases.read("dtn", "binary_variant_losses")
    source, target = case.given("logits_fake_src"), case.given("logits_fake_trg")
    adversaries = Binary()
    critic = adversaries.critic({"source": source}, None)
    cases.assert_loss(critic["fake_source"], case.expected("d_loss_src"))
    critic = adversaries.critic({"target": target}, case.given("logits_real_trg"))
    cases.assert_loss(critic["fake_target"] + critic["real"], case.expected("d_loss_trg"))
    generator = adversaries.generator({"source": source, "target": target})
    cases.assert_loss(generator["gan_source"], case.expected("g_loss_src"))
    cases.assert_loss(generator["gan_target"], case.expected("g_gan_trg"))


def test_the_update_of_f() -> None:
    case = cases.read("dtn", "binary_variant_losses")
    system = tiny(f_interval=1, discriminator="binary", const_weight=case.config["weight_const"])
    given = iter((case.given("fx")[..., None, None], case.given("fgfx")[..., None, None]))  # (B, Z, 1, 1)
    system.f.forward = lambda _: next(given)  # type: ignore[method-assign, assignment]
    system.g.forward = lambda _: torch.zeros(4, 1, 32, 32)  # type: ignore[method-assign, assignment]
    (update,) = system._feature_update({"source": torch.zeros(4, 3, 32, 32)})
    assert update.optimizer == "f"
    cases.assert_loss(update.losses["const"], case.expected("f_loss_src"))
