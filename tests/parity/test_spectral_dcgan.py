"""The spectral DCGAN's networks give the numbers of the published program, under its own names of weights."""

import pytest
import torch

from i2icli.systems.spectral_dcgan.networks import Discriminator, Generator
from tests.parity import cases

SYSTEM = "upconv"
NORMS = {"batch_norm": "batch", "instance_norm": "instance", "layer_norm": "layer"}


@pytest.mark.parametrize("name", cases.names(SYSTEM, "generator"))
def test_generators(name: str) -> None:
    case = cases.read(SYSTEM, name)
    config = case.config
    G = Generator(
        config["input_dim"],
        config["output_channels"],
        config["dim"],
        config["n_upsamplings"],
        NORMS[config["norm"]],  # type: ignore[arg-type]
        "transposed",
        final_layers=3,
    )
    G.load_state_dict(case.state(), strict=True)
    G.train(case.mode == "train")
    z = case.given("z")
    cases.assert_images(G(z), case.expected())
    G.load_state_dict(case.state(), strict=True)
    cases.assert_images(G(z[:, :, 0, 0]), case.expected())
    after = G.state_dict()
    for key, value in case.after().items():
        torch.testing.assert_close(after[key], value, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", cases.names(SYSTEM, "discriminator"))
def test_discriminators(name: str) -> None:
    case = cases.read(SYSTEM, name)
    config = case.config
    D = Discriminator(
        config["input_channels"], config["dim"], config["n_downsamplings"], NORMS[config["norm"]]
    )  # type: ignore[arg-type]
    D.load_state_dict(case.state(), strict=True)
    cases.assert_images(D.eval()(case.given()), case.expected())
