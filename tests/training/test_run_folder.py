"""What a run leaves behind: whole files at any moment, a log without gaps, a recipe, a report, events."""

import errno
import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from i2icli.__main__ import main
from i2icli.config import RunOptions
from i2icli.errors import I2IWarning, UserError
from i2icli.files import _warned, atomic_write, temporary_name
from i2icli.recipe import resolve_config
from i2icli.report.log import read_log
from i2icli.systems.cyclegan.system import CycleGAN
from i2icli.training.callbacks import NoCallbacks
from i2icli.training.plan import plan
from i2icli.training.run import train
from i2icli.training.run_folder import RunFolder
from i2icli.training.trackers import TensorBoard
from tests.tiny import tiny_config
from tests.training.commands import ROOT
from tests.training.synthetic import assert_same


class Killed(BaseException):
    """Stands for kill -9: nothing of ours catches it."""


@pytest.fixture
def folder(tmp_path):
    return RunFolder(tmp_path / "run")


def test_states_rotate_and_the_newest_readable_one_is_loaded(folder):
    assert folder.load_state() is None
    for step in (1, 2, 3):
        folder.save_state({"step": step})
    assert folder.load_state() == {"step": 3}
    newest, previous = folder.states
    assert torch.load(previous, weights_only=True) == {"step": 2}
    newest.write_bytes(newest.read_bytes()[:100])
    assert folder.load_state() == {"step": 2}
    folder.save_state({"step": 4})  # in the place of the damaged one, not of the good one
    assert torch.load(previous, weights_only=True) == {"step": 2}
    newest.write_bytes(newest.read_bytes()[:100])
    previous.write_bytes(b"")
    with pytest.raises(UserError, match=r"damaged, and so is any older copy; .*--init-from"):
        folder.load_state()


STATE = {
    "system": {f"G.{number}": torch.arange(3000.0) + number for number in range(8)},
    "clock": {"total": 3},
}


@pytest.mark.parametrize("zeroed", [0, 512], ids=["bit", "sector"])
def test_a_state_that_was_changed_on_the_disk_is_noticed(zeroed, folder):
    for step in (2, 3):
        folder.save_state(STATE | {"clock": {"total": step}})
    newest, _ = folder.states
    good, rng, noticed = newest.read_bytes(), np.random.default_rng(0), 0
    for _ in range(60):
        changed = bytearray(good)
        place = int(rng.integers(len(good) - 512))
        if zeroed:
            place -= place % zeroed
            changed[place : place + zeroed] = bytes(zeroed)
        else:
            changed[place] ^= 1 << int(rng.integers(8))
        newest.write_bytes(changed)
        told = []
        found = folder.load_state(told.append)
        assert_same(found["system"], STATE["system"])
        assert found["clock"]["total"] == (2 if told else 3)
        noticed += bool(told)
    assert noticed > 50
    assert told == [f"{newest} is damaged; resuming from the copy before it, of step 2"]


def test_a_good_copy_gives_way_only_to_a_state_that_is_on_the_disk(folder, monkeypatch):
    for step in (1, 2):
        folder.save_state({"step": step})
    order = []
    monkeypatch.setattr(os, "fsync", lambda _: order.append("written"))
    replace = type(folder.path).replace
    monkeypatch.setattr(type(folder.path), "replace", lambda a, b: order.append(b.name) or replace(a, b))
    folder.save_state({"step": 3})
    assert order.index("written") < order.index("resume.previous.pt") < order.index("resume.pt")
    folder.states[0].write_bytes(b"written over by another program")
    folder.save_state({"step": 4})
    assert torch.load(folder.states[1], weights_only=True) == {"step": 2}
    assert folder.load_state() == {"step": 4}


def test_a_missing_newest_state_is_told(folder):
    for step in (1, 2):
        folder.save_state({"step": step, "clock": {"total": step}})
    folder.states[0].unlink()
    told = []
    assert folder.load_state(told.append)["step"] == 1
    assert told == [f"{folder.states[0]} is missing; resuming from the copy before it, of step 1"]


