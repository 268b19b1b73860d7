"""Six systems, each ended ten times in all ways: then they resume, to the weights of a run left alone."""

import os
import random
import signal
import subprocess
import sys
import time

import pytest
import torch

from i2icli.metadata import read_metadata
from tests.training.commands import ENVIRONMENT, ROOT
from tests.training.synthetic import assert_same

SYSTEMS = ("pix2pix", "cyclegan", "stargan", "combogan", "progan", "vid2vid")
ENDS = ("SIGKILL", "SIGTERM", "SIGHUP", "full disk")
TIMES = int(os.environ.get("I2I_KILLS", "10"))  # every run is ended


def start(system, data, folder, *more):
    command = [sys.executable, "-m", "tests.training.to_be_killed", system, str(data), str(folder), *more]
    return subprocess.Popen(command, env=ENVIRONMENT, cwd=ROOT, stderr=subprocess.PIPE, text=True)


def saved_at(folder):
    newest = folder / "resume.pt"
    return newest.stat().st_mtime_ns if newest.exists() else 0


def until_it_saves(process, folder):
    before, deadline = saved_at(folder), time.monotonic() + 120
    while saved_at(folder) == before and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)


def end(how, system, data, folder, pause):
    """Go on with a run until it is ended; what it said."""
    if how == "full disk":
        most = (folder / "resume.pt").stat().st_size - 1000
        process = start(system, data, folder, str(most))
    else:
        process = start(system, data, folder)
        until_it_saves(process, folder)
        time.sleep(pause)
        process.send_signal(getattr(signal, how))
    _, said = process.communicate(timeout=120)
    code = {"SIGKILL": -9, "full disk": 1}.get(how, 130)
    assert process.returncode == code, f"{how}: {said}"
    return said


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("system", SYSTEMS)
def test_a_run_that_is_ended_again_and_again_loses_nothing(system, toy, tmp_path):
    rng = random.Random(system)
    data, whole, ended = toy(system), tmp_path / "whole", tmp_path / "ended"
    alone = start(system, data, whole)  # not in this process, where statistics are estimated on less
    assert alone.communicate(timeout=1200)[1] == ""
    assert alone.returncode == 0
    process = start(system, data, ended)
    until_it_saves(process, ended)
    process.kill()
    process.communicate()
    steps = []
    for number in range(TIMES):
        said = end(ENDS[number % len(ENDS)], system, data, ended, rng.uniform(0, 0.3))
        state = torch.load(ended / "resume.pt", weights_only=True)
        steps.append(state["clock"]["total"])
        assert "Traceback" not in said
        assert number % len(ENDS) != 3 or f"step {steps[-1]} is " in said, said
        assert read_metadata(ended / "model.safetensors").step <= steps[-1] + 1
    assert steps == sorted(steps)
    assert steps[0] < steps[-1], "it was never further than the first save"
    last = start(system, data, ended)
    assert last.communicate(timeout=1200)[1] == ""
    assert last.returncode == 0
    for key in ("system", "average", "optimizers", "scalers", "clock"):
        assert_same(
            *({key: torch.load(each / "resume.pt", weights_only=True)[key]} for each in (whole, ended))
        )
    assert (whole / "model.safetensors").read_bytes() == (ended / "model.safetensors").read_bytes()
    assert not list(ended.rglob(".*.writing*"))
