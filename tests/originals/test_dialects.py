"""Generators as other programs name, build and keep them load, and give the numbers of those programs."""

from collections import OrderedDict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from i2icli.errors import UserError
from i2icli.inference.loading import load_with_notes
from i2icli.originals import load_original
from i2icli.runtime.checkpoint import with_weights
from i2icli.system import System
from tests.asking import ask
from tests.originals.references import NamedResnet, NestedUnet, NumberedResnet, shaken
from tests.parity import cases

IMAGE = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(1)) * 2 - 1

NETWORKS = {
    "affine instance norms": lambda: NumberedResnet(affine=True),
    "affine, one channel to two": lambda: NumberedResnet(affine=True, channels=(1, 2)),
    "blocks of another name": lambda: NumberedResnet(name="block", resized=True),
    "resized and affine": lambda: NumberedResnet(resized=True, affine=True),
    "named layers": NamedResnet,
    "named layers, other blocks": lambda: NamedResnet(name="residual_blocks", blocks=3),
    "affine U-Net": NestedUnet,
}


def answer(system: System[Any], image: Tensor = IMAGE, **options: Any) -> Tensor:
    with torch.inference_mode():
        return ask(system, image=image, **options)


def saved(content: Any, path: Path) -> Path:
    torch.save(content, path)
    return path


@pytest.mark.parametrize("kind", NETWORKS)
def test_a_dialect_gives_the_numbers_of_its_program(kind: str, tmp_path: Path) -> None:
    network = shaken(NETWORKS[kind]())
    image = IMAGE[:, : network.state_dict()[next(iter(network.state_dict()))].shape[1]]

    system, _ = load_with_notes(saved(network.state_dict(), tmp_path / "G.pth"))

    expected = network(image)
    assert expected.std() > 0.1
    cases.assert_images(answer(system, image), expected)


def test_biases_in_front_of_batch_norms_move_their_mean(tmp_path: Path) -> None:
    network = shaken(NumberedResnet(norm=nn.BatchNorm2d, affine=True))
    state = network.state_dict()
    for name, value in state.items():
        if name.endswith("running_mean"):
            value.normal_(generator=torch.Generator().manual_seed(2))
    original = load_original(saved(state, tmp_path / "G.pth"))
    config = original.config.model_copy(update={"statistics": "running"})
    network.load_state_dict(state)

    system = with_weights(original.system, config, original.tensors, tmp_path)
    cases.assert_images(answer(system), network(IMAGE))


def test_borders_that_the_keys_do_not_show_are_said(tmp_path: Path) -> None:
    notes = load_original(saved(NamedResnet().state_dict(), tmp_path / "G.pth")).notes
    assert any("borders" in note and "--down-padding" in note for note in notes)


# -- forms ---------------------------------------------------------------------------------------


def _optimizer(network: nn.Module) -> dict[str, Any]:
    """As Adam writes it; torch's own would load its compiler, which takes seconds."""
    weights = list(network.parameters())
    moments = {n: {"step": torch.tensor(1.0), "exp_avg": torch.ones_like(w)} for n, w in enumerate(weights)}
    return {"state": moments, "param_groups": [{"lr": 1e-4, "betas": (0.5, 0.999), "params": [*moments]}]}


