"""Signals: acknowledged at once, saved whatever they are, quiet while libraries load."""

import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path
from threading import Event, Thread

import pytest
import torch

from i2icli.training.interrupt import AGAIN, Interrupt
from tests.training.commands import ENVIRONMENT, ROOT, TINY, start


def wait_for_steps(process, folder):
    deadline = time.monotonic() + 100
    while not (folder / "log.jsonl").exists() and time.monotonic() < deadline:
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)


def state(folder):
    return torch.load(folder / "resume.pt", weights_only=True)


def test_the_first_signal_is_acknowledged_while_a_step_computes():
    told, at = [], Event()

    def tell(line):
        told.append(line)
        at.set()

    with Interrupt(tell=tell) as interrupt:
        Thread(target=lambda: time.sleep(0.05) or os.kill(os.getpid(), signal.SIGINT)).start()
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # as if the main thread were computing
        acknowledged = at.wait(1)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        assert acknowledged
        assert told == [AGAIN]
        assert interrupt.requested


def test_a_second_ctrl_c_leaves_at_once_but_not_the_same_one_passed_on(monkeypatch):
    monkeypatch.setattr("i2icli.training.interrupt.REPEATED", 0.05)
    with Interrupt() as interrupt:
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)  # as a program around this one does
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGHUP)
        assert interrupt.requested
        time.sleep(0.06)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)


def test_what_nohup_ignores_stays_ignored():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Interrupt() as interrupt:
            os.kill(os.getpid(), signal.SIGHUP)
            time.sleep(0.01)
            assert not interrupt.requested
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.slow
def test_a_terminal_that_is_closed_saves(toy, tmp_path):
    """SIGHUP comes with it, and nothing can be written to it any more."""
    terminal, theirs = pty.openpty()
    command = [sys.executable, "-m", "i2icli", "train", "cyclegan", str(toy("cyclegan")), *TINY]
    command += ["--steps", "100000", "--log-every", "1", "--out", "run"]
    process = subprocess.Popen(
        command, cwd=tmp_path, env=ENVIRONMENT, stdin=theirs, stdout=theirs, stderr=theirs,
        start_new_session=True, preexec_fn=lambda: __import__("fcntl").ioctl(0, 0x540E, 0),
    )  # fmt: skip
    os.close(theirs)
    Thread(target=_drain, args=(terminal,), daemon=True).start()
    wait_for_steps(process, tmp_path / "run")
    os.kill(process.pid, signal.SIGHUP)
    os.close(terminal)
    assert process.wait(60) in (1, 130)  # as far as the summary comes
    assert state(tmp_path / "run")["clock"]["total"] > 0
    assert (tmp_path / "run/report.html").exists()


def _drain(terminal):
    try:
        while os.read(terminal, 4096):
            pass
    except OSError:
        pass


PRESSED = """
import os, signal, sys, threading
from importlib.abc import MetaPathFinder

class Press(MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == {module!r}:
            if {lost}:
                try:
                    os.kill(os.getpid(), signal.SIGINT)
                except KeyboardInterrupt:
                    raise ImportError("initialization failed") from None
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Press())
from i2icli.__main__ import main
sys.exit(main(["spectrum", "nothing", "--csv"]))
"""


@pytest.mark.parametrize(
    ("module", "lost"),
    [("i2icli.cli.app", False), ("i2icli.report.spectra", False), ("i2icli.report.spectra", True)],
)
def test_ctrl_c_while_libraries_load_is_quiet(module, lost):
    program = PRESSED.format(module=module, lost=lost)
    found = subprocess.run(
        [sys.executable, "-c", program], env=ENVIRONMENT, cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert (found.returncode, found.stdout, found.stderr.strip()) == (130, "", "")


@pytest.mark.slow
def test_a_worker_does_not_outlive_its_launcher_and_what_it_learned_is_saved(toy, tmp_path):
    options = ["--batch-size", 2, "--devices", 2, "--steps", 100_000, "--log-every", 1, "--out", "run"]
    process = start("train", "pix2pix", toy("pix2pix"), *TINY, *options, cwd=tmp_path)
    wait_for_steps(process, tmp_path / "run")
    workers = workers_of(process)
    assert len(workers) == 2
    process.kill()
    process.wait()
    deadline = time.monotonic() + 30
    while any(map(is_alive, workers)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(map(is_alive, workers))
    assert state(tmp_path / "run")["clock"]["total"] > 0


@pytest.mark.slow
@pytest.mark.parametrize("rank", [0, 1])
def test_a_dead_process_among_several_loses_nothing(rank, toy, tmp_path):
    options = ["--batch-size", 2, "--devices", 2, "--steps", 100_000, "--log-every", 1, "--out", "run"]
    process = start("train", "pix2pix", toy("pix2pix"), *TINY, *options, cwd=tmp_path)
    wait_for_steps(process, tmp_path / "run")
    os.kill(workers_of(process)[rank], signal.SIGKILL)
    _, error = process.communicate(timeout=90)
    assert process.returncode == 1
    assert f"error: one of 2 processes (rank {rank}) was ended by SIGKILL, as systems do" in error
    assert state(tmp_path / "run")["clock"]["total"] > 0
    assert "Traceback" not in error
    assert ("is saved in run" in error) == (rank == 1)


def workers_of(process):
    """The processes that a launcher has started to train, by rank."""
    found = []
    for task in Path(f"/proc/{process.pid}/task").iterdir():
        found += map(int, (task / "children").read_text().split())
    return sorted(pid for pid in found if "spawn_main" in Path(f"/proc/{pid}/cmdline").read_text())


def is_alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
