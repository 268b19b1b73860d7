"""Two processes with half the batch each are one process."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from i2icli import registry
from tests.training.synthetic import assert_same
from tests.training.two_processes import train

ROOT = Path(__file__).parents[2]


CANCELLED = {
    "augmented_cyclegan": ".conv.bias",
    "spade": (".start.bias", ".conv_0.bias", ".conv_1.bias", ".head.bias"),
    "stargan": "G.stem.conv.weight",
}
"""Weights in front of norms that cannot be left out, and what shifts real and generated scores alike under a
hinge: in single precision some learn from rounding alone."""


@pytest.fixture(scope="module")
def trained_by_two(tmp_path_factory):
    folder = tmp_path_factory.mktemp("two")
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    done = subprocess.run(
        [*launcher, "-m", "tests.training.two_processes", str(folder), *registry.SYSTEMS],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-10), (torch.float32, 1e-5)])
@pytest.mark.parametrize("name", registry.SYSTEMS)
def test_two_processes_with_half_the_batch_equal_one(name, dtype, tolerance, trained_by_two):
    kind = str(dtype).removeprefix("torch.")
    first, second = (torch.load(trained_by_two / f"{name}-{kind}-{rank}.pt") for rank in (0, 1))
    weights = {key for key, _ in train(name, dtype).system.named_parameters()}
    assert_same(
        {key: first[key] for key in weights}, {key: second[key] for key in weights}
    )  # replicas: exactly
    if dtype is torch.float32 and name in CANCELLED:
        weights = {key for key in weights if not key.endswith(CANCELLED[name])}
    alone = train(name, dtype).system.state_dict()
    assert_same({key: alone[key] for key in weights}, {key: first[key] for key in weights}, tolerance)
