"""Whatever ends a run, what it has learned is saved first, and the error says at which step."""

import os
import shutil
from pathlib import Path

import pytest
import torch

from i2icli.config import RunOptions
from i2icli.errors import UserError
from i2icli.metadata import read_metadata
from i2icli.systems.cyclegan.system import CycleGAN
from i2icli.training.callbacks import NoCallbacks
from i2icli.training.monitor import Monitor
from i2icli.training.run import train
from i2icli.training.trainer import Trainer
from tests.tiny import tiny_config
from tests.training.synthetic import assert_same

AT = 3  # the step after which something happens


class After(NoCallbacks):
    """Callbacks that do something after a step, and keep what they are told."""

    def __init__(self, action=lambda: None, step=AT):
        self.action, self.step = action, step
        self.lines = []

    def progress(self, progress):
        if progress.step == self.step:
            self.action()

    def note(self, text):
        self.lines.append(text)

    warn = note


def run(toy, folder, callbacks, steps=6, **options):
    wanted = RunOptions(out=folder, workers=0, **options)
    return train("cyclegan", [toy], tiny_config("cyclegan", steps=steps), wanted, callbacks)


def state(folder):
    return torch.load(folder / "resume.pt", weights_only=True)


@pytest.fixture(scope="module")
def data(toy):
    return toy("cyclegan")


