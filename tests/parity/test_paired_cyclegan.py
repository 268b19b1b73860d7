"""PairedCycleGAN's losses, through the real system with networks that answer as the reference says.

There is no network to compare: neither code nor weights of the authors are public.
"""

import pytest
import torch
from torch import Tensor, nn

from i2icli.stage import Stage
from i2icli.system import Update
from i2icli.systems.paired_cyclegan.config import WHOLE
from i2icli.systems.paired_cyclegan.system import TRANSFER, PairedCycleGAN
from tests.parity import cases
from tests.parity.cases import Case
from tests.tiny import tiny_config

CASE = "losses"


class Scripted(nn.Module):
    """Answers known inputs with known outputs, and refuses all others."""

    def __init__(self, *script: tuple[tuple[Tensor, ...], Tensor]) -> None:
        super().__init__()
        self.script = script

    def forward(self, *inputs: Tensor) -> Tensor:
        for known, answer in self.script:
            if len(known) == len(inputs) and all(map(torch.equal, known, inputs)):
                return answer
        raise AssertionError("an input that the losses do not have")


def scripted(case: Case) -> PairedCycleGAN:
    """The system, its networks answering as the case has it: probabilities there are logits here."""
    config = tiny_config("paired_cyclegan", crop_size=16, num_layers=1)
    system = PairedCycleGAN(config)  # type: ignore[arg-type]
    x, y, W = case.given("x"), case.given("y"), case.given("warped_reference")
    fake, bare = case.given("G_x_y"), case.given("F_y")

    def judge(*script: tuple[Tensor, str]) -> nn.ModuleDict:
        pairs = [((given,), torch.logit(case.given(name).double())) for given, name in script]
        return nn.ModuleDict({WHOLE: Scripted(*pairs)})

    system.G = nn.ModuleDict({WHOLE: Scripted(((x, y), fake), ((bare, fake), case.given("G_F_y_G_x_y")))})
    system.F = nn.ModuleDict({WHOLE: Scripted(((y,), bare), ((fake,), case.given("F_G_x_y")))})
    system.D_X = judge((x, "D_X_x"), (bare, "D_X_F"))
    system.D_Y = judge((y, "D_Y_y"), (fake, "D_Y_G"))
    real, false = torch.cat([y, W], 1), torch.cat([y, fake], 1)
    system.D_S = judge((real, "D_S_real_pair"), (false, "D_S_fake_pair"))
    system.clock.stage = Stage(TRANSFER, 1)
    return system


@pytest.fixture
def case() -> Case:
    return cases.read("pairedcyclegan", CASE)


def updates(case: Case) -> dict[str, Update]:
    batch = {"bare": case.given("x"), "styled": case.given("y"), "synthetic": case.given("warped_reference")}
    return {update.optimizer: update for update in scripted(case).training_step(batch)}


def test_losses(case: Case) -> None:
    found = updates(case)
    D = found["D"].losses
    # The reference writes what discriminators maximise; ours is what they minimise.
    cases.assert_loss(-D["gan_X"].float(), case.expected("L_F"))
    cases.assert_loss(-D["gan_Y"].float(), case.expected("L_G"))
    cases.assert_loss(-D["pair"].float(), case.expected("L_P"))
    for generator in ("G", "F"):
        cases.assert_loss(found[generator].losses["identity"], case.expected("L_I"))
        cases.assert_loss(found[generator].losses["style"], case.expected("L_S"))
    weights = case.config
    total = -sum(
        weights[name] * D[loss]
        for name, loss in (("lambda_F", "gan_X"), ("lambda_G", "gan_Y"), ("lambda_P", "pair"))
    )
    total = total + found["G"].losses["identity"] + found["G"].losses["style"]
    cases.assert_loss(total.float(), case.expected("total"))


def test_the_default_weights_are_those_of_the_reference(case: Case) -> None:
    config, theirs = tiny_config("paired_cyclegan"), case.config
    assert {
        "lambda_G": config.transfer_weight, "lambda_F": config.removal_weight, "lambda_P": config.pair_weight,
        "lambda_I": config.identity_weight, "lambda_S": config.style_weight,
    } == {name: value for name, value in theirs.items() if name.startswith("lambda")}  # fmt: skip


def test_generators_minimise_the_non_saturating_form_of_the_same_scores(case: Case) -> None:
    found = updates(case)
    for generator, loss, weight, scores in (
        ("G", "gan", "lambda_G", "D_Y_G"),
        ("F", "gan", "lambda_F", "D_X_F"),
        ("G", "pair", "lambda_P", "D_S_fake_pair"),
    ):
        expected = -case.config[weight] * case.given(scores).log().mean()
        cases.assert_loss(found[generator].losses[loss].float(), expected)
