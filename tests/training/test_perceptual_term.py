"""`--perceptual-weight`: one term for every update that provides what it reconstructed."""

import pytest
import torch

from i2icli.runtime.device import Placement
from i2icli.system import Update
from i2icli.training.perceptual_term import PerceptualTerm
from tests.training.perceptual import tiny_loss

CPU = Placement(torch.device("cpu"))


@pytest.fixture
def images():
    fake, real = torch.rand(2, 2, 3, 24, 24)
    return fake.requires_grad_(), real


def test_the_term_is_weighed_and_named(images):
    gan, loss = torch.tensor(1.0), tiny_loss()
    update = Update("G", {"gan": gan}, fakes={"C": images}, reconstructed={"": images, "B": images})
    found = PerceptualTerm(loss, 3.0, CPU).add_to(update)
    assert set(found.losses) == {"gan", "perceptual", "perceptual_B"}
    assert found.losses["gan"] is gan
    torch.testing.assert_close(found.losses["perceptual"], 3 * loss(*images))
    found.losses["perceptual"].backward()
    assert images[0].grad.abs().max() > 0


def test_an_update_without_reconstructions_has_none(images):
    update = PerceptualTerm(tiny_loss(), 3.0, CPU).add_to(Update("D", {}, fakes={"": images}))
    assert update.losses == {}


def test_its_network_has_the_precision_and_layout_of_the_run(images):
    loss = tiny_loss()
    exact = loss(*images).item()
    term = PerceptualTerm(loss, 1.0, Placement(torch.device("cpu"), torch.bfloat16, channels_last=True))
    found = term.add_to(Update("G", {}, reconstructed={"": images})).losses["perceptual"]
    assert {weight.dtype for weight in loss.parameters() if weight.ndim == 4} == {torch.bfloat16}
    assert found.dtype == torch.float32
    assert found.item() == pytest.approx(exact, rel=0.02)
    assert found.item() != exact
    loss = tiny_loss()
    loss.precise = True
    term = PerceptualTerm(loss, 1.0, Placement(torch.device("cpu"), torch.bfloat16, channels_last=True))
    found = term.add_to(Update("G", {}, reconstructed={"": images})).losses["perceptual"]
    assert found.item() == pytest.approx(exact, rel=1e-6)
