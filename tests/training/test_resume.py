"""A run that is stopped, killed or interrupted anywhere ends where an undisturbed one does, to the bit."""

import json
import os
import signal
import time

import pytest
import torch

from i2icli import registry
from i2icli.config import RunOptions
from i2icli.errors import UserError
from i2icli.recipe import resolve_config
from i2icli.runtime.device import Placement
from i2icli.training.run import build_system, train
from i2icli.training.state import restore, state_of
from i2icli.training.trainer import Trainer
from tests.tiny import tiny_config, with_large_ones_slow
from tests.training.commands import TINY, here, start
from tests.training.synthetic import assert_same, batches

ROOT_KEYS = ("system", "average", "optimizers", "scalers", "clock")


def final_state(folder):
    state = torch.load(folder / "resume.pt", weights_only=True)
    return {key: state[key] for key in ROOT_KEYS}


class StopAt:
    """A callbacks that asks the process to stop, as Ctrl-C would, after some step."""

    def __init__(self, step):
        self.step = step

    def progress(self, progress):
        if progress.step == self.step:
            os.kill(os.getpid(), signal.SIGINT)

    def note(self, text): ...
    def warn(self, text): ...
    def scores(self, step, scores, best): ...
    def saved(self, path): ...


@pytest.mark.parametrize("name", with_large_ones_slow(registry.SYSTEMS))
def test_an_interrupted_run_ends_where_an_uninterrupted_one_does(name, toy, tmp_path):
    # 7 examples in batches of 2: both interruptions fall inside an epoch; at the second the pool (3) is full.
    config = tiny_config(name, steps=6, batch_size=2, ema=0.9, load_size=36, holdout=0.0)
    whole = train(name, [toy(name)], config, RunOptions(out=tmp_path / "whole", validate_every=2))
    options = RunOptions(out=tmp_path / "halves", validate_every=2)
    for step in (1, 4):
        halted = train(name, [toy(name)], config, options, StopAt(step))
        assert (halted.finished, halted.reason, halted.step) == (False, "interrupted", step)
    resumed = train(name, [toy(name)], config, options)
    assert whole.finished
    assert resumed.finished
    assert_same(final_state(whole.folder), final_state(resumed.folder))
    assert (whole.folder / "model.safetensors").read_bytes() == (
        resumed.folder / "model.safetensors"
    ).read_bytes()
    steps = [json.loads(line)["step"] for line in (resumed.folder / "log.jsonl").read_text().splitlines()]
    assert steps == sorted(steps)


@pytest.mark.parametrize(("name", "changes"), [("pix2pix", {"norm": "batch", "dropout": 0.5}), ("dtn", {})])
def test_a_finished_run_started_again_publishes_the_same_model(name, changes, toy, tmp_path):
    config = tiny_config(name, steps=4, batch_size=2, ema=0.9, holdout=0.0, **changes)
    options = RunOptions(out=tmp_path / "run")
    train(name, [toy(name)], config, options)
    published = (tmp_path / "run" / "model.safetensors").read_bytes()
    assert train(name, [toy(name)], config, options).finished
    assert (tmp_path / "run" / "model.safetensors").read_bytes() == published


def saved_at(folder):
    """When the newest state was written (ns); 0 before the first."""
    state = folder / "resume.pt"
    return state.stat().st_mtime_ns if state.exists() else 0


@pytest.mark.slow
def test_a_run_killed_at_any_moment_resumes_to_the_same_weights(toy, tmp_path):
    command = ["train", "cyclegan", toy("cyclegan"), *TINY]
    command += ["--pool-size", "3", "--steps", "48", "--log-every", "5"]
    command += ["--sample-every", "7", "--validate-every", "9", "--ema", "0.9", "--save-every", "0.2s"]
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert here(*command, "--out", whole, cwd=tmp_path).returncode == 0
    kills = 0
    for pause in (0.1, 0.25):
        before = saved_at(killed)
        process = start(*command, "--out", killed, cwd=tmp_path)
        deadline = time.monotonic() + 60
        while saved_at(killed) == before and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)  # until this process has begun to save, and so to train
        time.sleep(pause)
        kills += process.poll() is None
        process.kill()
        process.communicate()
    assert kills == 2, "the run was over before it could be killed"
    resumed = here(*command, "--out", killed, cwd=tmp_path)
    assert resumed.returncode == 0, resumed.stderr
    assert_same(final_state(whole), final_state(killed))


def test_a_damaged_state_falls_back_to_the_copy_before_it(toy, tmp_path):
    config = tiny_config("pix2pix", steps=3)
    options = RunOptions(out=tmp_path / "run")
    train("pix2pix", [toy("pix2pix")], config, options)
    expected = final_state(tmp_path / "run")
    newest = tmp_path / "run" / "resume.pt"
    newest.write_bytes(newest.read_bytes()[:1000])
    resumed = train("pix2pix", [toy("pix2pix")], config, options)
    assert resumed.finished
    assert_same(expected, final_state(tmp_path / "run"))


def test_a_setting_that_cannot_change_is_refused_by_name(toy, tmp_path):
    options = RunOptions(out=tmp_path / "run")
    train("pix2pix", [toy("pix2pix")], tiny_config("pix2pix", steps=1), options)
    with pytest.raises(UserError, match=r"--width 4, not with --width 8; .*add --width 4, .*--recipe"):
        train("pix2pix", [toy("pix2pix")], tiny_config("pix2pix", steps=1, width=8), options)
    longer = train("pix2pix", [toy("pix2pix")], tiny_config("pix2pix", steps=2), options)
    assert longer.step == 2