@pytest.mark.parametrize(
    "name",
    ["model.safetensors", "best.safetensors", "recipe.toml", "log.jsonl", "report.html", "samples/1.png"],
)
@pytest.mark.parametrize("link", [False, True])
def test_a_folder_without_a_state_is_not_trained_into(name, link, toy, folder, capsys):
    there = folder.path / name
    there.parent.mkdir(parents=True)
    there.symlink_to("gone") if link else there.write_text("mine")
    settings = ["--crop-size", "16", "--num-layers", "1", "--depth", "2", "--width", "4", "--steps", "1"]
    assert main(["train", "pix2pix", str(toy("pix2pix")), *settings, "--out", str(folder.path)]) == 2
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert f"{folder.path} holds {name.partition('/')[0]} but no resume.pt to resume from" in line
    assert "choose another --out" in line
    assert ("--init-from" in line) == (name == "model.safetensors")
    assert there.is_symlink() if link else there.read_text() == "mine"
    assert not folder.states[0].exists()


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP])
def test_a_file_system_without_locks_is_warned_about_once(number, toy, tmp_path, monkeypatch):
    def refused(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", refused)
    (line,) = _warnings_of_a_run(toy, tmp_path)
    assert line == (
        f"{tmp_path / 'run'}: this file system has no locks ({os.strerror(number).lower()}), so nothing "
        "keeps a second process out; start only one"
    )


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP])
def test_a_file_system_that_refuses_to_sync_is_warned_about_once(number, toy, tmp_path, monkeypatch):
    def refused(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", refused)
    (line,) = _warnings_of_a_run(toy, tmp_path)
    assert "cannot be asked to write at once" in line


def _warnings_of_a_run(toy, tmp_path):
    _warned.clear()
    told, callbacks = [], NoCallbacks()
    callbacks.warn = told.append
    options = RunOptions(out=tmp_path / "run")
    assert train("pix2pix", [toy("pix2pix")], tiny_config("pix2pix", steps=2), options, callbacks).finished
    return told


@pytest.mark.parametrize("replacement", [1, 2])
def test_a_kill_between_the_writes_of_a_save_leaves_a_loadable_state(replacement, folder, monkeypatch):
    for step in (1, 2):
        folder.save_state({"step": step})
    count = 0
    replace = type(folder.path).replace

    def killed(path, target):
        nonlocal count
        count += 1
        if count == replacement:
            raise Killed
        return replace(path, target)

    monkeypatch.setattr(type(folder.path), "replace", killed)
    with pytest.raises(Killed):
        folder.save_state({"step": 3})
    monkeypatch.undo()
    assert folder.load_state() == {"step": 2}
    folder.save_state({"step": 4})
    assert folder.load_state() == {"step": 4}


def test_a_kill_while_writing_leaves_the_files_as_they_were(folder, monkeypatch):
    folder.save_state({"step": 1})

    def killed(_state, path):
        path.write_bytes(b"half")
        raise Killed

    monkeypatch.setattr(torch, "save", killed)
    with pytest.raises(Killed):
        folder.save_state({"step": 2})
    assert folder.load_state() == {"step": 1}
    assert [path.name for path in folder.path.iterdir()] == ["resume.pt"]


def test_what_a_killed_process_left_half_written_is_cleared_away_and_nothing_else(folder):
    left = [f".{'0' * 12}.writing.pt", f"samples/{of_killed('.png')}", of_killed(".safetensors")]
    theirs = [
        ".chapter1.writing.md",
        ".resume.123.writing.pt",
        f"notes/.{'0' * 12}.writing.md",
        temporary_name(".safetensors"),  # of a process that runs
    ]
    for name in (*left, *theirs):
        (folder.path / name).parent.mkdir(parents=True, exist_ok=True)
        (folder.path / name).write_bytes(b"half")
    with folder.locked():
        files = {str(path.relative_to(folder.path)) for path in folder.path.rglob("*") if path.is_file()}
        assert files == {".lock", ".i2i-run", *theirs}


def of_killed(suffix):
    """The temporary name of a process of this machine that has ended."""
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    name = temporary_name(suffix)
    return f"{name[:9]}{gone.pid:08x}{name[17:]}"


def test_a_full_disk_is_told_in_one_line_whatever_a_library_says(toy, tmp_path, monkeypatch, capsys):
    def full(*_):
        raise RuntimeError("[enforce fail at inline_container.cc:671] . unexpected pos 28992 vs 28880")

    monkeypatch.setattr(torch, "save", full)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**9, 10**9, 0))
    settings = ["--crop-size", "16", "--num-layers", "1", "--depth", "2", "--width", "4", "--steps", "1"]
    assert main(["train", "pix2pix", str(toy("pix2pix")), *settings, "--out", str(tmp_path / "run")]) == 1
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    state = tmp_path / "run" / "resume.pt"
    assert line == f"error: {state}: No space left on device; make room and run the same command again"


