"""Every system whose authors keep networks in files of their own starts from each of them."""

from pathlib import Path
from typing import Any

import pytest
import torch

from i2icli.training.init_from import load_init_weights
from i2icli.training.run import build_system
from tests.parity import cases
from tests.tiny import tiny_config

State = dict[str, torch.Tensor]


def numbered(number: int) -> tuple[str, ...]:
    return tuple(f"{index} {index}" for index in range(number))


def stargan(folder: Path) -> tuple[Path, dict[str, Any], set[str]]:
    G, D = cases.read("stargan", "generator_train").state(), cases.read("stargan", "discriminator_32").state()
    torch.save(G, folder / "200000-G.ckpt")
    torch.save(D, folder / "200000-D.ckpt")
    settings = {"width": 6, "num_blocks": 2, "discriminator_width": 4, "num_layers": 3, "crop_size": 32}
    labels = {"attributes": ("a", "b", "c", "d", "e"), "domains": (), "sets": ()}
    return folder, settings | labels, {"G", "D"}


def pix2pixhd(folder: Path) -> tuple[Path, dict[str, Any], set[str]]:
    """The global generator, to which a local enhancer is added here."""
    torch.save(cases.read("pix2pixhd", "global_instance").state(), folder / "latest_net_G.pth")
    sizes = {"width": 3, "depth": 3, "num_blocks": 2, "grown": 1, "crop_size": 64}
    return folder, sizes | {"classes": numbered(4), "instances": True, "features": "none"}, {"G.small"}


def pix2pixhd_discriminators(folder: Path) -> tuple[Path, dict[str, Any], set[str]]:
    D = cases.read("pix2pixhd", "discriminator_num2_features").state()
    torch.save(D, folder / "latest_net_D.pth")
    settings = {"discriminator_width": 4, "num_layers": 3, "num_scales": 2, "classes": numbered(1)}
    return folder / "latest_net_D.pth", settings | {"features": "none", "grown": 0}, {"D"}


def spade(folder: Path) -> tuple[Path, dict[str, Any], set[str]]:
    D = cases.read("spade", "discriminator_num2_n4_train").state()
    torch.save(D, folder / "10_net_D.pth")
    settings = {"discriminator_width": 4, "num_layers": 4, "num_scales": 2, "classes": numbered(6)}
    return folder / "10_net_D.pth", settings, {"D"}


def combogan(folder: Path) -> tuple[Path, dict[str, Any], set[str]]:
    G, D = cases.read("combogan", "generator_2domains_shared"), cases.read("combogan", "discriminator_n3")
    for number in range(6):
        torch.save(G.state(f"G{number}"), folder / f"200_net_G{number}.pth")
    for number in range(2):
        torch.save(D.state(f"D{number}"), folder / f"200_net_D{number}.pth")
    sizes = {"width": 2, "num_blocks": 6, "num_shared": 3, "discriminator_width": 3, "num_layers": 3}
    return folder, sizes | {"domains": ("summer", "winter")}, {"encoders", "decoders", "discriminators"}


def augmented_cyclegan(folder: Path) -> tuple[Path, dict[str, Any], set[str]]:
    case = cases.read("augmented_cyclegan", "train_step")
    names = ("netG_A_B", "netG_B_A", "netE_B", "netD_A", "netD_B", "netD_z_B")
    torch.save({name: case.state(name) for name in names}, folder / "latest.pth")
    sizes = {"width": 2, "encoder_width": 2, "discriminator_width": 2, "discriminator_width_a": 2}
    settings = sizes | {"num_latents": 4, "num_blocks": 3, "encoder_input": "pair"}
    return folder / "latest.pth", settings, {"G_AB", "G_BA", "E", "D_A", "D_B", "D_z"}


def spectral_dcgan(folder: Path) -> tuple[Path, dict[str, Any], set[str]]:
    """With layer norms, which the file does not tell from others, but the settings do."""
    case = cases.read("upconv", "discriminator_layer_norm")
    torch.save(case.state(), folder / "D_100.pth")
    settings = {
        "width": case.config["dim"],
        "norm": "layer",
        "crop_size": 4 << case.config["n_downsamplings"],
    }
    return folder / "D_100.pth", settings, {"D"}


@pytest.mark.parametrize(
    ("make", "system"),
    [
        (stargan, "stargan"),
        (pix2pixhd, "pix2pixhd"),
        (pix2pixhd_discriminators, "pix2pixhd"),
        (spade, "spade"),
        (combogan, "combogan"),
        (augmented_cyclegan, "augmented_cyclegan"),
        (spectral_dcgan, "spectral_dcgan"),
    ],
)
def test_a_training_starts_from_the_networks_in_the_files(make: Any, system: str, tmp_path: Path) -> None:
    source, settings, modules = make(tmp_path)
    built = build_system(system, tiny_config(system, **settings))
    loaded, line = load_init_weights(built, str(source))
    expected = {
        name for name, _ in built.named_parameters() if name.startswith(tuple(f"{each}." for each in modules))
    }
    assert loaded == expected, line
    assert "took " in line
