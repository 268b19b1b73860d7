"""Files of vid2vid's authors: generators of all scales, with discriminators beside them."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from i2icli.errors import UserError
from i2icli.inference.translator import Translator
from i2icli.originals import load_original
from i2icli.originals.checkpoint import Original
from i2icli.registry import system_type
from i2icli.systems.vid2vid.frames import frames_at
from i2icli.systems.vid2vid.names import coarse_names, discriminator_names, local_names
from i2icli.systems.vid2vid.system import Vid2Vid
from i2icli.training.init_from import load_init_weights
from i2icli.training.run import build_system
from tests.parity import cases
from tests.tiny import tiny_config
from tests.training.synthetic import assert_same

State = dict[str, Tensor]
COARSE = [name for name in cases.names("vid2vid", "composite") if "local" not in name]


def saved(folder: Path, state: State, network: str = "G0") -> Path:
    path = folder / f"latest_net_{network}.pth"
    torch.save(state, path)
    return path


def system_of(original: Original) -> Vid2Vid:
    system = system_type(original.system)(original.config)
    missing, unexpected = system.load_state_dict(original.tensors, strict=False)
    assert not unexpected
    assert all(name.startswith("D") for name in missing)
    assert isinstance(system, Vid2Vid)
    return system.eval()


@pytest.mark.parametrize("name", COARSE)
def test_a_generator_is_known_by_its_keys_and_gives_the_frame_of_the_reference(name, tmp_path) -> None:
    case = cases.read("vid2vid", name)
    original = load_original(saved(tmp_path, case.state()))
    config, theirs = original.config, case.config
    assert original.system == "vid2vid"
    assert (config.width, config.depth, config.num_blocks) == (
        theirs["ngf"],
        theirs["n_downsampling"],
        theirs["n_blocks"],
    )
    assert (config.norm, config.flow) == (theirs["norm"], not theirs["no_flow"])
    assert (config.num_frames, config.map_channels, config.grown) == (3, 4, 0)
    assert bool(config.foreground) == theirs["use_fg_model"]
    if case.mode == "train" and not theirs["use_raw_only"]:  # as the authors' test program computes
        given = [case.given("img_prev")]
        with torch.inference_mode():
            mask = case.tensors.get("in.mask")
            found = system_of(original).G(case.given("input"), given, mask)
        cases.assert_images(found[0].image, case.expected("img_final"))


def test_the_published_generator_reads_cityscapes_and_its_boundaries(tmp_path) -> None:
    state = cases.read("vid2vid", "composite_batch_fg_train_down3").state()
    stems = {name for name in state if name.endswith("down_seg.1.weight") or name == "indv_down.1.weight"}
    state |= {name: torch.randn(len(state[name]), 3 * 36, 7, 7) for name in stems}
    original = load_original(saved(tmp_path, state))
    config = original.config
    assert (len(config.classes), config.classes[7].name, config.boundaries) == (35, "road", True)
    assert config.label_set.names[config.foreground_indices[0]] == "car"
    assert any("car" in note or "26" in note for note in original.notes)
    assert config.first_frames == "real"
    assert any("--first-frame" in note for note in original.notes)


@pytest.mark.parametrize(("planes", "kind"), [(3, "image"), (15, "image"), (13, "labels")])
def test_what_the_planes_of_a_frame_are(planes, kind, tmp_path) -> None:
    state = cases.read("vid2vid", "composite_batch_train_rawonly_down2").state()
    state |= {"model_down_seg.1.weight": torch.randn(3, 3 * planes, 7, 7)}
    config = load_original(saved(tmp_path, state)).config
    assert config.reads == kind
    assert config.map_channels == planes


@pytest.fixture
def two_scales(tmp_path) -> Vid2Vid:
    """A system of two scales, whose networks are written as the authors would."""
    config = tiny_config(
        "vid2vid", channels=(4, 3), norm="batch", num_blocks=3, num_local_blocks=2, num_layers=3
    )
    system = build_system("vid2vid", config).eval()
    assert isinstance(system, Vid2Vid)
    system.clock.stage = config.stages()[-1]
    networks = {
        "G0": (system.G.scales[0], coarse_names(2, 3)),
        "G1": (system.G.scales[1], local_names(2)),
        "D": (system.D, discriminator_names(2, 4)),
        "D_T0": (system.D_T["0"], discriminator_names(2, 4)),
    }
    for name, (network, names) in networks.items():
        saved(tmp_path, as_the_authors(network.state_dict(), names), name)
    return system


def as_the_authors(state: State, names: dict[str, str]) -> State:
    """Under their names, with the biases that they have in front of batch norms."""
    theirs = {ours: name for name, ours in names.items()}
    found = {}
    for name, value in state.items():
        layer, _, last = name.rpartition(".")
        found[f"{theirs[layer]}.{last}"] = value
        if layer.endswith(".norm") and last == "running_mean":
            bias = torch.rand_like(value)
            found[f"{theirs[layer.removesuffix('norm') + 'conv']}.bias"] = bias
            found[f"{theirs[layer]}.{last}"] = value + bias
    return found


@pytest.mark.parametrize("given", ["G0", "G1"])
def test_local_generators_beside_the_coarsest_one_are_put_together(given, two_scales, tmp_path) -> None:
    path = tmp_path / f"latest_net_{given}.pth"
    config = load_original(path).config
    assert (config.grown, config.width, config.num_blocks, config.num_local_blocks) == (1, 4, 3, 2)
    assert (config.num_scales, config.discriminator_width, config.num_layers) == (1, 4, 3)
    assert {stage.level for stage in config.stages()} == {1}
    translator = Translator.load(path, "cpu", "fp32", "torch")
    task = translator.tasks[0]
    memories = [None, None]
    for _ in range(3):
        inputs = {"source": torch.rand(1, 4, 32, 48)}
        for number, system in enumerate((two_scales, translator.backend.system)):
            with torch.inference_mode():
                memories[number] = system(task, inputs, memories[number])[1]
    assert_same(*memories, 1e-5)
    assert memories[0][frames_at(1)].shape == (1, 6, 16, 24)


def test_discriminators_beside_a_generator_go_on_learning(two_scales, tmp_path) -> None:
    path = tmp_path / "latest_net_G0.pth"
    original = load_original(path)
    system = build_system("vid2vid", original.config)
    loaded, line = load_init_weights(system, str(path))
    theirs = dict(two_scales.named_parameters())
    assert {name for name in theirs if name.startswith(("D.", "D_T.0."))} <= loaded
    assert torch.equal(system.D_T["0"].scales[0].head.weight, theirs["D_T.0.scales.0.head.weight"])
    assert "of D_T that it lacks" in line
    assert any("--init-from" in note for note in original.notes)


@pytest.mark.usefixtures("two_scales")
def test_a_local_generator_alone_is_refused(tmp_path) -> None:
    (tmp_path / "latest_net_G0.pth").unlink()
    with pytest.raises(UserError, match=r"a local generator of vid2vid; .*_net_G0\.pth"):
        load_original(tmp_path / "latest_net_G1.pth")


def test_the_single_image_generator_is_pix2pixhd_s(tmp_path) -> None:
    case = cases.read("vid2vid", "single_global_instance_train")
    original = load_original(saved(tmp_path, case.state(), "G_512"))
    assert original.system == "pix2pixhd"
    system = system_type("pix2pixhd")(original.config).eval()
    system.load_state_dict(original.tensors, strict=False)
    with torch.inference_mode():
        cases.assert_images(system.G(case.given()), case.expected())


def test_what_only_looks_like_one_is_not_taken_for_it(tmp_path) -> None:
    state = cases.read("vid2vid", "composite_batch_train_rawonly_down2").state()
    for change in (
        {"model_final_img.1.weight": torch.zeros(())},
        {"model_down_seg.1.weight": torch.zeros(3, 13, 7, 7)},
        {"wings.weight": torch.zeros(1)},
    ):
        with pytest.raises(UserError, match="no system here recognises"):
            load_original(saved(tmp_path, state | change))