@pytest.mark.parametrize("refused", [OSError(28, "No space left"), OSError(28, "No space left", "BESIDE")])
def test_a_write_that_fails_names_the_file_that_was_wanted(refused, tmp_path):
    wanted = tmp_path / "sheet.png"
    with pytest.raises(OSError, match="No space") as raised, atomic_write(wanted) as beside:  # noqa: PT012
        if refused.filename:
            refused.filename = str(beside)
        raise refused
    assert raised.value.filename == str(wanted)
    assert not list(tmp_path.iterdir())


def test_a_quota_is_told_apart_from_what_a_library_says(tmp_path):
    program = (
        "import resource, torch, pathlib, i2icli.files as f\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))\n"
        f"with f.atomic_write(pathlib.Path({str(tmp_path / 'resume.pt')!r})) as path:\n"
        "    torch.save(torch.zeros(10**6), path)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert f"OSError: [Errno {errno.EFBIG}] {os.strerror(errno.EFBIG)}: " in done.stderr.splitlines()[-1]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("gone", [False, True])
@pytest.mark.parametrize("refused", [OSError("encoder error -2"), RuntimeError("encoder error -2")])
def test_what_a_library_says_stays_unless_the_disk_is_full(refused, gone, tmp_path, monkeypatch):
    wanted = tmp_path / "new" / "sheet.png"
    with pytest.raises(type(refused), match=r"^encoder error -2$"), atomic_write(wanted):  # noqa: PT012
        if gone:
            wanted.parent.rmdir()
        raise refused
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**9, 10**9, 0))
    with pytest.raises(OSError, match="No space left on device") as raised, atomic_write(wanted):
        raise refused
    assert raised.value.filename == str(wanted)


def test_a_state_that_would_run_code_is_not_loaded(folder):
    class Evil:
        def __reduce__(self):
            return os.mkdir, (str(folder.path / "evil"),)

    folder.path.mkdir()
    torch.save({"clock": Evil()}, folder.states[0])
    with pytest.raises(UserError, match="damaged"):
        folder.load_state()
    assert not (folder.path / "evil").exists()


def test_the_log_is_rewound_to_the_step_that_training_goes_on_from(folder):
    folder.path.mkdir()
    for step in (1, 2, 3):
        folder.log({"step": step, "G/l1": 1.0 / step})
    with folder.log_file.open("a") as file:
        file.write('{"step": 4, "G/l')  # cut off by a kill
    folder.rewind_log(2)
    assert [row["step"] for row in read_log(folder.log_file)] == [1, 2]
    folder.log({"step": 3})
    assert [json.loads(line)["step"] for line in folder.log_file.read_text().splitlines()] == [1, 2, 3]


@pytest.fixture(scope="module")
def run(toy, tmp_path_factory):
    """A finished run with everything switched on."""
    options = RunOptions(
        out=tmp_path_factory.mktemp("run") / "a b", tensorboard=True, log_every=1, sample_every=2
    )
    config = tiny_config("pix2pix", steps=4, ema=0.5)
    train("pix2pix", [toy("pix2pix")], config, options)
    return RunFolder(options.out)


