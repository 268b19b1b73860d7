"""Spectral DCGAN: order of updates, codes, the paper's final layers, settings that cannot work."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from i2icli.config import RunOptions
from i2icli.metadata import read_metadata
from i2icli.runtime.checkpoint import load_model
from i2icli.stage import Clock, Stage
from i2icli.systems.spectral_dcgan.config import SpectralDCGANConfig
from i2icli.systems.spectral_dcgan.system import SpectralDCGAN
from i2icli.training.run import train
from i2icli.training.run_folder import RunFolder
from tests.asking import ask
from tests.data.files import fill
from tests.systems.steps import run_step
from tests.tiny import tiny_config


def tiny(**changes: Any) -> SpectralDCGAN:
    torch.manual_seed(0)
    config = tiny_config("spectral_dcgan", **changes)
    assert isinstance(config, SpectralDCGANConfig)
    return SpectralDCGAN(config)


def batch(number: int = 2) -> dict[str, Tensor]:
    torch.manual_seed(1)
    return {"image": torch.rand(number, 3, 32, 32) * 2 - 1, "codes": torch.randn(number, 2, 8)}


def test_the_critic_is_updated_more_often() -> None:
    system = tiny(critic_steps=3)
    turns = []
    for step in range(6):
        system.clock = Clock(Stage("", 10), step)
        turns.append("".join(update.optimizer for update in run_step(system, batch())))
    assert turns == ["D", "D", "DG", "D", "D", "DG"]


def test_each_turn_has_codes_of_its_own() -> None:
    system, given = tiny(norm="instance"), batch()
    seen = []
    system.G.register_forward_pre_hook(lambda _, codes: seen.append(codes[0].clone()))
    updates = run_step(system, given)
    torch.testing.assert_close(seen, [given["codes"][:, 0], given["codes"][:, 1]])
    (fake, real) = updates[1].fakes[""]
    assert fake.requires_grad
    assert real is given["image"]
    assert not updates[0].fakes


def test_final_layers_follow_a_nearest_doubling_and_0_is_a_plain_dcgan() -> None:
    paper, plain = tiny().G, tiny(final_layers=0).G
    kernels = [layer.kernel_size for layer in paper.net if isinstance(layer, nn.Conv2d)]
    assert kernels == [(5, 5)] * 3
    assert any(isinstance(layer, nn.Upsample) for layer in paper.net)
    assert not any(isinstance(layer, nn.Conv2d | nn.Upsample) for layer in plain.modules())
    assert plain(torch.randn(1, 8)).shape == paper(torch.randn(1, 8)).shape == (1, 3, 32, 32)


def test_a_penalty_is_about_one_image_alone() -> None:
    system = tiny(gan_loss="wgangp")
    torch.testing.assert_close(system.D(batch(2)["image"])[:1], system.D(batch(2)["image"][:1]))
    losses = run_step(system, batch())[0].losses
    assert set(losses) == {"gan", "penalty"}


def test_samples_follow_their_codes() -> None:
    system = tiny().eval()
    code = torch.randn(2, 8)
    assert ask(system, latent=code).shape == (2, 3, 32, 32)
    torch.testing.assert_close(ask(system, latent=code[:1]), system.G(code)[:1])


def test_what_cannot_work_is_told() -> None:
    run_step(tiny(norm="instance"), batch(1))
    for size, words in (((48, 48), "power of two"), ((32, 64), "power of two"), ((8, 8), "at least 16 px")):
        with pytest.raises(ValidationError, match=words):
            SpectralDCGANConfig(crop_size=size)


def test_models_that_were_less_wide_load_and_resume_as_they_are(tmp_path: Path) -> None:
    fill(tmp_path / "data", *(f"{number}.png" for number in range(4)), size=(128, 128))
    run = tmp_path / "run"
    wide = {"crop_size": (128, 128), "width": 1, "batch_size": 2, "final_layers": 1}
    config = tiny_config("spectral_dcgan", steps=1, widest=8, **wide)
    train("spectral_dcgan", [tmp_path / "data"], config, RunOptions(out=run))
    model = run / "model.safetensors"
    with safe_open(model, "pt") as file:  # as version 0.1.0 wrote it
        about = json.loads(file.metadata()["i2icli"])
    del about["config"]["widest"]
    save_file(load_file(model), model, {"i2icli": json.dumps(about)})
    folder = RunFolder(run)
    state = folder.load_state(print)
    assert state is not None
    del state["config"]["widest"]
    folder.save_state(state)
    assert ask(load_model(model), latent=torch.zeros(1, 8)).shape == (1, 3, 128, 128)
    config = tiny_config("spectral_dcgan", steps=2, **wide)
    assert train("spectral_dcgan", [tmp_path / "data"], config, RunOptions(out=run)).step == 2
    assert read_metadata(model).config["widest"] == 8


@pytest.mark.parametrize(("widest", "told"), [(16, {}), (8, {"widest": 8}), (3, {"widest": 3})])
def test_the_widest_layer_is_told_by_its_tensors(widest: int, told: dict[str, int]) -> None:
    config = SpectralDCGANConfig(crop_size=128, width=2, widest=widest)
    with torch.device("meta"):
        shapes = {name: tensor.shape for name, tensor in SpectralDCGAN(config).state_dict().items()}
    assert SpectralDCGANConfig.told_by({"width": 2}, shapes) == told
    assert SpectralDCGANConfig.told_by({"width": 2, "widest": 5}, shapes) == {}
    assert SpectralDCGANConfig.told_by({"width": "x"}, shapes) == {}
