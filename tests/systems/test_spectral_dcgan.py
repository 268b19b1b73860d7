"""Spectral DCGAN: order of updates, codes, the paper's final layers, settings that cannot work."""

from typing import Any

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor, nn

from i2icli.stage import Clock, Stage
from i2icli.systems.spectral_dcgan.config import SpectralDCGANConfig
from i2icli.systems.spectral_dcgan.system import SpectralDCGAN
from tests.asking import ask
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
