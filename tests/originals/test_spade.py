"""SPADE: the authors' checkpoints load, with what lies beside them, and parts are refused by name."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from i2icli.errors import UserError
from i2icli.inference.translator import Translator
from i2icli.originals import load_original
from i2icli.systems.spade.config import SPADEConfig
from i2icli.systems.spade.names import (
    VECTORS,
    discriminator_names,
    encoder_names,
    generator_names,
    with_vectors,
)
from i2icli.systems.spade.system import SPADE
from tests.asking import ask
from tests.parity import cases

State = dict[str, Tensor]
OPTIONS = "       label_nc: 6\n    no_instance: True                          \t[default: False]\n"


def as_theirs(state: State, names: dict[str, str]) -> State:
    """One of our networks under the authors' names."""
    prefixes = {ours: theirs for theirs, ours in names.items()}
    lasts = {ours: theirs for theirs, ours in VECTORS.items()}
    found: State = {}
    for name, tensor in state.items():
        prefix, last = next((name.removesuffix(f".{end}"), end) for end in (
            "spectral.u", "spectral.v", name.rpartition(".")[2]
        ) if name.endswith(f".{end}"))  # fmt: skip
        normalised = f"{prefix}.spectral.u" in state
        theirs = lasts[last] if normalised and last in lasts else last
        if prefix.endswith("gamma_beta"):
            start = prefixes[prefix].removesuffix("gamma_beta")
            for part, half in zip(("mlp_gamma", "mlp_beta"), tensor.chunk(2), strict=True):
                found[f"{start}{part}.{theirs}"] = half.clone()
        else:
            found[f"{prefixes[prefix]}.{theirs}"] = tensor
    return found


def classes(number: int) -> tuple[str, ...]:
    return tuple(f"{each} {each}" for each in range(number))


def write(folder: Path, **settings: Any) -> tuple[SPADE, Path]:
    """A tiny system as the authors' program saves it."""
    small = {"width": 1, "modulation_width": 2, "discriminator_width": 2, "num_latents": 3} | settings
    system = SPADE(SPADEConfig.model_validate(small)).eval()
    config = system.config
    blocks = config.num_levels + (config.num_upsampling == "most")
    torch.save(as_theirs(system.G.state_dict(), generator_names(blocks)), folder / "latest_net_G.pth")
    D = as_theirs(system.D.state_dict(), discriminator_names(config.num_scales, config.num_layers))
    torch.save(D, folder / "latest_net_D.pth")
    if config.vae:
        torch.save(as_theirs(system.E.state_dict(), encoder_names(6)), folder / "latest_net_E.pth")
    return system, folder / "latest_net_G.pth"


def test_a_reference_generator_loads_and_answers_the_same(tmp_path: Path) -> None:
    case = cases.read("spade", "generator_normal_spectral_instance_wide")
    torch.save(case.state(), tmp_path / "latest_net_G.pth")
    (tmp_path / "opt.txt").write_text(OPTIONS)
    model = Translator.load(tmp_path / "latest_net_G.pth", precision="fp32", runtime="torch")
    labels = case.given("seg").argmax(1, keepdim=True)
    cases.assert_images(ask(model.backend.system, {"labels": labels}), case.expected())
    assert (model.backend.config.norm, model.backend.config.width) == ("instance", 1)


@pytest.mark.parametrize("settings", [
    {}, {"num_upsampling": "most", "norm": "instance"}, {"spectral_norm": False, "kernel": 5},
    {"vae": True, "crop_size": "512x256"}, {"num_scales": 3, "num_layers": 3, "channels": 1},
])  # fmt: skip
def test_what_was_written_is_found_again(settings: dict[str, Any], tmp_path: Path) -> None:
    system, path = write(tmp_path, classes=classes(4), instances=True, **settings)
    found = load_original(path)
    expected = system.config.model_dump() | {"classes": found.config.model_dump()["classes"]}
    expected |= {} if system.config.vae else {"num_latents": found.config.model_dump()["num_latents"]}
    assert found.config.model_dump() == expected | {"channels": tuple(system.config.channels or (3,))}
    ours = system.state_dict()
    assert found.tensors.keys() == ours.keys()
    assert all(torch.equal(found.tensors[name], value) for name, value in ours.items())


def test_upsampling_and_classes_are_those_of_the_options_beside_it(tmp_path: Path) -> None:
    settings = {"num_upsampling": "more", "dont_care": True, "crop_size": "256x128"}
    system, path = write(tmp_path, classes=classes(4), instances=False, **settings)
    (tmp_path / "opt.txt").write_text(
        "aspect_ratio: 2.0\ncontain_dontcare_label: True\ncrop_size: 256\nlabel_nc: 4\nno_instance: True\n"
        "num_upsampling_layers: more   [default: normal]\n"
    )
    found = load_original(path)
    assert found.notes == ()
    assert found.config == system.config.model_copy(update={
        "classes": found.config.classes, "channels": (3,), "num_latents": 256
    })  # fmt: skip


