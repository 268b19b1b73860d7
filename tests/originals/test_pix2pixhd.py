"""Files of pix2pixHD's authors: a generator, with the encoder and the clusters of its features beside it."""

import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from i2icli.errors import UserError
from i2icli.inference.translator import Translator
from i2icli.originals import load_original
from i2icli.originals.checkpoint import Original
from i2icli.registry import system_type
from i2icli.request import Request
from i2icli.systems.pix2pixhd.cluster_file import read_clusters
from i2icli.systems.pix2pixhd.system import Pix2PixHD
from tests.asking import encoded
from tests.parity import cases

State = dict[str, Tensor]
GENERATORS = [name for start in ("global", "local") for name in cases.names("pix2pixhd", start)]


def state_of(name: str) -> State:
    return cases.read("pix2pixhd", name).state()


def saved(folder: Path, state: State, network: str = "G") -> Path:
    path = folder / f"latest_net_{network}.pth"
    torch.save(state, path)
    return path


def with_inputs(state: State, channels: int) -> State:
    """The same generator for another number of input channels."""
    stems = {name for name in state if name in ("model.1.weight", "model1_1.1.weight")}
    return state | {name: torch.randn(len(state[name]), channels, 7, 7) for name in stems}


def with_clusters(folder: Path, clusters: Any) -> Path:
    path = folder / "features_clustered_010.npy"
    np.save(path, clusters)
    return path


def system_of(original: Original) -> Pix2PixHD:
    system = system_type(original.system)(original.config)
    missing, unexpected = system.load_state_dict(original.tensors, strict=False)
    assert not unexpected
    assert all(name.startswith("D.") for name in missing)
    assert isinstance(system, Pix2PixHD)
    return system.eval()


@pytest.mark.parametrize("name", GENERATORS)
def test_a_generator_is_known_by_its_keys_and_gives_the_image_of_the_reference(name, tmp_path) -> None:
    case = cases.read("pix2pixhd", name)
    original = load_original(saved(tmp_path, case.state()))
    system, config = system_of(original), original.config
    assert original.system == "pix2pixhd"
    assert (config.depth, config.num_blocks) == (
        case.config["n_downsample_global"],
        case.config["n_blocks_global"],
    )
    assert (config.grown, config.norm) == (case.config.get("n_local_enhancers", 0), case.config["norm"])
    assert len(config.classes) + 1 == case.config["input_nc"]
    if config.norm == "instance":  # the reference of the other case has stored statistics
        with torch.inference_mode():
            cases.assert_images(system.G(case.given()), case.expected())


def test_statistics_that_old_libraries_kept_for_nothing_are_dropped(tmp_path) -> None:
    case = cases.read("pix2pixhd", "global_instance")
    state = case.state() | {"model.2.running_mean": torch.ones(3), "model.2.running_var": torch.ones(3)}
    with torch.inference_mode():
        found = system_of(load_original(saved(tmp_path, state))).G(case.given())
    cases.assert_images(found, case.expected())


@pytest.mark.parametrize(
    ("channels", "encoder", "classes", "boundaries", "features"),
    [
        (36, False, 35, True, "none"),
        (35, False, 35, False, "none"),
        (39, True, 35, True, "instance"),
        (38, True, 35, False, "instance"),
        (12, True, 8, True, "instance"),
    ],
)
def test_input_channels_are_classes_boundaries_and_features(
    channels, encoder, classes, boundaries, features, tmp_path
) -> None:
    path = saved(tmp_path, with_inputs(state_of("local_1enhancer"), channels))
    if encoder:
        saved(tmp_path, state_of("encoder_instance_pooling"), "E")
    config = load_original(path).config
    assert (len(config.classes), config.boundaries, config.features) == (classes, boundaries, features)
    assert (config.classes[7].name == "road") == (classes == 35)


@pytest.mark.parametrize(
    ("options", "classes", "boundaries"),
    [
        ("label_nc: 34\nno_instance: False\n", 34, True),
        ("label_nc: 35\nno_instance: True\n", 35, False),
        ("label_nc: 20\nno_instance: False\n", 35, False),  # of another model
    ],
)
def test_options_beside_the_file_tell_whether_boundaries_are_read(
    options, classes, boundaries, tmp_path
) -> None:
    path = saved(tmp_path, with_inputs(state_of("local_1enhancer"), 35))
    (tmp_path / "opt.txt").write_text(options)
    config = load_original(path).config
    assert (len(config.classes), config.boundaries) == (classes, boundaries)


