"""PairedCycleGAN: stages, losses and their order, directions, references, regions of faces."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from i2icli.errors import UserError
from i2icli.face import region_box, region_mask
from i2icli.inference.options import TranslateOptions
from i2icli.inference.outputs import Outputs
from i2icli.request import Request
from i2icli.stage import Stage
from i2icli.systems.paired_cyclegan import faces as faces_room
from i2icli.systems.paired_cyclegan.config import WHOLE, PairedCycleGANConfig
from i2icli.systems.paired_cyclegan.networks import DeltaGenerator
from i2icli.systems.paired_cyclegan.system import REMOVAL, TRANSFER, PairedCycleGAN
from i2icli.task import names_of
from tests.asking import ask, compare, resolve, samples, tasks
from tests.face.synthetic import landmarks
from tests.systems.steps import run_step
from tests.tiny import tiny_config


def tiny(stage: str = TRANSFER, **changes: Any) -> PairedCycleGAN:
    torch.manual_seed(0)
    config = tiny_config("paired_cyclegan", **changes)
    assert isinstance(config, PairedCycleGANConfig)
    system = PairedCycleGAN(config)
    system.clock.stage = Stage(stage, 2)
    return system


def examples(*names: str, channels: int = 3) -> dict[str, Tensor]:
    torch.manual_seed(1)
    return {
        name: torch.rand(2, channels, 32, 32) * 2 - 1 for name in names or ("bare", "styled", "synthetic")
    }


@pytest.mark.parametrize(("changes", "loss_names"), [
    ({}, [["gan", "identity", "style", "pair"], ["gan", "identity", "style"], ["gan_X", "gan_Y", "pair"]]),
    (
        {"synthetic": "none", "gan_loss": "lsgan", "norm": "batch"},
        [["gan", "identity", "style"], ["gan", "identity", "style"], ["gan_X", "gan_Y"]],
    ),
    (
        {"synthetic": "removal"},
        [["gan", "identity", "style", "pair"], ["gan", "identity", "style"], ["gan_X", "gan_Y", "pair"]],
    ),
    (
        {"keep_weight": 1, "gan_loss": "hinge", "norm": "none"},
        [
            ["gan", "identity", "style", "pair"],
            ["gan", "keep", "identity", "style"],
            ["gan_X", "gan_Y", "pair"],
        ],
    ),
])  # fmt: skip
def test_every_variant_trains(changes: dict[str, Any], loss_names: list[list[str]]) -> None:
    system = tiny(**changes)
    before = {name: value.clone() for name, value in system.named_parameters()}
    batch = examples()
    if system.config.synthetic in ("none", "removal"):
        del batch["synthetic"]

    updates = run_step(system, batch)

    assert [update.optimizer for update in updates] == ["G", "F", "D"]
    assert [list(update.losses) for update in updates] == loss_names
    assert all(loss.isfinite() for update in updates for loss in update.losses.values())
    still = [name for name, value in system.named_parameters() if torch.equal(value, before[name])]
    assert not [name for name in still if not name.endswith("bias")]


def test_what_removal_takes_off_can_stand_for_the_style() -> None:
    system = tiny(synthetic="removal").eval()
    batch = examples("bare", "styled")
    with torch.inference_mode():
        shown = system.preview(batch)["synthetic"]
        taken_off = batch["styled"] - system.F[WHOLE](batch["styled"])
    torch.testing.assert_close(shown, (batch["bare"] + taken_off).clamp(-1, 1))
    assert "synthetic" not in tiny(synthetic="none").eval().preview(batch)


def test_removal_learns_alone_at_first() -> None:
    system = tiny(REMOVAL)
    before = {name: value.clone() for name, value in system.named_parameters()}
    F, D = run_step(system, examples("bare", "styled"))
    assert [list(F.losses), list(D.losses)] == [["gan"], ["gan_X"]]
    moved = {n.split(".")[0] for n, value in system.named_parameters() if not torch.equal(value, before[n])}
    assert moved == {"F", "D_X"}


@pytest.mark.parametrize(("steps", "share", "expected"), [
    (100, 0.2, [("removal", 20), ("transfer", 80)]),
    (4, 0.001, [("removal", 1), ("transfer", 3)]),
    (3, 0.999, [("removal", 2), ("transfer", 1)]),
    (1, 0.5, [("transfer", 1)]),
])  # fmt: skip
def test_stages_share_the_steps(steps: int, share: float, expected: list[tuple[str, int]]) -> None:
    stages = tiny(steps=steps, removal_share=share).config.stages()
    assert [(stage.name, stage.steps) for stage in stages] == expected


def test_the_learning_rate_falls_in_the_second_stage_only() -> None:
    system = tiny(REMOVAL, decay_from=0.5)
    system.clock.step = 2
    assert [system.lr_factor(name) for name in ("F", "D")] == [1, 1]
    system.clock.stage = Stage(TRANSFER, 2)
    assert [system.lr_factor(name) for name in ("G", "F", "D")] == [0, 0, 0]


def test_discriminators_may_learn_slower() -> None:
    for stage in (REMOVAL, TRANSFER):
        rates = {
            name: optimizer.param_groups[0]["lr"]
            for name, optimizer in tiny(stage, lr=0.01, discriminator_lr=0.005).optimizers().items()
        }
        assert rates.pop("D") == 0.005
        assert set(rates.values()) == {0.01}


def test_a_generator_changes_its_input_within_bounds() -> None:
    torch.manual_seed(0)
    G = DeltaGenerator(3, 2, 4, "instance", 0.25)
    image, reference = examples("a", "b").values()
    with torch.no_grad():
        G.head.weight.mul_(1000)
        changed = G(image, reference)
    assert (changed - image).abs().max() <= 0.25 + 1e-6
    assert changed.abs().max() <= 1
    assert torch.equal(changed, (image + G.delta(image, reference)).clamp(-1, 1))


def test_colours_of_the_whole_reference_reach_the_answer() -> None:
    torch.manual_seed(0)
    G = DeltaGenerator(3, 2, 4, "instance").eval()
    image = examples("a")["a"]
    with torch.no_grad():
        dark, light = (G.delta(image, torch.full_like(image, value)) for value in (-0.9, 0.9))
    assert (dark - light).abs().mean() > 1e-3


def test_each_domain_has_its_generator() -> None:
    system = tiny(domains=("plain", "painted")).eval()
    image, reference = examples("a", "b").values()
    with torch.inference_mode():
        painted = ask(system, image=image, to="painted", reference=reference)
        assert torch.equal(painted, system.G[WHOLE](image, reference))
        assert torch.equal(painted, ask(system, image=image, reference=reference))
        assert torch.equal(ask(system, image=image, to="plain"), system.F[WHOLE](image))
    assert names_of(tasks(system)) == ("painted", "plain")
    assert resolve(system).requires == resolve(system, "painted").requires == {"reference"}
    assert resolve(system, "plain").requires == frozenset()


def test_a_reference_of_another_size_serves_every_image() -> None:
    system = tiny().eval()
    image = examples("a")["a"]
    with torch.inference_mode():
        flat = torch.full((1, 3, 50, 21), 0.5)
        answer = ask(system, image=image, reference=flat)
        same = ask(system, image=image, reference=torch.full((1, 3, 32, 32), 0.5))
    torch.testing.assert_close(answer, same, atol=1e-5, rtol=1e-5)


def test_requests_that_lack_something_are_refused() -> None:
    system = tiny(domains=("plain", "painted"))
    outputs = Outputs("PairedCycleGAN", system.config, tasks(system))
    with pytest.raises(UserError, match="translating to painted needs --reference"):
        outputs.plan(TranslateOptions())
    with pytest.raises(UserError, match=r"'blue'.*painted, plain"):
        outputs.plan(TranslateOptions(to="blue"))
    (spec,) = outputs.plan(TranslateOptions(to="plain"))
    assert spec.task.name == "plain"


def test_removal_and_transfer_are_scored_where_the_truth_is_known() -> None:
    system, batch = tiny().eval(), examples()
    assert compare(system, batch) == {}
    assert list(samples(system, batch)) == [REMOVAL, TRANSFER]
    found = compare(system, batch | examples("truth_bare", "truth_styled"))
    assert list(found) == [REMOVAL, TRANSFER]
    assert torch.equal(found[REMOVAL][0], system.F[WHOLE](batch["styled"]))
    assert torch.equal(found[TRANSFER][0], system.G[WHOLE](batch["bare"], batch["styled"]))


@pytest.mark.parametrize(("changes", "complaint"), [
    ({"regions": "lips,nose"}, "unknown region 'nose'; there are: eyes, lips, skin"),
    ({"regions": "lips,lips"}, "a region is named twice"),
    ({"domains": "x,x"}, "both domains are called 'x'"),
    ({"crop_size": 8}, "crops of 8x8"),
    ({"regions": "lips", "region_size": 16, "num_layers": 3, "crop_size": 64}, "regions of 16 px"),
])  # fmt: skip
def test_settings_that_cannot_work_are_refused(changes: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        tiny_config("paired_cyclegan", **changes)


# -- regions ---------------------------------------------------------------------------------


@pytest.fixture
def faces(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Faces that fill the picture are found from now on; the list holds what was searched."""
    searched: list[Any] = []

    def find(pixels: Any) -> Any:
        searched.append(pixels)
        return landmarks(pixels.shape[1], pixels.shape[0]) if pixels.any() else None

    monkeypatch.setattr(faces_room, "find_face", find)
    monkeypatch.setattr(faces_room, "_known", {})
    return searched


