"""Which device is chosen, by name, by rank, and by what the machine has."""

import pytest
import torch

from i2icli.errors import UserError
from i2icli.runtime.device import choose_device


@pytest.fixture
def machine(monkeypatch):
    """A machine with so many GPUs, seen by one of several processes."""

    def is_like(gpus: int, rank: int = 0, processes: int = 1) -> None:
        monkeypatch.setattr(torch.cuda, "is_available", lambda: gpus > 0)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
        monkeypatch.setenv("LOCAL_RANK", str(rank))
        monkeypatch.setenv("LOCAL_WORLD_SIZE", str(processes))

    return is_like


@pytest.mark.parametrize(
    ("text", "gpus", "rank", "chosen"),
    [
        (None, 0, 0, "cpu"),
        (None, 2, 1, "cuda:1"),
        ("cuda", 2, 1, "cuda:1"),
        ("cuda:1", 2, 0, "cuda:1"),
        ("cpu", 2, 1, "cpu"),
    ],
)
def test_every_process_gets_the_device_it_asked_for(text, gpus, rank, chosen, machine):
    machine(gpus, rank, processes=rank + 1)
    assert choose_device(text) == torch.device(chosen)


@pytest.mark.parametrize(
    ("text", "gpus", "rank", "complaint"),
    [
        ("tpu", 1, 0, "--device tpu: not a device"),
        ("cuda", 0, 0, "--device cuda: no CUDA device found; try --device cpu"),
        ("cuda:3", 2, 0, "only 2 CUDA devices found; try --device cuda:0"),
        (None, 1, 1, "2 processes need as many GPUs, but 1 found; try fewer --devices"),
        ("cuda:0", 2, 1, "2 processes cannot share a GPU; try --device cuda"),
        ("mps", 0, 0, "not available on this machine"),
    ],
)
def test_a_device_that_cannot_be_had_is_refused_in_a_line(text, gpus, rank, complaint, machine):
    machine(gpus, rank, processes=rank + 1)
    with pytest.raises(UserError, match=complaint):
        choose_device(text)
