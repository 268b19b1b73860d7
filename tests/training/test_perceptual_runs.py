"""Runs with a perceptual loss: weights are found first, recorded, and the same when the run is resumed."""

import json

import pytest
import torch

from i2icli.backbones.catalogue import BACKBONES
from i2icli.config import RunOptions
from i2icli.errors import UserError
from i2icli.metadata import read_metadata
from i2icli.runtime.checkpoint import load_model
from i2icli.training.callbacks import NoCallbacks
from i2icli.training.plan import plan
from i2icli.training.run import train
from tests.tiny import tiny_config
from tests.training.synthetic import assert_same

SETTINGS = {"perceptual": "squeezenet", "perceptual_weight": 2.0, "steps": 3, "batch_size": 2, "holdout": 0.0}


class Noting(NoCallbacks):
    """Callbacks that keep notes, and may stop the run after a step."""

    def __init__(self):
        self.notes = []

    def note(self, text):
        self.notes.append(text)


@pytest.fixture(autouse=True)
def _empty_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))


def weights(folder, seed):
    """A file of random weights of SqueezeNet."""
    torch.manual_seed(seed)
    path = folder / f"weights-{seed}.pth"
    torch.save(BACKBONES["squeezenet"].build().state_dict(), path)
    return path


def config(**changes):
    return tiny_config("pix2pix", **SETTINGS | changes)


def test_what_was_used_is_recorded_and_its_weights_are_not(toy, tmp_path):
    callbacks, options = Noting(), RunOptions(out=tmp_path / "run", perceptual_file=weights(tmp_path, 0))
    train("pix2pix", [toy("pix2pix")], config(), options, callbacks)
    model = read_metadata(tmp_path / "run" / "model.safetensors")
    source = model.config["perceptual_source"]
    assert source.startswith("other weights, SHA-256 ")
    assert model.config["perceptual"] == "squeezenet"
    assert f"perceptual loss: squeezenet, weight 2 ({source})" in callbacks.notes
    rows = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    used = {"perceptual": "squeezenet", "perceptual_weight": 2.0, "perceptual_source": source}
    assert rows[0] == {"step": 0, "perceptual": used}
    assert rows[1]["G/perceptual"] > 0
    assert source in (tmp_path / "run" / "report.html").read_text()
    assert source in (tmp_path / "run" / "recipe.toml").read_text()
    state = torch.load(tmp_path / "run" / "resume.pt", weights_only=True)
    assert {name.split(".")[0] for name in state["system"]} == {"G", "D"}
    load_model(tmp_path / "run" / "model.safetensors")  # which takes no weights of the loss


def test_a_resumed_run_is_the_same_and_needs_the_same_weights(toy, tmp_path):
    path, other = weights(tmp_path, 0), weights(tmp_path, 1)

    def run(name, steps, file=path, **changes):
        options = RunOptions(out=tmp_path / name, perceptual_file=file)
        train("pix2pix", [toy("pix2pix")], config(steps=steps, decay_from=1.0, **changes), options)
        return torch.load(tmp_path / name / "resume.pt", weights_only=True)

    whole, _ = run("whole", 3), run("halves", 1)
    with pytest.raises(UserError, match=r"started with other weights, SHA-256 \w+ as its perceptual so"):
        run("halves", 3, other)
    path = path.rename(tmp_path / "elsewhere.pth")
    assert_same(run("halves", 3, path)["system"], whole["system"])
    without = run("without", 3, None, perceptual="off")
    assert not torch.equal(without["system"]["G.head.weight"], whole["system"]["G.head.weight"])
    with pytest.raises(UserError, match=r"--perceptual squeezenet, not with --perceptual off"):
        run("halves", 3, None, perceptual="off")


def test_missing_weights_stop_the_run_before_it_looks_at_the_data(tmp_path, monkeypatch):
    monkeypatch.setattr("i2icli.backbones.catalogue.TORCHVISION", "http://127.0.0.1:9/")
    (tmp_path / "none").mkdir()
    options = RunOptions(out=tmp_path / "run")
    with pytest.raises(UserError, match=r"^--perceptual squeezenet: its weights, .*--perceptual off$"):
        train("pix2pix", [tmp_path / "none"], config(), options)
    assert not (tmp_path / "run").exists()
    options = RunOptions(out=tmp_path / "run", perceptual_file=tmp_path / "none.pth")
    for function in (train, plan):
        with pytest.raises(UserError, match=r"--perceptual-file .*none\.pth: no such file; expected squeeze"):
            function("pix2pix", [tmp_path / "none"], config(), options)
        with pytest.raises(UserError, match=r"none\.pth: without a perceptual loss nothing reads it"):
            function("pix2pix", [tmp_path / "none"], config(perceptual_weight=0.0), options)


def test_images_of_other_channels_are_refused(toy, tmp_path):
    for given in ((4,), (1, 4)):
        with pytest.raises(ValueError, match="compares grey and RGB images, not those of 4 channels; choose"):
            config(channels=given)
    options = RunOptions(out=tmp_path / "run", perceptual_file=weights(tmp_path, 0))
    assert train("pix2pix", [toy("pix2pix")], config(channels=(3, 1)), options).finished


def test_a_plan_downloads_nothing_and_counts_the_network(toy, tmp_path):
    planned = plan("pix2pix", [toy("pix2pix")], config())
    without = plan("pix2pix", [toy("pix2pix")], config(perceptual="off"))
    checkpoints = tmp_path / "torch" / "hub" / "checkpoints"
    said = f"perceptual loss: squeezenet; training downloads its weights (5 MB) to {checkpoints} first"
    assert said in planned.report
    assert not checkpoints.exists()
    held = sum(weight.nbytes for weight in BACKBONES["squeezenet"].build().parameters())
    features = BACKBONES["squeezenet"].build()(torch.rand(2, 3, 32, 32))
    least = held + sum(feature.nbytes for feature in features)
    assert planned.memory_bytes - without.memory_bytes > least
    assert planned.stages[0].flops > without.stages[0].flops
    options = RunOptions(perceptual_file=weights(tmp_path, 0))
    (note,) = plan("pix2pix", [toy("pix2pix")], config(), options).report[:1]
    assert note == f"perceptual loss: squeezenet, weights in {tmp_path / 'weights-0.pth'}"
