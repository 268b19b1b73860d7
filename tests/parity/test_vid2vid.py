"""vid2vid's networks, warp, sampling in time and losses give the numbers of the reference."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from i2icli.losses.adversarial import LeastSquares
from i2icli.losses.flow import masked_l1
from i2icli.losses.multiscale import discriminator_loss, generator_loss, matching_loss
from i2icli.nn.multiscale import GrowingDiscriminators, input_pyramid
from i2icli.nn.resnet import ResnetGenerator
from i2icli.nn.warp import positions, warp
from i2icli.originals.checkpoint import rename, without_biases
from i2icli.stage import Clock
from i2icli.systems.vid2vid.config import Vid2VidConfig, temporal_stride
from i2icli.systems.vid2vid.losses import temporal_input, triplets
from i2icli.systems.vid2vid.names import coarse_names, discriminator_names, local_names
from i2icli.systems.vid2vid.networks import build_image_discriminator, build_temporal_discriminator, sizes_at
from i2icli.systems.vid2vid.scale import Features, Layers, ScaleGenerator
from tests.parity import cases
from tests.parity.cases import Case
from tests.parity.test_pix2pixhd import load as load_pix2pixhd
from tests.parity.test_pix2pixhd import resnet_names

SYSTEM = "vid2vid"
GENERATORS = cases.names(SYSTEM, "composite")
DISCRIMINATORS = cases.names(SYSTEM, "discriminator")


def scale_of(case: Case) -> ScaleGenerator:
    """The generator of one scale, with the weights of a case."""
    config, level = case.config, case.config.get("scale", 0)
    local = config["generator"] == "composite_local"
    blocks = config["n_blocks_local"] if local else config["n_blocks"]
    ours = settings(
        channels=(config["input_nc"] // 3, 3),
        width=config["ngf"] << level,
        depth=config["n_downsampling"],
        num_blocks=4 if local else blocks,
        num_local_blocks=blocks,
        flow=not config["no_flow"],
        **foreground(config),
    )
    layers = Layers(config["norm"], "running" if case.mode == "eval" else "image")
    network = ScaleGenerator(sizes_at(ours, level), layers).eval()
    load(network, case.state(), local_names(blocks) if local else coarse_names(ours.depth, blocks))
    return network


def settings(**values: Any) -> Vid2VidConfig:
    return Vid2VidConfig(crop_size=(64, 64), perceptual="off", **values)


def foreground(config: dict[str, Any]) -> dict[str, Any]:
    """Four planes for a map, of three classes and boundaries, where there is a foreground."""
    if not config["use_fg_model"]:
        return {}
    return {"classes": [f"{number} {number}" for number in range(3)], "foreground": ("1",)}


def discriminator_of(case: Case, config: dict[str, Any], network: str | None = None) -> nn.Module:
    """D for frames with their maps, or for triplets of frames, with the weights of a case."""
    temporal = network == "D_T"
    ours = settings(
        channels=(1 if temporal else config["input_nc"] - 3, 3),
        discriminator_width=config["ndf"],
        num_layers=config["n_layers_D"],
        num_scales=config["num_D"],
    )
    clock = Clock(ours.stages()[0])
    build = build_temporal_discriminator if temporal else build_image_discriminator
    found: GrowingDiscriminators = build(ours, lambda: clock)
    load(found, case.state(network), discriminator_names(ours.num_scales, ours.num_layers + 1))
    return found.train()


def load(network: nn.Module, state: dict[str, Tensor], names: dict[str, str]) -> None:
    """The reference's weights; what norms without weights store or take away again is left out."""
    renamed = rename(state, names)
    assert renamed is not None
    if any(name.endswith("norm.weight") for name in renamed):
        renamed = without_biases(renamed)
    else:
        renamed = {
            name: value
            for name, value in renamed.items()
            if ".norm." not in name and not name.endswith(".conv.bias")
        }
    network.load_state_dict(renamed)


@pytest.mark.parametrize("name", GENERATORS)
def test_a_scale_makes_the_frame_of_the_reference(name: str) -> None:
    case = cases.read(SYSTEM, name)
    network, given = scale_of(case), case.tensors.get
    below = None
    if "in.img_feat_coarse" in case.tensors:
        kinds = ("img_feat_coarse", "flow_feat_coarse", "img_fg_feat_coarse")
        below = Features(*(given(f"in.{kind}") for kind in kinds))  # type: ignore[arg-type]
    first = case.config.get("use_raw_only", False)
    with torch.inference_mode():
        maps, previous = case.given("input"), case.given("img_prev")
        frame, features = network(maps, previous, given("in.mask"), below, first=first)
    found = {
        "img_final": frame.image,
        "img_raw": frame.raw,
        "flow": frame.flow,
        "weight": frame.weight,
        "img_feat": features.image,
        "flow_feat": features.flow,
        "img_fg_feat": features.foreground,
    }
    for kind, tensor in found.items():
        assert (tensor is not None) == case.has(kind)
        if tensor is not None:
            cases.assert_images(tensor, case.expected(kind))


