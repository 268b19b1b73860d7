"""Several processes on one machine, through --devices and through torchrun."""

import json
import os
import signal
import sys
import time
from types import SimpleNamespace

import pytest
import torch

from i2icli.training.event_forwarding import Outcome
from i2icli.training.launch import _died
from tests.training.commands import TINY, i2i, start
from tests.training.synthetic import assert_same

TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
KEYS = ("system", "average", "optimizers", "clock")


def log_steps(folder):
    rows = map(json.loads, (folder / "log.jsonl").read_text().splitlines())
    return [row["step"] for row in rows if "validation" not in row]


def state(folder):
    whole = torch.load(folder / "resume.pt", weights_only=True)
    return {key: whole[key] for key in KEYS} | {"ranks": dict(enumerate(whole["ranks"]))}


@pytest.fixture(scope="module")
def by_devices(toy, tmp_path_factory):
    """A cyclegan trained for six steps by `--devices 2`: its folder and what the command printed."""
    folder = tmp_path_factory.mktemp("devices")
    options = ["--batch-size", 2, "--devices", 2, "--steps", 6, "--pool-size", 2, "--log-every", 1]
    done = i2i("train", "cyclegan", toy("cyclegan"), *TINY, *options, "--out", "run", cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder / "run", done


def test_devices_train_and_only_the_first_process_writes_and_talks(by_devices):
    folder, done = by_devices
    names = {path.name for path in folder.iterdir()}
    assert {"model.safetensors", "resume.pt", "recipe.toml", "log.jsonl", "report.html", "samples"} <= names
    assert log_steps(folder) == [1, 2, 3, 4, 5, 6]
    assert done.stdout.count("finished 6 steps") == 1
    assert done.stderr.count("step 6 of 6") == 1
    assert done.stderr.count("validation at step 6") == 1
    assert "Traceback" not in done.stderr
    assert len(state(folder)["ranks"]) == 1  # beside rank 0's own: the image pool of the other


@pytest.mark.slow
def test_resuming_with_two_processes_is_exact_and_torchrun_does_the_same(by_devices, toy, tmp_path):
    options = ["--batch-size", 2, "--pool-size", 2, "--log-every", 1, "--out", "halves"]
    command = ["train", "cyclegan", toy("cyclegan"), *TINY, *options]
    first = i2i(*command, "--steps", 6, "--time-limit", "0.001s", cwd=tmp_path, launcher=TORCHRUN)
    assert first.returncode == 0, first.stderr
    assert first.stdout.count("stopped (time limit) after 1 of 6 steps") == 1
    rest = i2i(*command, "--steps", 6, cwd=tmp_path, launcher=TORCHRUN)
    assert rest.returncode == 0, rest.stderr
    assert rest.stderr.count("resuming halves at step 1 of 6") == 1
    assert rest.stdout.count("finished 6 steps") == 1
    assert_same(state(by_devices[0]), state(tmp_path / "halves"))
    assert log_steps(tmp_path / "halves") == [1, 2, 3, 4, 5, 6]


def test_an_error_in_the_workers_is_one_line_with_its_exit_code(by_devices, toy, tmp_path):
    folder, _ = by_devices
    options = ["--batch-size", 2, "--pool-size", 2, "--steps", 6, "--devices", 2]
    done = i2i(
        "train",
        "cyclegan",
        toy("cyclegan"),
        *TINY,
        *options,
        "--lr",
        1,
        "--cycle-weight",
        3,
        "--out",
        folder,
        cwd=tmp_path,
    )
    assert done.returncode == 2
    (line,) = [line for line in done.stderr.splitlines() if "error" in line.lower()]
    assert "was started with --cycle-weight 10, not with --cycle-weight 3; " in line
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("exit_code", "words"),
    [
        (-9, "(rank 1) was ended by SIGKILL, as systems do where memory runs out"),
        (-11, "(rank 1) was ended by SIGSEGV"),
        (-120, "(rank 1) was ended by signal 120"),
        (3, "died (rank 1, exit status 3); see its output above"),
    ],
)
def test_the_death_of_a_process_is_one_line_behind_what_it_printed(exit_code, words, capsys):
    failed = SimpleNamespace(failures={1: SimpleNamespace(exitcode=exit_code)})
    outcome = Outcome(tracebacks=["Traceback\nValueError: the cause", "Traceback\nlost its partner"])
    error = _died(2, failed, outcome)
    assert str(error).removeprefix("one of 2 processes ") == words
    assert error.exit_code == 1
    assert capsys.readouterr().err == ("Traceback\nValueError: the cause\n" if exit_code > 0 else "")


def test_a_process_that_ended_without_a_word_is_named_as_that():
    assert str(_died(4, None, Outcome())) == "one of 4 processes died; see its output above"


@pytest.mark.slow
def test_a_batch_that_cannot_be_shared_leaves_no_run_behind(toy, tmp_path):
    options = ["--batch-size", 3, "--devices", 2, "--steps", 1, "--out", "run"]
    done = i2i("train", "pix2pix", toy("pix2pix"), *TINY, *options, cwd=tmp_path)
    assert done.returncode == 2
    assert "error: --batch-size 3 cannot be split among 2 processes; use a multiple of 2" in done.stderr
    assert not (tmp_path / "run" / "resume.pt").exists()


@pytest.mark.parametrize(
    "whole_group", [pytest.param(True, id="ctrl-c"), pytest.param(False, id="kill", marks=pytest.mark.slow)]
)
def test_a_signal_saves_and_says_how_to_go_on(whole_group, toy, tmp_path):
    options = ["--batch-size", 2, "--devices", 2, "--steps", 100_000, "--log-every", 1, "--out", "run"]
    process = start("train", "pix2pix", toy("pix2pix"), *TINY, *options, cwd=tmp_path)
    deadline = time.monotonic() + 60
    while not (tmp_path / "run" / "log.jsonl").exists() and time.monotonic() < deadline:
        assert process.poll() is None
        time.sleep(0.05)
    if whole_group:
        os.killpg(process.pid, signal.SIGINT)  # what a terminal does
    else:
        process.terminate()  # what a scheduler does
    out, error = process.communicate(timeout=60)
    assert process.returncode == 130, error
    assert "stopped (interrupted) after " in out
    assert "run the same command again" in out
    assert "Traceback" not in error
    steps = torch.load(tmp_path / "run" / "resume.pt", weights_only=True)["clock"]["total"]
    assert steps == log_steps(tmp_path / "run")[-1]
    assert (tmp_path / "run" / "report.html").exists()
