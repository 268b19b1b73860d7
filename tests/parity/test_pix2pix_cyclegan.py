"""Networks, losses and the image pool give the numbers of the reference."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import l1_loss

from i2icli.losses.adversarial import LeastSquares, Vanilla, Wasserstein
from i2icli.losses.penalty import gradient_penalty, interpolate
from i2icli.nn.patchgan import PatchDiscriminator, PixelDiscriminator
from i2icli.nn.pool import ImagePool
from i2icli.nn.resnet import ResnetGenerator
from i2icli.nn.unet import UNetGenerator
from i2icli.originals.checkpoint import rename
from i2icli.originals.classic_names import PIXEL_NAMES, patch_names, resnet_names, unet_names
from i2icli.system import linear_decay
from tests.parity import cases
from tests.parity.cases import Case

SYSTEM = "pix2pix_cyclegan"


def build(case: Case) -> tuple[nn.Module, dict[str, str]]:
    """Our network for a case, with stored statistics as the cases have it, and its layers' names."""
    config = case.config
    norm = config["norm"]
    if config.get("generator") == "unet":
        sizes = (config["input_nc"], config["output_nc"], config["ngf"], config["num_downs"])
        return UNetGenerator(*sizes, norm, 0.0, "running"), unet_names(config["num_downs"])
    if config.get("generator") == "resnet":
        sizes = (config["input_nc"], config["output_nc"], config["ngf"], config["n_blocks"])
        names = resnet_names(config["n_blocks"], config["use_dropout"])
        return ResnetGenerator(*sizes, norm, 0.0, "running"), names
    if config["discriminator"] == "pixel":
        return PixelDiscriminator(config["input_nc"], config["ndf"], norm), PIXEL_NAMES
    network = PatchDiscriminator(config["input_nc"], config["ndf"], config["n_layers"], norm)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.statistics = "running"
    return network, patch_names(config["n_layers"])


def load(network: nn.Module, state: dict[str, Tensor], names: dict[str, str]) -> None:
    """The reference's weights, without the statistics that old files keep beside instance norms."""
    renamed = rename(state, names)
    assert renamed is not None
    if not any(isinstance(module, nn.BatchNorm2d) for module in network.modules()):
        renamed = {name: value for name, value in renamed.items() if ".norm." not in name}
    network.load_state_dict(renamed, strict=True)


NETWORKS = [
    name for start in ("patchgan", "pixelgan", "resnet", "unet") for name in cases.names(SYSTEM, start)
]


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_answers_as_the_reference(name: str) -> None:
    case = cases.read(SYSTEM, name)
    network, names = build(case)
    if isinstance(network, PixelDiscriminator) and case.config["norm"] == "batch":
        network.layer.norm.statistics = "running"
    load(network, case.state(), names)
    network.train(case.mode == "train")

    x = case.given("x").requires_grad_()
    y = network(x)

    cases.assert_images(y.detach(), case.expected("y" if case.has("y") else ""))
    if case.has("grad_x"):
        (gradient,) = torch.autograd.grad(y, x, case.given("cotangent"))
        cases.assert_images(gradient, case.expected("grad_x"))
    changed = rename(case.after(), names)
    for key, value in (changed or {}).items():
        torch.testing.assert_close(network.state_dict()[key], value)


def test_every_network_case_is_covered() -> None:
    others = {
        "cyclegan_train_step", "pix2pix_train_step",
        "gan_losses", "gradient_penalty", "image_pool_trace", "lr_linear",
    }  # fmt: skip
    assert set(cases.names(SYSTEM)) == others | set(NETWORKS)
    assert len(NETWORKS) == 17


@pytest.mark.parametrize(
    ("name", "loss"), [("lsgan", LeastSquares), ("vanilla", Vanilla), ("wgangp", Wasserstein)]
)
def test_adversarial_losses(name: str, loss: type[LeastSquares | Vanilla | Wasserstein]) -> None:
    case = cases.read(SYSTEM, "gan_losses")
    scores = case.given("prediction")
    real, fake = case.expected(f"{name}.real"), case.expected(f"{name}.fake")

    cases.assert_loss(loss().generator(scores), real)
    cases.assert_loss(loss().discriminator(scores, scores), real + fake)


def test_l1_distance() -> None:
    case = cases.read(SYSTEM, "gan_losses")
    cases.assert_loss(l1_loss(case.given("a"), case.given("b")), case.expected("l1"))


def test_gradient_penalty() -> None:
    case = cases.read(SYSTEM, "gradient_penalty")
    D, names = build(case)
    load(D, case.state(), names)
    real, fake, weights = case.given("real"), case.given("fake"), case.given("alpha")

    points = interpolate(real, fake, weights).requires_grad_()
    (gradient,) = torch.autograd.grad(D(points).sum(), points)
    penalty = gradient_penalty(D, real, fake, weights)

    cases.assert_gradient_norms(gradient.flatten(1).norm(dim=1), case.expected("grad_norm"))
    cases.assert_gradient_norms(case.config["lambda_gp"] * penalty, case.expected("penalty"))


def test_image_pool_trace() -> None:
    case = cases.read(SYSTEM, "image_pool_trace")
    # One pair of draws per image that found the pool full; the slot is -1 where it stayed outside.
    uniform = iter(case.given("uniform_draws").tolist())
    slots = iter(slot for slot in case.given("slot_draws").tolist() if slot >= 0)
    pool = ImagePool(case.config["pool_size"], uniform=lambda: next(uniform), slot=lambda _: next(slots))

    arrived, returned = 0, []
    for size in case.given("query_sizes").tolist():
        images = torch.arange(arrived, arrived + size, dtype=torch.float32).reshape(size, 1, 1, 1)
        arrived += size
        returned += pool(images).flatten().tolist()

    assert returned == case.expected("returned_ids").tolist()
    assert [image.item() for image in pool.images] == case.expected("pool_ids").tolist()
    assert next(uniform, None) is None
    assert next(slots, None) is None


@pytest.mark.parametrize(("name", "shift"), [("lr_step_at_epoch_end", 0), ("lr_step_at_epoch_start", 1)])
def test_learning_rate_schedule(name: str, shift: int) -> None:
    case = cases.read(SYSTEM, "lr_linear")
    config = case.config

    rates = [
        config["lr"] * linear_decay(epoch + shift, config["n_epochs"], config["n_epochs_decay"] + 1)
        for epoch in case.given("epoch").tolist()
    ]

    torch.testing.assert_close(torch.tensor(rates, dtype=torch.float64), case.expected(name))