def with_regions(*names: str) -> PairedCycleGAN:
    return tiny(regions=",".join(names), region_size=32)


def test_regions_have_networks_and_losses_of_their_own() -> None:
    system = with_regions("lips", "skin")
    keys = (f"{name}_{region}" for name in ("bare", "styled", "synthetic") for region in ("lips", "skin"))
    G, F, D = run_step(system, examples(*keys))
    assert [name for name in G.losses if name.endswith("_lips")] == [
        "gan_lips", "identity_lips", "style_lips", "pair_lips"
    ]  # fmt: skip
    assert len(G.losses) == 8
    assert len(F.losses) == 6
    assert len(D.losses) == 6
    assert set(system.G) == set(system.D_X) == {"lips", "skin"}


def test_only_the_region_changes(faces: list[Any]) -> None:
    system = with_regions("lips").eval()
    image = torch.zeros(2, 3, 100, 80)
    image[1] += 1e-2  # another photo
    before = image.clone()
    with torch.inference_mode():
        system.G["lips"].head.bias.fill_(5.0)
        answer = ask(system, image=image, reference=torch.full((1, 3, 60, 60), 0.5))
    mask = torch.from_numpy(region_mask(landmarks(80, 100), "lips", (100, 80)))
    box = region_box(landmarks(80, 100), "lips", (100, 80))
    outside = torch.ones(100, 80, dtype=torch.bool)
    outside[box.top : box.top + box.height, box.left : box.left + box.width] = False
    assert torch.equal(answer[..., outside], image[..., outside])
    assert answer[..., mask > 0.9].min() > 0.8
    assert len(faces) == 3  # the reference is searched once
    assert torch.equal(image, before)