def test_everything_a_run_promises_is_there(run):
    names = {path.name for path in run.path.iterdir()}
    assert {
        "model.safetensors",
        "best.safetensors",
        "resume.pt",
        "recipe.toml",
        "data.json",
        "log.jsonl",
        "report.html",
    } <= names
    assert sorted(path.name for path in run.samples.iterdir()) == ["000001.png", "000002.png", "000004.png"]
    assert not [name for name in names if "writing" in name]
    for path in (run.model, run.best, run.recipe, run.log_file):  # models are there to be shared
        assert path.stat().st_mode & 0o777 == 0o666 & ~_umask(), path.name


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_its_recipe_trains_the_same_again(run, toy, tmp_path):
    config = resolve_config("pix2pix", run.recipe)
    result = train("pix2pix", [toy("pix2pix")], config, RunOptions(out=tmp_path / "again"))
    assert (result.folder / "model.safetensors").read_bytes() == run.model.read_bytes()


def test_its_report_opens_offline_and_shows_curves_samples_and_settings(run):
    page = run.report.read_text()
    assert "4 of 4" in page
    assert re.search(r"\d to learn from, \d for validation", page)
    assert "cpu, fp32" in page
    assert "<title>a b" in page
    shown = re.findall(r'alt="step (\d+)"', page)
    assert shown == sorted(shown, key=int, reverse=True)  # the newest first
    assert len(shown) == len(re.findall("data:image/(?:png|webp);base64,", page))
    assert len(shown) == len(list(run.samples.glob("*.png")))
    assert 'http-equiv="refresh"' not in page
    assert "<svg" in page
    for text in ("Losses of G", "Validation: PSNR (dB)", "l1_weight", "discriminator_width"):
        assert text in page
    loaded = re.findall(r"""(?:src|href)=["']?([^"' >]+)""", page)
    assert [link for link in loaded if not link.startswith(("data:", "#", "https://arxiv.org"))] == []
    assert not re.search(r"@import|url\(\s*['\"]?https?:", page)


def test_its_report_is_there_while_it_trains_and_refreshes_itself(toy, tmp_path):
    pages = {}

    class Reading(NoCallbacks):
        def progress(self, progress):
            pages[progress.step] = (tmp_path / "run" / "report.html").read_text()

    config = tiny_config("pix2pix", steps=3)
    train("pix2pix", [toy("pix2pix")], config, RunOptions(out=tmp_path / "run", validate_every=2), Reading())
    assert "0 of 3" in pages[1]
    assert "PSNR" in pages[3]
    assert all('http-equiv="refresh"' in pages[step] for step in (1, 2, 3))
    assert 'http-equiv="refresh"' not in (tmp_path / "run" / "report.html").read_text()


def test_tensorboard_events_hold_the_losses(run):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(run.path / "tensorboard"))
    events.Reload()
    assert {"G/l1", "D/gan", "validation/psnr"} <= set(events.Tags()["scalars"])
    assert [event.step for event in events.Scalars("G/l1")] == [1, 2, 3, 4]
    assert [event.step for event in events.Images("samples")] == [1, 2, 4]


