"""`--spectral-weight`: one term for every update that tells what it generated, with a gradient into it."""

import pytest
import torch

from i2icli.config import Config
from i2icli.losses.spectral import mean_spectral_loss, spectral_loss
from i2icli.system import Update
from i2icli.training.spectral_term import SpectralTerm


@pytest.fixture
def images() -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    fake, real = torch.rand(2, 2, 3, 24, 24)
    return fake.requires_grad_(), real


def test_the_term_is_weighed_cut_and_named(images) -> None:
    gan = torch.tensor(1.0)
    update = SpectralTerm(3.0, 0.5).add_to(Update("G", {"gan": gan}, fakes={"": images, "B": images}))
    assert set(update.losses) == {"gan", "spectrum", "spectrum_B"}
    assert update.losses["gan"] is gan
    torch.testing.assert_close(update.losses["spectrum"], 3 * spectral_loss(*images, 0.5))
    assert spectral_loss(*images, 0.5) != spectral_loss(*images)


def test_settings_choose_what_is_compared(images) -> None:
    config = Config(crop_size=24, spectral_weight=2.0, spectral_cut=0.25, spectral_of="batch")
    update = SpectralTerm.from_config(config).add_to(Update("G", {}, fakes={"": images}))
    torch.testing.assert_close(update.losses["spectrum"], 2 * mean_spectral_loss(*images, 0.25))


def test_its_gradient_reaches_what_generates(images) -> None:
    SpectralTerm(1.0).add_to(Update("G", {}, fakes={"": images})).losses["spectrum"].backward()
    assert images[0].grad is not None
    assert images[0].grad.abs().max() > 0


def test_without_weight_fakes_or_rings_there_is_none(images) -> None:
    update = Update("G", {}, fakes={"": images})
    assert SpectralTerm().add_to(update) is update
    assert SpectralTerm(1.0).add_to(Update("D", {})).losses == {}
    tiny = {"": (torch.rand(2, 3, 8, 8), torch.rand(2, 3, 8, 8))}
    assert SpectralTerm(1.0).add_to(Update("G", {}, fakes=tiny)).losses == {}
