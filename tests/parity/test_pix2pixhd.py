"""pix2pixHD's networks, inputs, pooling and losses give the numbers of the reference."""

import pytest
import torch
from torch import Tensor, nn

from i2icli.losses.adversarial import LeastSquares
from i2icli.losses.multiscale import discriminator_loss, generator_loss, matching_loss
from i2icli.nn.instance_pooling import pool_regions
from i2icli.nn.label_maps import boundaries, one_hot
from i2icli.originals.checkpoint import rename, without_biases
from i2icli.stage import Clock
from i2icli.system import linear_decay
from i2icli.systems.pix2pixhd.config import Pix2PixHDConfig
from i2icli.systems.pix2pixhd.names import discriminator_names, grown_names, resnet_names
from i2icli.systems.pix2pixhd.networks import build_discriminators, build_encoder, build_generator
from tests.parity import cases
from tests.parity.cases import Case

SYSTEM = "pix2pixhd"
GENERATORS = [name for start in ("global", "local") for name in cases.names(SYSTEM, start)]


def config_of(case: Case) -> Pix2PixHDConfig:
    """The settings of a generator's case."""
    config = case.config
    enhancers = config.get("n_local_enhancers", 0)
    return Pix2PixHDConfig(
        classes=[f"{number} {number}" for number in range(config["input_nc"] - 1)],
        grown=enhancers,
        grown_before=enhancers,
        width=config["ngf"] << enhancers,
        depth=config["n_downsample_global"],
        num_blocks=config["n_blocks_global"],
        num_enhancer_blocks=config.get("n_blocks_local", 3),
        norm=config["norm"],
        batch_size=2,  # running statistics where they are stored
    )


def generator_of(case: Case) -> nn.Module:
    config = config_of(case)
    clock = Clock(config.stages()[0])
    return build_generator(config, lambda: clock).eval()


def generator_names(config: Pix2PixHDConfig) -> dict[str, str]:
    if not config.grown:
        return resnet_names(config.depth, config.num_blocks)
    return grown_names(config.depth, config.num_blocks, config.grown, config.num_enhancer_blocks)


def discriminator_of(case: Case, network: str | None = None) -> nn.Module:
    """The discriminators of a case, with its weights."""
    config = case.config
    ours = Pix2PixHDConfig(
        classes=[f"{number} {number}" for number in range(config["input_nc"] - 4)],
        discriminator_width=config["ndf"],
        num_layers=config["n_layers_D"],
        num_scales=config["num_D"],
    )
    clock = Clock(ours.stages()[0])
    found = build_discriminators(ours, lambda: clock)
    load(found, case.state(network), discriminator_names(ours.num_scales, ours.num_layers + 1))
    return found


def load(network: nn.Module, state: dict[str, Tensor], names: dict[str, str]) -> None:
    """The reference's weights. Its biases in front of a batch norm, which ours has not, move the mean."""
    renamed = rename(state, names)
    assert renamed is not None
    missing, unexpected = network.load_state_dict(without_biases(renamed), strict=False)
    assert not unexpected
    assert {name.split(".")[-2] for name in missing} <= {"head"}  # of levels below the last


@pytest.mark.parametrize("name", GENERATORS)
def test_a_generator_gives_the_image_of_the_reference(name: str) -> None:
    case = cases.read(SYSTEM, name)
    network = generator_of(case)
    load(network, case.state(), generator_names(config_of(case)))
    with torch.inference_mode():
        cases.assert_images(network(case.given()), case.expected())


def test_the_encoder_and_its_pooled_features() -> None:
    case = cases.read(SYSTEM, "encoder_instance_pooling")
    depth, width = case.config["n_downsample_E"], case.config["nef"]
    config = Pix2PixHDConfig(features="instance", num_features=3, encoder_width=width, encoder_depth=depth)
    network = build_encoder(config)
    load(network, case.state(), resnet_names(depth, 0))
    with torch.inference_mode():
        features = network(case.given())
        cases.assert_images(features, case.expected("raw"))
        cases.assert_images(pool_regions(features, case.given("instance").long()), case.expected("pooled"))


def test_the_planes_of_label_and_instance_maps() -> None:
    case = cases.read(SYSTEM, "instance_edges_and_onehot")
    edges = boundaries(case.given("instance").long())
    planes = one_hot(case.given("label").long(), case.config["label_nc"])
    assert torch.equal(edges, case.expected("edges"))
    assert torch.equal(torch.cat([planes, edges], 1), case.expected("onehot_with_edges"))


def test_the_learning_rate_of_each_epoch() -> None:
    case = cases.read(SYSTEM, "lr_linear")
    constant, decay = case.config["niter"], case.config["niter_decay"]
    epochs = case.given("epoch").tolist()
    rates = [case.config["lr"] * linear_decay(epoch - 1, constant, decay) for epoch in epochs]
    torch.testing.assert_close(torch.tensor(rates, dtype=torch.float64), case.expected("lr"))


@pytest.mark.parametrize("name", cases.names(SYSTEM, "discriminator"))
def test_the_discriminators_at_every_scale(name: str) -> None:
    case = cases.read(SYSTEM, name)
    network = discriminator_of(case)
    found = network(case.given())
    for scale, layers in enumerate(found):
        expected = case.config["get_intermediate_features"]
        for layer, output in enumerate(layers if expected else layers[-1:]):
            cases.assert_images(output.detach(), case.expected(f"{scale}.{layer}"))
    assert not case.has(f"{len(found)}.0")


def test_the_losses() -> None:
    case = cases.read(SYSTEM, "losses")
    network, gan = discriminator_of(case, "D"), LeastSquares()
    fake, real = (network(torch.cat([case.given("label"), case.given(each)], 1)) for each in ("fake", "real"))
    losses = discriminator_loss(gan, real, fake)
    cases.assert_loss(losses, 0.5 * (case.expected("D_real") + case.expected("D_fake")))
    cases.assert_loss(generator_loss(gan, fake), case.expected("G_GAN"))
    matching = case.config["lambda_feat"] * matching_loss(fake, real)
    cases.assert_loss(matching, case.expected("G_GAN_Feat"))


def test_every_case_is_covered() -> None:
    others = {"encoder_instance_pooling", "instance_edges_and_onehot", "losses", "lr_linear"}
    assert set(cases.names(SYSTEM)) == {*others, *GENERATORS, *cases.names(SYSTEM, "discriminator")}
    assert len(cases.names(SYSTEM)) == 13
