"""Files of Augmented CycleGAN's authors: all networks in one, layers of blocks named twice."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from i2icli.errors import UserError
from i2icli.originals import load_original
from i2icli.registry import system_type
from i2icli.systems.augmented_cyclegan.system import AugmentedCycleGAN
from tests.parity import cases

NETWORKS = ("netG_A_B", "netG_B_A", "netE_B", "netD_A", "netD_B", "netD_z_B")
State = dict[str, dict[str, Tensor]]


def checkpoint() -> State:
    """The networks of the reference's training step, as the authors' program saves them."""
    case = cases.read("augmented_cyclegan", "train_step")
    return {name: case.state(name) for name in NETWORKS}


def saved(folder: Path, state: Any) -> Path:
    torch.save(state, folder / "latest")
    return (folder / "latest").rename(folder / "latest.pth")


def loaded(path: Path) -> AugmentedCycleGAN:
    original = load_original(path)
    assert original.system == "augmented_cyclegan"
    system = system_type(original.system)(original.config)
    found = system.load_state_dict(original.tensors, strict=False)
    assert not found.unexpected_keys
    assert all(name.startswith("D_") for name in found.missing_keys)
    assert isinstance(system, AugmentedCycleGAN)
    return system


def test_a_file_of_all_networks_loads_and_answers_as_the_reference(tmp_path: Path) -> None:
    case = cases.read("augmented_cyclegan", "train_step")
    state = checkpoint() | {"optimizer_D": {"state": {}, "param_groups": []}}
    system = loaded(saved(tmp_path, state))
    with torch.no_grad():
        fake_B = system.G_AB(case.given("real_A"), case.given("prior_z_B").flatten(1))
        fake_A = system.G_BA(case.given("real_B"))
        system.E["B"].train()  # the reference's step saw the statistics of its batch
        code = system.maps.encode("B", case.given("real_A"), fake_B).mean
    cases.assert_images(fake_B, case.expected("img_fake_B"))
    cases.assert_images(fake_A, case.expected("img_fake_A"))
    distance = (code - case.given("prior_z_B").flatten(1)).abs().mean()
    cases.assert_images(distance.double(), case.expected("loss_Cyc_z_B"))


def short(name: str) -> bool:
    """Whether a key of a stochastic generator is the short spelling of a block's layer."""
    parts = name.split(".")
    return parts[1] in ("10", "11", "12") and parts[2] != "conv_block"


@pytest.mark.parametrize("kept", ["short", "long"])
def test_blocks_may_be_spelled_in_either_way(kept: str, tmp_path: Path) -> None:
    state = checkpoint()
    both = state["netG_A_B"]
    wanted = loaded(saved(tmp_path, state)).G_AB.state_dict()
    doubled = {name for name in both if name.startswith(("model.10.", "model.11.", "model.12."))}
    state["netG_A_B"] = {
        name: value for name, value in both.items() if name not in doubled or short(name) == (kept == "short")
    }
    assert len(state["netG_A_B"]) == len(both) - len(doubled) / 2
    found = loaded(saved(tmp_path, state)).G_AB.state_dict()
    assert all(torch.equal(found[name], wanted[name]) for name in wanted)


def test_old_files_without_batch_counters_load(tmp_path: Path) -> None:
    state = checkpoint()
    state["netE_B"] = {name: v for name, v in state["netE_B"].items() if not name.endswith("tracked")}
    assert loaded(saved(tmp_path, state)).E["B"].norms[0].num_batches_tracked == 0


def test_an_encoder_of_one_image_is_told_by_its_shape(tmp_path: Path) -> None:
    state = checkpoint()
    assert load_original(saved(tmp_path, state)).config.encoder_input == "pair"
    stem = state["netE_B"]["conv_modules.0.weight"]
    state["netE_B"]["conv_modules.0.weight"] = stem[:, 3:].clone()
    assert load_original(saved(tmp_path, state)).config.encoder_input == "own"


def test_what_cannot_translate_is_refused(tmp_path: Path) -> None:
    state = checkpoint()
    with pytest.raises(UserError, match="one network of an Augmented CycleGAN; expected the file"):
        load_original(saved(tmp_path, state["netG_A_B"]))
    with pytest.raises(UserError, match="without netE_B; give the whole file"):
        load_original(saved(tmp_path, {name: state[name] for name in NETWORKS if name != "netE_B"}))
    state["netG_A_B"]["model.4.weight"] = state["netG_A_B"]["model.4.weight"][:, :1].clone()
    with pytest.raises(UserError, match="no system here recognises"):
        load_original(saved(tmp_path, state))