def test_a_stage_that_there_is_not_any_more_is_refused(toy, tmp_path):
    config, options = tiny_config("pix2pix", steps=2), RunOptions(out=tmp_path / "run")
    train("pix2pix", [toy("pix2pix")], config, options)
    state = torch.load(tmp_path / "run/resume.pt", weights_only=True)
    state["clock"]["stage"] = "of another version"
    torch.save(state, tmp_path / "run/resume.pt")
    with pytest.raises(UserError, match="stage 'of another version', which these settings do not have"):
        train("pix2pix", [toy("pix2pix")], tiny_config("pix2pix", steps=4), options)


def test_a_loss_that_is_not_finite_stops_the_run_and_keeps_the_last_good_state(toy, tmp_path):
    config = tiny_config("pix2pix", steps=50, lr=1e18, gan_loss="lsgan", l1_weight=1e30)
    with pytest.raises(
        UserError, match=r"was not a finite number at step \d+; the checkpoint of step \d+ is intact.*--lr"
    ) as error:
        train("pix2pix", [toy("pix2pix")], config, RunOptions(out=tmp_path / "run"))
    assert error.value.exit_code == 1
    state = torch.load(tmp_path / "run" / "resume.pt", weights_only=True)
    assert all(
        value.isfinite().all() for value in state["system"].values() if isinstance(value, torch.Tensor)
    )


def test_two_runs_cannot_share_a_folder(toy, tmp_path):
    from i2icli.training.run_folder import RunFolder

    with RunFolder(tmp_path / "run").locked(), pytest.raises(UserError, match="another process is training"):
        train("pix2pix", [toy("pix2pix")], tiny_config("pix2pix"), RunOptions(out=tmp_path / "run"))


def test_fine_tuning_takes_the_weights_of_another_run(toy, tmp_path):
    first = train(
        "cyclegan", [toy("cyclegan")], tiny_config("cyclegan", steps=2), RunOptions(out=tmp_path / "first")
    )
    notes = []
    callbacks = StopAt(-1)
    callbacks.note = notes.append
    options = RunOptions(out=tmp_path / "second", init_from=str(first.folder))
    train("cyclegan", [toy("cyclegan")], tiny_config("cyclegan", steps=1, lr=1e-12), options, callbacks)
    before, after = final_state(first.folder)["system"], final_state(tmp_path / "second")["system"]
    assert any("loaded " in note for note in notes)
    for key in ("G_AB.head.weight", "D_A.stem.weight"):
        matching = [name for name in before if name.startswith(key.split(".")[0]) and name.endswith("weight")]
        assert matching
        for name in matching:
            torch.testing.assert_close(before[name], after[name], rtol=0, atol=1e-6)


@pytest.mark.parametrize("order", [1, -1])
def test_the_optimisers_survive_a_change_of_precision(order):
    # Both precisions lay out weights differently in memory, and the fused optimiser does not look at strides:
    # averages in another layout than their weights would be taken for those of other weights.
    cpu = torch.device("cpu")
    placements = [Placement(cpu), Placement(cpu, torch.bfloat16, channels_last=True)][::order]
    trainers = [
        Trainer(build_system("cyclegan", tiny_config("cyclegan", steps=2)), batches("cyclegan", 1), placement)
        for placement in placements
    ]
    trainers[0].fit()
    restore(trainers[1], state_of(trainers[0]))
    trainers[1].enter(trainers[1].system.clock.stage)
    images = 0
    for name, optimizer in trainers[1].optimizers.items():
        before = trainers[0].optimizers[name].state_dict()["state"]
        for index, (weight, state) in enumerate(optimizer.state.items()):
            images += weight.ndim == 4
            assert state["exp_avg"].stride() == weight.stride()
            assert torch.equal(state["exp_avg"], before[index]["exp_avg"])
    assert images


def test_fewer_steps_than_already_learned_are_refused(toy, tmp_path):
    options = RunOptions(out=tmp_path / "run")
    train("pix2pix", [toy("pix2pix")], tiny_config("pix2pix", steps=3), options)
    with pytest.raises(
        UserError, match="already trained for 3 steps; --steps must be at least that, or choose"
    ):
        train("pix2pix", [toy("pix2pix")], tiny_config("pix2pix", steps=2), options)


def test_another_system_cannot_take_over_a_run_folder(toy, tmp_path):
    options = RunOptions(out=tmp_path / "run")
    train("pix2pix", [toy("pix2pix")], tiny_config("pix2pix", steps=1), options)
    with pytest.raises(UserError, match="is a run of pix2pix"):
        train("cyclegan", [toy("cyclegan")], tiny_config("cyclegan", steps=1), options)


def test_weights_of_another_shape_are_no_start(toy, tmp_path):
    wide = tiny_config("pix2pix", steps=1, width=8)
    first = train("pix2pix", [toy("pix2pix")], wide, RunOptions(out=tmp_path / "first"))
    options = RunOptions(out=tmp_path / "second", init_from=str(first.folder))
    with pytest.raises(UserError, match=r"only \d+ of \d+ generator weights match; .*: --recipe \S+toml$"):
        train("pix2pix", [toy("pix2pix")], tiny_config("pix2pix", steps=1), options)
    recipe = first.folder / "recipe.toml"
    again = RunOptions(out=tmp_path / "third", init_from=str(first.folder))
    assert train("pix2pix", [toy("pix2pix")], resolve_config("pix2pix", recipe), again).finished
    recipe.unlink()
    with pytest.raises(UserError, match=r"generator weights match; it was trained with --width 8$"):
        train("pix2pix", [toy("pix2pix")], tiny_config("pix2pix", steps=1), options)
    with pytest.raises(UserError, match=r"weights match; it is a model of pix2pix, name one of cyclegan$"):
        train("cyclegan", [toy("cyclegan")], tiny_config("cyclegan", steps=1), options)