def test_steps_that_are_repeated_replace_those_in_tensorboard(tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    for steps in ((1, 2, 3, 4), (3, 4)):  # killed at step 4, when step 2 was saved
        tracker = TensorBoard(tmp_path)
        for step in steps:
            tracker.scalars(step, {"G/l1": float(step)})
        tracker._at(step).close()
    events = EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    assert [event.step for event in events.Scalars("G/l1")] == [1, 2, 3, 4]


def test_numbers_of_its_own_are_logged_and_charted_where_there_is_no_truth(toy, tmp_path, monkeypatch):
    evaluate = CycleGAN.evaluate

    def evaluated(system, batch):
        numbers = {"brightness": batch["A"].mean((1, 2, 3))}
        return replace(evaluate(system, batch), compared={}, measured=numbers)

    monkeypatch.setattr(CycleGAN, "evaluate", evaluated)
    config = tiny_config("cyclegan", steps=4)
    options = RunOptions(out=tmp_path / "run", validate_every=2)
    result = train("cyclegan", [toy("cyclegan")], config, options)
    measured = [row for row in read_log(tmp_path / "run" / "log.jsonl") if "validation" in row]
    assert [row["step"] for row in measured] == [2, 4]
    assert measured[0]["validation"].keys() == result.scores.keys()
    assert [name for name in result.scores if not name.startswith(("spectral", "checker"))] == ["brightness"]
    assert not (tmp_path / "run" / "best.safetensors").exists()
    assert "Validation: brightness" in (tmp_path / "run" / "report.html").read_text()


def test_a_broken_training_image_is_told_once_by_name(toy, tmp_path):
    data = tmp_path / "data"
    shutil.copytree(toy("cyclegan"), data)
    broken = next((data / "trainA").iterdir())
    broken.write_bytes(broken.read_bytes()[:-200])
    told = []
    callbacks = NoCallbacks()
    callbacks.warn = told.append
    config = tiny_config("cyclegan", steps=8)
    assert train("cyclegan", [data], config, RunOptions(out=tmp_path / "run"), callbacks).finished
    assert len(told) == 1
    assert broken.name in told[0]
    assert told[0].endswith("skipped")
    with pytest.raises(UserError, match=broken.name):
        train("cyclegan", [data], config, RunOptions(out=tmp_path / "strict", strict=True))


def test_a_run_that_failed_before_its_first_step_may_begin_again_with_other_settings(toy, tmp_path):
    options = RunOptions(out=tmp_path / "run")
    config = tiny_config("pix2pix", l1_weight=1e30, lr=1e18)
    with pytest.raises(UserError, match="not a finite number"):
        train(
            "pix2pix",
            [toy("pix2pix")],
            config.model_copy(update={"l1_weight": 1e39, "gan_loss": "lsgan"}),
            options,
        )
    assert train("pix2pix", [toy("pix2pix")], tiny_config("pix2pix", width=6), options).finished


def test_the_estimate_of_memory_is_near_what_autograd_keeps(toy):
    config = tiny_config("pix2pix", width=16, discriminator_width=16, batch_size=4)
    estimate = plan("pix2pix", [toy("pix2pix")], config).memory_bytes
    from i2icli.training.run import build_system
    from tests.training.synthetic import batches

    system = build_system("pix2pix", config)
    optimizers = system.optimizers()
    kept: dict[int, int] = {}

    def keep(tensor):
        kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    batch = next(batches("pix2pix", 4)(system.clock.stage, 0))
    most = 0
    steps = system.training_step(batch)
    while True:
        kept.clear()
        with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
            update = next(steps, None)
        if update is None:
            break
        optimizer = optimizers[update.optimizer]
        torch.stack(list(update.losses.values())).sum().backward(inputs=optimizer.param_groups[0]["params"])
        optimizer.step()
        most = max(most, sum(kept.values()))
    weights = sum(weight.nbytes for weight in system.parameters())
    states = sum(
        value.nbytes
        for optimizer in optimizers.values()
        for state in optimizer.state.values()
        for value in state.values()
    )
    gradients = sum(weight.grad.nbytes for weight in system.parameters() if weight.grad is not None)
    measured = most + weights + states + gradients
    assert 0.5 < estimate / measured < 2


@pytest.mark.parametrize(
    "error", [OSError(errno.EMFILE, "Too many open files"), OSError(errno.ENOMEM, "Cannot allocate memory")]
)
def test_what_cannot_be_read_for_a_while_is_not_taken_for_damaged(error, folder, monkeypatch):
    for step in (2, 3):
        folder.save_state(STATE | {"clock": {"total": step}})

    def fail(_):
        raise error

    with monkeypatch.context() as patched:
        patched.setattr("i2icli.training.run_folder.check_saved", fail)
        with pytest.raises(UserError, match=r"cannot be read now \(.*\); try again|not enough memory"):
            folder.load_state()
    assert folder.load_state()["clock"]["total"] == 3


def test_a_run_that_nobody_watches_still_says_that_it_resumes_from_an_older_state(toy, tmp_path):
    options = RunOptions(out=tmp_path / "run")
    train("pix2pix", [toy("pix2pix")], tiny_config("pix2pix", steps=2), options)
    newest = tmp_path / "run" / "resume.pt"
    newest.write_bytes(newest.read_bytes()[:1000])
    with pytest.warns(I2IWarning, match="resume.pt is damaged; resuming from the copy before it, of step"):
        train("pix2pix", [toy("pix2pix")], tiny_config("pix2pix", steps=2), options)