@pytest.fixture(scope="module")
def whole(data, tmp_path_factory):
    """The state of an uninterrupted run."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    assert run(data, folder, NoCallbacks()).finished
    return state(folder)


def resumes_to(whole, data, folder):
    """Whether a run goes on from the step it was ended at, and ends as an uninterrupted one."""
    assert state(folder)["clock"]["total"] == AT
    assert read_metadata(folder / "model.safetensors").step == AT
    callbacks = After()
    assert run(data, folder, callbacks).finished
    assert any(f"resuming {folder} at step {AT} of 6" in line for line in callbacks.lines)
    for key in ("system", "optimizers", "clock"):
        assert_same(state(folder)[key], whole[key])


def test_a_bug_outside_a_step_costs_nothing(whole, data, tmp_path, monkeypatch):
    def buggy(*_):
        raise ZeroDivisionError("a bug")

    callbacks = After(lambda: monkeypatch.setattr(Monitor, "_save_is_due", buggy))
    with pytest.raises(ZeroDivisionError):
        run(data, tmp_path / "run", callbacks)
    monkeypatch.undo()
    assert callbacks.lines[-1] == f"step 3 is saved in {tmp_path / 'run'}; resume with the same command"
    resumes_to(whole, data, tmp_path / "run")


def test_a_full_disk_is_one_line_with_the_step_that_is_saved(whole, data, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device", str(tmp_path / "run/log.jsonl"))

    callbacks = After(lambda: monkeypatch.setattr(Monitor, "_save_is_due", full))
    with pytest.raises(UserError) as raised:
        run(data, tmp_path / "run", callbacks)
    monkeypatch.undo()
    assert str(raised.value) == (
        f"{tmp_path / 'run/log.jsonl'}: No space left on device; step 3 is saved in "
        f"{tmp_path / 'run'}; make room and resume with the same command"
    )
    resumes_to(whole, data, tmp_path / "run")


def test_a_disk_that_is_full_when_a_run_resumes_is_one_line_too(data, tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(27, "File too large", str(tmp_path / "run/report.html"))

    run(data, tmp_path / "run", After(lambda: None), time_limit=1e-9)
    step = state(tmp_path / "run")["clock"]["total"]
    monkeypatch.setattr("i2icli.training.run.write_run_report", full)
    with pytest.raises(UserError, match=rf"report.html: File too large; step {step} is saved in .*/run; "):
        run(data, tmp_path / "run", After(lambda: None))
    assert state(tmp_path / "run")["clock"]["total"] == step


def test_where_nothing_can_be_saved_the_step_before_is_named(data, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device", str(tmp_path / "run/resume.pt"))

    options = {"save_every": 1e-9}
    callbacks = After(lambda: monkeypatch.setattr(torch, "save", full))
    with pytest.raises(
        UserError, match=r"step 3 cannot be saved \(no space left on device\); that of step 2 is intact"
    ):
        run(data, tmp_path / "run", callbacks, **options)
    monkeypatch.undo()
    assert state(tmp_path / "run")["clock"]["total"] == 2


def test_data_that_vanish_end_the_run_with_what_was_learned(whole, data, tmp_path):
    copy = tmp_path / "data"
    shutil.copytree(data, copy)

    def vanish():
        shutil.rmtree(copy / "trainA")
        shutil.rmtree(copy / "trainB")

    with pytest.raises(UserError, match=r"more than half: .*; step 3 is saved in .*/run; resume with"):
        run(copy, tmp_path / "run", After(vanish), cache=0)
    shutil.copytree(data, copy, dirs_exist_ok=True)
    resumes_to(whole, copy, tmp_path / "run")


def test_a_folder_that_is_moved_is_found_again(whole, data, tmp_path):
    folder, moved = tmp_path / "run", tmp_path / "elsewhere/run"
    moved.parent.mkdir()
    with pytest.raises(UserError) as raised:
        run(data, folder, After(lambda: folder.rename(moved)), log_every=1)
    assert str(raised.value) == (
        f"{folder}: the run folder was moved to {moved} while training; step 3 is saved in {moved}; resume "
        f"with --out {moved}"
    )
    assert not folder.exists()
    resumes_to(whole, data, moved)


def test_a_folder_that_is_removed_comes_back_with_what_was_learned(whole, data, tmp_path):
    folder = tmp_path / "run"
    with pytest.raises(UserError, match="was removed while training; step 3 is saved in"):
        run(data, folder, After(lambda: shutil.rmtree(folder)), log_every=1)
    resumes_to(whole, data, folder)


def test_no_memory_in_the_middle_of_a_step(data, tmp_path, monkeypatch):
    step = CycleGAN.training_step

    def exhausted(system, batch):
        updates = step(system, batch)
        yield next(updates)
        if system.clock.total == AT:
            raise MemoryError
        yield from updates

    monkeypatch.setattr(CycleGAN, "training_step", exhausted)
    with pytest.raises(UserError, match=r"out of memory .*; step 3 is saved in .*, though not all") as it:
        run(data, tmp_path / "run", After())
    assert str(it.value).endswith("that an exact resume needs; resume with the same command")
    monkeypatch.undo()
    assert state(tmp_path / "run")["clock"]["total"] == AT
    assert run(data, tmp_path / "run", After()).finished


def test_weights_that_are_not_sound_replace_nothing(data, tmp_path, monkeypatch):
    trainers = []
    enter = Trainer.enter
    monkeypatch.setattr(Trainer, "enter", lambda self, stage: trainers.append(self) or enter(self, stage))

    def spoil():
        with torch.no_grad():
            next(trainers[0].system.parameters()).fill_(torch.nan)
        raise ZeroDivisionError

    callbacks = After(spoil)
    with pytest.raises(ZeroDivisionError):
        run(data, tmp_path / "run", callbacks)
    assert "the weights of step 3 are not finite; that of step 0 is intact" in callbacks.lines[-1]
    assert state(tmp_path / "run")["clock"]["total"] == 0


def test_a_terminal_that_has_gone_does_not_end_a_run(data, tmp_path):
    def gone():
        raise OSError(5, "Input/output error")

    assert run(data, tmp_path / "run", After(gone)).finished


def test_leaving_at_once_saves_nothing(data, tmp_path):
    def leave():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(data, tmp_path / "run", After(leave))
    assert state(tmp_path / "run")["clock"]["total"] == 0


def test_another_number_of_threads_is_warned_about(data, tmp_path, monkeypatch):
    numbers = [4]  # on a machine with other work, really computing with several would take long
    monkeypatch.setattr(torch, "set_num_threads", numbers.append)
    monkeypatch.setattr(torch, "get_num_threads", lambda: numbers[-1])
    assert run(data, tmp_path / "run", After(), steps=2, threads=2).finished
    assert numbers == [4, 2, 4]
    assert state(tmp_path / "run")["threads"] == {"number": 2, "asked": True}
    kept = After()
    assert run(data, tmp_path / "run", kept, steps=3).finished  # with those it was started with
    assert state(tmp_path / "run")["threads"] == {"number": 2, "asked": True}
    assert not [line for line in kept.lines if "threads so far" in line]
    other = After()
    assert run(data, tmp_path / "run", other, steps=4, threads=1).finished
    assert [line for line in other.lines if "threads so far" in line] == [
        "this run has computed with 2 threads so far, now with 1: it will not end at the same weights to the "
        "bit; --threads 2 would"
    ]


@pytest.mark.parametrize(("load", "asked", "told"), [(9.0, None, True), (0.5, None, False), (9.0, 1, False)])
def test_a_busy_machine_is_pointed_out(load, asked, told, data, tmp_path, monkeypatch):
    monkeypatch.setattr(os, "getloadavg", lambda: (load, load, load))
    monkeypatch.setattr("i2icli.processors.cores", lambda: 3)
    monkeypatch.setattr(torch, "get_num_threads", lambda: asked or 3)
    callbacks = After()
    run(data, tmp_path / "run", callbacks, steps=1, threads=asked)
    lines = [line for line in callbacks.lines if "is busy" in line]
    assert lines == (
        [
            "this machine is busy (load 9.0 on 3 cores), where many threads slow each other down; "
            "--threads 1 is likely to be faster"
        ]
        if told
        else []
    )


def test_a_state_without_a_number_of_threads_is_resumed_without_a_word(data, tmp_path):
    folder: Path = tmp_path / "run"
    assert run(data, folder, After(), steps=2).finished
    old = state(folder)
    del old["threads"]
    torch.save(old, folder / "resume.pt")
    callbacks = After()
    assert run(data, folder, callbacks, steps=3).finished
    assert not [line for line in callbacks.lines if "threads so far" in line or "damaged" in line]