def test_removal_with_regions_needs_no_reference(faces: list[Any]) -> None:
    system = with_regions("eyes", "skin").eval()
    image = examples("a")["a"]
    with torch.inference_mode():
        answer = ask(system, image=image, to="bare")
    assert answer.shape == image.shape
    assert answer.abs().max() <= 1
    assert len(faces) == 2


def test_the_face_of_a_reference_is_found_once_for_all_pictures(faces: list[Any]) -> None:
    system = with_regions("lips").eval()
    look = torch.full((1, 3, 60, 60), 0.5)
    task = resolve(system, "styled")
    system.config.conditions(task, Request(reference=look.numpy()))
    with torch.inference_mode():
        for value in (0.1, 0.2):
            ask(system, image=torch.full((1, 3, 32, 32), value), reference=look)
    assert [pixels.shape[0] for pixels in faces] == [60, 32, 32]
    with pytest.raises(UserError, match="no face found in the reference"):
        system.config.conditions(task, Request(reference=np.full((1, 3, 60, 60), -1.0)))


@pytest.mark.parametrize(("image", "reference", "what"), [(-1, 0, "image"), (0, -1, "reference")])
@pytest.mark.usefixtures("faces")
def test_a_picture_without_a_face_is_refused(image: int, reference: int, what: str) -> None:
    system = with_regions("lips").eval()
    request = Request({"image": np.full((1, 3, 32, 32), image)}, reference=np.full((1, 3, 32, 32), reference))
    with pytest.raises(
        UserError, match=f"no face found in the {what}; expected one face seen from the front"
    ):
        system.config.conditions(resolve(system), request)