def test_the_single_image_generator() -> None:
    case = cases.read(SYSTEM, "single_global_instance_train")
    config = case.config
    depth, blocks = config["n_downsample"], config["n_blocks"]
    network = ResnetGenerator(config["input_nc"], 3, config["ngf"], blocks, depth=depth).eval()
    state = {name: value for name, value in case.state().items() if ".running_" not in name}
    state = {name: value for name, value in state.items() if not name.endswith("num_batches_tracked")}
    load_pix2pixhd(network, state, resnet_names(depth, blocks))
    with torch.inference_mode():
        cases.assert_images(network(case.given()), case.expected())


def test_the_warp_and_its_positions() -> None:
    case = cases.read(SYSTEM, "warp")
    flow = case.given("flow")
    cases.assert_images(warp(case.given("image"), flow), case.expected("warped"))
    cases.assert_images(positions(torch.zeros_like(flow)).movedim(-1, 1), case.expected("grid"))


@pytest.mark.parametrize("name", DISCRIMINATORS)
def test_the_discriminators_at_every_scale(name: str) -> None:
    case = cases.read(SYSTEM, name)
    found = discriminator_of(case, case.config)(case.given())
    for scale, layers in enumerate(found):
        for layer, output in enumerate(layers):
            cases.assert_images(output.detach(), case.expected(f"{scale}.{layer}"))
    assert not case.has(f"{len(found)}.0")


def test_the_pyramid_and_what_temporal_discriminators_see() -> None:
    case = cases.read(SYSTEM, "pyramid_and_temporal_sampling")
    frames = case.given("frames")  # (B, T, C, H, W)
    for level, found in enumerate(input_pyramid(frames.flatten(0, 1), case.config["n_scales_spatial"])):
        expected = case.expected(f"pyramid.{level}")
        cases.assert_images(found.unflatten(0, frames.shape[:2]), expected)
    seen = [name for name in case.tensors if name.startswith("out.frame_ids")]
    assert seen
    for name in seen:
        step, scale = (int(part.strip("stepcal")) for part in name.split(".")[2:])
        assert triplets([step], temporal_stride(scale)) == case.tensors[name].long().tolist()
    assert triplets([1], 1) == triplets([5], 3) == []


def test_the_losses() -> None:
    case = cases.read(SYSTEM, "losses")
    weight, gan = case.config["lambda_feat"], LeastSquares()
    real, fake, source = case.given("real_B"), case.given("fake_B"), case.given("real_A")
    flows, confidence = case.given("flow_ref"), case.given("conf_ref")  # (B, 2, C, H, W)
    image = discriminator_of(case, case.config["D"] | {"num_D": 2}, "D")
    temporal = discriminator_of(case, case.config["D_T"], "D_T")
    pairs = {
        "": [image(torch.cat([source, each[:, -1]], 1)) for each in (real, fake)],
        "T_": [temporal(temporal_input(each, flows)) for each in (real, fake)],
    }
    for name, (reals, fakes) in pairs.items():
        cases.assert_loss(generator_loss(gan, fakes), case.expected(f"{name}G_GAN"))
        cases.assert_loss(weight * matching_loss(fakes, reals), case.expected(f"{name}G_GAN_Feat"))
        both = case.expected(f"{name}D_real") + case.expected(f"{name}D_fake")
        cases.assert_loss(discriminator_loss(gan, reals, fakes), 0.5 * both)

    flow, mask, wanted = case.given("flow"), confidence[:, -1], flows[:, -1]
    found = {
        "F_Flow": masked_l1(flow, wanted, mask) * case.config["lambda_F"],
        "F_Warp": masked_l1(warp(real[:, -2], flow), real[:, -1], mask) * case.config["lambda_F"],
        "G_Warp": masked_l1(fake[:, -1], warp(fake[:, -2], wanted), mask) * case.config["lambda_T"],
        "W": masked_l1(case.given("weight"), torch.zeros_like(mask), mask),
    }
    for name, loss in found.items():
        cases.assert_loss(loss, case.expected(name))


def test_every_case_is_covered() -> None:
    others = {"losses", "pyramid_and_temporal_sampling", "single_global_instance_train", "warp"}
    assert set(cases.names(SYSTEM)) == {*others, *GENERATORS, *DISCRIMINATORS}
    assert (len(GENERATORS), len(DISCRIMINATORS), len(cases.names(SYSTEM))) == (7, 3, 14)