@pytest.mark.parametrize(
    ("channels", "names", "more"),
    [
        (184, {0: "person", 181: "wood"}, {"dont_care": True, "instances": True}),
        (151, {0: "unlabelled", 1: "wall", 150: "flag"}, {"dont_care": False, "instances": False}),
        (36, {0: "unlabeled", 7: "road", 34: "license plate"}, {"num_upsampling": "more", "instances": True}),
    ],
)
def test_published_models_know_their_classes(
    channels: int, names: dict[int, str], more: dict[str, Any], tmp_path: Path
) -> None:
    _, path = write(tmp_path, classes=classes(channels), instances=False)
    found = load_original(path).config
    assert {index: found.label_set.names[index] for index in names} == names
    assert {name: getattr(found, name) for name in more} == more
    assert found.label_channels == channels
    assert found.crop_size == ((256, 512) if channels == 36 else (256, 256))


def test_what_the_file_leaves_open_is_noted(tmp_path: Path) -> None:
    _, path = write(tmp_path, classes=classes(6), instances=True)
    notes = load_original(path).notes
    assert "7 channels" in notes[0]
    assert "normal is taken" in notes[1]


def test_files_of_old_libraries_have_no_second_singular_vector(tmp_path: Path) -> None:
    """But W / sigma, whose sigma is u^T W v of the vectors that there were."""
    system, path = write(tmp_path, classes=classes(4), instances=True)
    state = torch.load(path)
    old = {}
    for name, tensor in state.items():
        if name.endswith("weight_v"):
            continue
        old[name] = tensor
        if name.endswith("weight_orig"):
            layer = name.removesuffix("weight_orig")
            sigma = state[f"{layer}weight_u"] @ tensor.flatten(1) @ state[f"{layer}weight_v"]
            old[f"{layer}weight"] = tensor / sigma
    torch.save(old, path)
    labels = {"labels": torch.randint(4, (1, 1, 64, 64))}
    loaded = Translator.load(path, precision="fp32", runtime="torch").backend.system
    torch.testing.assert_close(ask(loaded, labels), ask(system, labels), atol=1e-5, rtol=1e-4)
    assert with_vectors({"weight_orig": torch.ones(2)}).keys() == {"weight_orig"}


def test_codes_and_references_work_with_the_encoder_beside_it(tmp_path: Path) -> None:
    system, path = write(tmp_path, classes=classes(4), instances=True, vae=True)
    loaded = Translator.load(path, precision="fp32", runtime="torch").backend.system
    labels, photo = {"labels": torch.randint(4, (1, 1, 256, 256))}, torch.rand(1, 3, 80, 60) * 2 - 1
    for asked in ({"latent": torch.randn(1, 3)}, {"reference": photo}):
        wanted = ask(system, labels, **asked)
        torch.testing.assert_close(ask(loaded, labels, **asked), wanted, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(("network", "words"), [("D", "a discriminator"), ("E", "an encoder")])
def test_a_network_that_cannot_translate_is_refused(network: str, words: str, tmp_path: Path) -> None:
    write(tmp_path, classes=classes(4), instances=True, vae=True)
    with pytest.raises(UserError, match=rf"this is SPADE's {words}; give the generator's file beside it"):
        load_original(tmp_path / f"latest_net_{network}.pth")


def test_a_generator_of_codes_needs_its_encoder(tmp_path: Path) -> None:
    _, path = write(tmp_path, classes=classes(4), instances=True, vae=True)
    encoder = tmp_path / "latest_net_E.pth"
    torch.save({"fc_mu.weight": torch.ones(2, 2)}, encoder)
    with pytest.raises(UserError, match=r"latest_net_E\.pth: not the encoder of latest_net_G\.pth"):
        load_original(path)
    encoder.unlink()
    with pytest.raises(UserError, match=r"put \.\._net_E\.\. beside it"):
        load_original(path)


def test_discriminators_of_something_else_are_left_out(tmp_path: Path) -> None:
    _, path = write(tmp_path, classes=classes(4), instances=True)
    torch.save({"discriminator_0.model0.0.weight": torch.ones(2, 9, 4, 4)}, tmp_path / "latest_net_D.pth")
    assert not any(name.startswith("D.") for name in load_original(path).tensors)


@pytest.mark.parametrize("change", [
    {"head_0.norm_0.mlp_shared.0.weight": torch.ones(0, 10**4, 3, 3)},
    {"head_0.conv_0.weight_orig": torch.ones(3)},
    {"fc.weight": torch.ones(2, 2)},
    {"up_0.conv_1.bias": torch.ones(99)},
])  # fmt: skip
def test_sizes_that_no_generator_has_are_not_recognised(change: State, tmp_path: Path) -> None:
    _, path = write(tmp_path, classes=classes(4), instances=True)
    torch.save(torch.load(path) | change, path)
    with pytest.raises(UserError, match="no system here recognises"):
        load_original(path)