def _prefixed(state: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {f"{prefix}{name}": value for name, value in state.items()}


def _discriminator() -> dict[str, Tensor]:
    return cases.read("pix2pix_cyclegan", "patchgan_n2_instance_ndf8").state()


FORMS = {
    "compiled": lambda state: _prefixed(state, "_orig_mod."),
    "parallel and compiled": lambda state: _prefixed(state, "module._orig_mod."),
    "a moving average": lambda state: {"params_ema": state},
    "one of two": lambda state: {"netG": state, "netD": _discriminator(), "epoch": 3},
    "lightning": lambda state: {
        "state_dict": _prefixed(state, "netG.") | _prefixed(_discriminator(), "netD."),
        "hyper_parameters": SimpleNamespace(lr=1e-4, path=Path("data")),
        "optimizer_states": [_optimizer(NumberedResnet())],
    },
    "nested": lambda state: {"models": {"G": _prefixed(state, "module."), "D": _discriminator()}},
    "an attribute": lambda state: _prefixed(state, "netG."),
    "arguments beside it": lambda state: {"state_dict": state, "opt": SimpleNamespace(lr=1, gpu=None)},
    "in a list": lambda state: [state, _discriminator()],
    "half precision": lambda state: {name: value.half().float().double() for name, value in state.items()},
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("legacy", [False, True])
def test_the_forms_in_which_people_keep_a_generator(form: str, legacy: bool, tmp_path: Path) -> None:
    network = shaken(NumberedResnet()).half().float()
    path = tmp_path / "best.pth.tar"
    torch.save(FORMS[form](network.state_dict()), path, _use_new_zipfile_serialization=not legacy)

    original = load_original(path)

    assert original.system == "pix2pix"
    assert torch.equal(original.tensors["G.head.weight"], network.model[-2].weight)
    assert {tensor.dtype for tensor in original.tensors.values()} == {torch.float32}


@pytest.mark.parametrize("legacy", [False, True])
def test_a_whole_pickled_network_is_read_without_its_class(legacy: bool, tmp_path: Path) -> None:
    network = shaken(NumberedResnet(affine=True))
    torch.save(network, tmp_path / "G.pt", _use_new_zipfile_serialization=not legacy)
    system, _ = load_with_notes(tmp_path / "G.pt")
    cases.assert_images(answer(system), network(IMAGE))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_safetensors_of_others_in_any_precision(dtype: torch.dtype, tmp_path: Path) -> None:
    network = shaken(NumberedResnet())
    state = {name: value.to(dtype) for name, value in network.state_dict().items()}
    save_file(state, tmp_path / "latest_net_G.safetensors")
    network.load_state_dict(state)

    system, notes = load_with_notes(tmp_path / "latest_net_G.safetensors")

    assert any("one direction" in note for note in notes)
    cases.assert_images(answer(system), network(IMAGE))


def test_several_networks_are_named(tmp_path: Path) -> None:
    path = saved(FORMS["one of two"](NumberedResnet().state_dict()), tmp_path / "all.pth")
    assert load_original(path).notes[0] == "the file holds several networks (netG, netD); this is netG"


# -- both generators in one file -----------------------------------------------------------------


PAIRS = [("G_A2B", "G_B2A"), ("netG_A", "netG_B"), ("genAtoB", "genBtoA"), ("Gab", "Gba"), ("G", "F")]


@pytest.mark.parametrize("names", PAIRS)
def test_a_whole_training_checkpoint_translates_both_ways(names: tuple[str, str], tmp_path: Path) -> None:
    forth, back = (shaken(NumberedResnet(affine=True), seed) for seed in (1, 2))
    content: dict[str, Any] = {
        "epoch": 12,
        names[1]: _prefixed(back.state_dict(), "module."),
        "D_A": _discriminator(),
        names[0]: OrderedDict(_prefixed(forth.state_dict(), "module.")),
        "optimizer_G": _optimizer(NumberedResnet()),
    }
    system, notes = load_with_notes(saved(content, tmp_path / "checkpoint.ckpt"))

    assert f"{names[0]} is taken for A to B, {names[1]} for B to A" in notes[0]
    cases.assert_images(answer(system, to="B"), forth(IMAGE))
    cases.assert_images(answer(system, to="A"), back(IMAGE))


def test_generators_that_are_no_pair_are_read_one_by_one(tmp_path: Path) -> None:
    content = {"G_A2B": NumberedResnet().state_dict(), "G_B2A": NumberedResnet(blocks=3).state_dict()}
    original = load_original(saved(content, tmp_path / "two.pth"))
    assert original.system == "pix2pix"
    assert original.notes[0] == "the file holds several networks (G_A2B, G_B2A); this is G_A2B"


# -- strangers -----------------------------------------------------------------------------------


def test_numbered_layers_without_blocks_are_no_part_of_a_combogan(tmp_path: Path) -> None:
    network = nn.Sequential(*(nn.Conv2d(3, 3, 3) for _ in range(9)))
    state = _prefixed(network.state_dict(), "model.")
    with pytest.raises(UserError, match="no system here recognises"):
        load_original(saved(state, tmp_path / "stranger_net_G0.pth"))