def test_encoder_and_clusters_beside_the_generator_are_used(tmp_path) -> None:
    path = saved(tmp_path, with_inputs(state_of("local_1enhancer"), 39))
    case = cases.read("pix2pixhd", "encoder_instance_pooling")
    saved(tmp_path, case.state(), "E")
    clusters = {7: np.random.rand(4, 3), 26: np.random.rand(10, 3).astype(np.float32)}
    with_clusters(tmp_path, clusters)
    original = load_original(path)
    system = system_of(original)
    assert system.styles.cluster_counts.nonzero().flatten().tolist() == [7, 26]
    torch.testing.assert_close(system.styles.clusters[7, :4], torch.tensor(clusters[7]).float())
    with torch.inference_mode():
        cases.assert_images(system.E(case.given()), case.expected("raw"))

    maps = {name: np.full((1, 1, 32, 32), 26) for name in ("labels", "instances")}
    code = np.zeros((1, 35), np.float32)
    request = Request(maps, latent=code, style={"car": "3"}, facts=system.facts)
    task = original.config.tasks(original.config.stages()[0])[0]
    features = encoded(system, task, request)["features"]
    assert torch.equal(features[0, :, 5, 5], torch.tensor(clusters[26][2]))


def test_a_generator_translates_label_maps(tmp_path) -> None:
    translator = Translator.load(saved(tmp_path, state_of("local_1enhancer")))
    answer = translator.translate(np.random.randint(0, 4, (40, 50)).astype(np.uint8))
    assert answer.shape == (40, 50, 3)
    assert any("4 classes" in note and "boundaries" in note for note in translator.notes)


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("discriminator_num2_features", "discriminators of pix2pixHD"),
        ("discriminator_num2_plain", "discriminators of pix2pixHD"),
        ("encoder_instance_pooling", "encoder of features"),
    ],
)
def test_other_networks_alone_are_refused_with_what_to_give(case, words, tmp_path) -> None:
    with pytest.raises(UserError, match=rf"{words}.*_net_G\.pth"):
        load_original(saved(tmp_path, state_of(case), "X"))


def test_something_else_beside_the_generator_is_refused(tmp_path) -> None:
    path = saved(tmp_path, state_of("local_1enhancer"))
    saved(tmp_path, state_of("discriminator_num2_plain"), "E")
    with pytest.raises(UserError, match=r"latest_net_E\.pth: not the encoder"):
        load_original(path)


# -- clusters --------------------------------------------------------------------------------------


class Evil:
    """Would run code if it were unpickled as usual."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, ("hacked",)


def test_clusters_are_read_as_numpy_writes_them(tmp_path) -> None:
    clusters = {0: np.random.rand(10, 3), 33: np.random.rand(2, 3).astype(np.float32)}
    path = with_clusters(tmp_path, clusters)
    assert {key: value.shape for key, value in read_clusters(path).items()} == {0: (10, 3), 33: (2, 3)}
    held = np.empty((), object)
    held[()] = clusters
    header = path.read_bytes()[: 10 + int.from_bytes(path.read_bytes()[8:10], "little")]
    for protocol in range(2, 5):  # as of Python 2, and later
        path.write_bytes(header + pickle.dumps(held, protocol))
        found = read_clusters(path)
        assert all(np.allclose(found[key], value) for key, value in clusters.items())


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({0: Evil()}, "could run code"),
        ({0: [1, 2]}, "more than arrays by class"),
        ({"road": np.zeros((1, 3))}, "more than arrays by class"),
        ({0: np.zeros(3)}, "no table of finite numbers"),
        ({0: np.full((1, 3), np.nan)}, "no table of finite numbers"),
        ({0: np.array(["a"])}, "not of numbers"),
        ([1, 2], "no dictionary"),
    ],
)
def test_anything_else_is_refused_and_nothing_is_run(content, words, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    held = np.empty((), object)
    held[()] = content
    np.save(tmp_path / "features_clustered_010.npy", held)
    with pytest.raises(UserError, match=rf"(?s)features_clustered_010.npy: not a file of clusters.*{words}"):
        read_clusters(tmp_path / "features_clustered_010.npy")
    assert not (tmp_path / "hacked").exists()


@pytest.mark.parametrize("data", [b"", b"\x93NUMPY", b"\x93NUMPY\x01\x00\xff\xff", b"PK\x03\x04" * 9])
def test_damaged_clusters_are_refused(data, tmp_path) -> None:
    (tmp_path / "f.npy").write_bytes(data)
    with pytest.raises(UserError, match="not a file of clusters"):
        read_clusters(tmp_path / "f.npy")
