"""Spectral DCGAN: generators of the published program load, and generate the same."""

from pathlib import Path

import pytest
import torch

from i2icli.errors import UserError
from i2icli.inference.loading import load_with_notes
from i2icli.originals import load_original
from tests.asking import ask
from tests.parity import cases


def test_a_generator_loads_and_generates_as_the_reference(tmp_path: Path) -> None:
    case = cases.read("upconv", "generator_eval")
    torch.save(case.state(), tmp_path / "generator.pth")
    system, notes = load_with_notes(tmp_path / "generator.pth")
    assert notes == ()
    assert system.config.crop_size == (32, 32)
    with torch.inference_mode():
        cases.assert_images(ask(system, latent=case.given("z")[:, :, 0, 0]), case.expected())


@pytest.mark.parametrize("name", cases.names("upconv", "discriminator"))
def test_a_discriminator_is_refused_by_its_name(name: str, tmp_path: Path) -> None:
    torch.save(cases.read("upconv", name).state(), tmp_path / "D.pth")
    with pytest.raises(UserError, match="spectral DCGAN's discriminator"):
        load_original(tmp_path / "D.pth")


def test_what_only_looks_like_one_is_not_taken_for_it(tmp_path: Path) -> None:
    state = cases.read("upconv", "generator_eval").state()
    state["net.1.0.weight"] = state["net.1.0.weight"][:, :1].clone()
    torch.save(state, tmp_path / "G.pth")
    with pytest.raises(UserError, match=r"nearest to spectral_dcgan.*net\.1\.0\.weight is 8x1x4x4"):
        load_original(tmp_path / "G.pth")
