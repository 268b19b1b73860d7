"""Grown networks in low precision and on two processes learn as all others do, also while a level begins."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from i2icli.config import RunOptions
from i2icli.inference.translator import Translator
from i2icli.training.growing import grown_settings
from i2icli.training.run import train
from tests.training import grown_two_processes
from tests.training.synthetic import assert_same
from tests.training.test_growth import GROWABLE, small_run
from tests.training.test_resume import StopAt, final_state

ROOT = Path(__file__).parents[2]
GROWN = [f"{name}-{how}" for name in GROWABLE for how in ("fade", "residual")]


@pytest.fixture(scope="module")
def by_two(tmp_path_factory):
    """What two processes learned."""
    folder = tmp_path_factory.mktemp("two")
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    done = subprocess.run(
        [*launcher, "-m", "tests.training.grown_two_processes", str(folder), *GROWN],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("label", GROWN)
def test_two_processes_grow_like_one(label, by_two):
    first, second = (torch.load(by_two / f"{label}-{rank}.pt", weights_only=True) for rank in (0, 1))
    assert_same(first, second)
    alone = dict(grown_two_processes.train(*label.split("-")).named_parameters())
    assert_same(alone, first, 1e-10)


@pytest.mark.parametrize("how", ["fade", "residual"])
@pytest.mark.parametrize("name", GROWABLE)
def test_low_precision_grows_and_resumes_in_the_middle_to_the_bit(name, how, toy, tmp_path):
    small = small_run(name, toy(name), tmp_path / "small")
    _, config, model = grown_settings(str(small), None, how, {"steps": 7, "ema": 0.9, "precision": "bf16"})
    whole = RunOptions(out=tmp_path / "whole", init_from=str(model))
    halves = RunOptions(out=tmp_path / "halves", init_from=str(model))
    assert train(name, [toy(name)], config, whole).finished
    assert train(name, [toy(name)], config, halves, StopAt(3)).step == 3
    assert train(name, [toy(name)], config, halves).finished
    state = final_state(tmp_path / "halves")
    assert_same(final_state(tmp_path / "whole"), state)
    assert all(value.dtype != torch.bfloat16 for value in state["system"].values() if torch.is_tensor(value))
    exact = train(
        name, [toy(name)], config.with_found({"precision": "fp32"}), RunOptions(out=tmp_path / "fp32")
    )
    assert exact.finished  # and it did compute in low precision
    other = final_state(tmp_path / "fp32")["system"]
    assert any(
        not torch.equal(value, other[key]) for key, value in state["system"].items() if torch.is_tensor(value)
    )
    picture = torch.randint(256, (40, 40, 3), dtype=torch.uint8).numpy()  # flat ones are noise after a norm
    answers = [
        Translator.load(tmp_path / "halves", "cpu", each).translate(picture) for each in ("fp32", "bf16")
    ]
    assert abs(answers[0].astype(int) - answers[1].astype(int)).mean() < 4
