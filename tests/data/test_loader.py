"""Batches: the same whatever the threads, ranks and the place where one begins."""

import threading
import time
from collections import Counter
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch

from i2icli.config import Config
from i2icli.data.examples import Example, Examples
from i2icli.data.kinds.unpaired import UnpairedImages
from i2icli.data.loader import batches, validation_batches
from i2icli.data.options import DataOptions
from i2icli.errors import UserError


class Numbers(Examples):
    """Each example is its index and a number drawn for it."""

    def __init__(self, length: int, delay: float = 0.0, fails_at: int | None = None) -> None:
        self.length = length
        self.delay = delay
        self.fails_at = fails_at
        self.read = 0

    def __len__(self) -> int:
        return self.length

    def get(self, index: int, rng: np.random.Generator | None) -> Example:
        self.read += 1
        time.sleep(self.delay * (index % 3))
        if index == self.fails_at:
            raise UserError("cannot read 3.png: damaged", exit_code=1)
        drawn = -1.0 if rng is None else rng.random()
        return {"index": torch.tensor(index), "drawn": torch.tensor(drawn, dtype=torch.float64)}


def rows(source: Iterable[Example]) -> list[tuple[int, float]]:
    """(index, drawn) of every example of some batches, in order."""
    return [pair for batch in source for pair in zip(*(v.tolist() for v in batch.values()), strict=True)]


def test_every_epoch_visits_every_example_in_another_order() -> None:
    seen = rows(batches(Numbers(10), batch_size=4, seed=3, count=10, workers=0))  # 40 = 4 epochs
    epochs = [[index for index, _ in seen[start : start + 10]] for start in range(0, 40, 10)]
    assert all(sorted(epoch) == list(range(10)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) == 4
    assert len({drawn for _, drawn in seen}) == 40


def test_the_seed_decides() -> None:
    one, same, other = (rows(batches(Numbers(10), batch_size=2, seed=seed, count=8)) for seed in (1, 1, 2))
    assert one == same
    assert one != other


@pytest.mark.parametrize("workers", [0, 1, 5])
@pytest.mark.parametrize("start", [0, 1, 7])
def test_beginning_later_gives_the_rest_of_the_same(workers: int, start: int) -> None:
    everything = rows(batches(Numbers(7), batch_size=3, seed=0, count=20, workers=0))
    later = batches(
        Numbers(7, delay=0.001), batch_size=3, seed=0, start=start, count=20 - start, workers=workers
    )
    assert rows(later) == everything[3 * start :]


@pytest.mark.parametrize("world", [1, 2, 4])
def test_ranks_share_the_batches_of_one(world: int) -> None:
    alone = rows(batches(Numbers(9), batch_size=4, seed=0, count=6))
    ranks = [
        rows(batches(Numbers(9), batch_size=4, seed=0, count=6, rank=rank, world=world))
        for rank in range(world)
    ]
    share = 4 // world
    together = [
        row for batch in range(6) for part in ranks for row in part[batch * share : (batch + 1) * share]
    ]
    assert together == alone


def test_a_batch_that_cannot_be_shared_is_refused() -> None:
    with pytest.raises(UserError, match="--batch-size 3 cannot be shared by 2"):
        next(batches(Numbers(9), batch_size=3, seed=0, world=2))


def test_batches_larger_than_the_data() -> None:
    seen = rows(batches(Numbers(3), batch_size=8, seed=0, count=3))
    assert Counter(index for index, _ in seen) == {0: 8, 1: 8, 2: 8}


@pytest.mark.parametrize("workers", [0, 2])
def test_errors_of_threads_reach_the_caller(workers: int) -> None:
    with pytest.raises(UserError, match=r"3\.png"):
        rows(batches(Numbers(5, fails_at=3), batch_size=2, seed=0, count=5, workers=workers))


def test_reading_ahead_is_bounded_and_stops_when_closed() -> None:
    examples = Numbers(1000)
    before = threading.active_count()
    source = batches(examples, batch_size=2, seed=0, workers=3)
    list(islice(source, 2))
    time.sleep(0.1)
    assert examples.read <= 2 * (2 + 4)
    source.close()
    assert threading.active_count() == before
    reads = examples.read
    time.sleep(0.05)
    assert examples.read == reads


def test_validation_is_every_example_once_in_order_without_chance() -> None:
    source = list(validation_batches(Numbers(7), 3))
    assert [len(batch["index"]) for batch in source] == [3, 3, 1]
    assert rows(source) == [(index, -1.0) for index in range(7)]


class Sizes(Examples):
    """Images of differing sizes."""

    sides = (4, 4, 8, 4)

    def __len__(self) -> int:
        return len(self.sides)

    def get(self, index: int, rng: np.random.Generator | None) -> Example:  # noqa: ARG002
        return {"image": torch.zeros(3, self.sides[index], 4)}


def test_images_of_differing_sizes() -> None:
    assert [len(batch["image"]) for batch in validation_batches(Sizes(), 2)] == [2, 1, 1]
    with pytest.raises(UserError, match=r"4x\d and 4x\d pixels cannot share a batch"):
        next(batches(Sizes(), batch_size=4, seed=0))


def test_batches_of_real_images_do_not_depend_on_threads_or_memory(toy_collections: Path) -> None:
    config = Config(crop_size=24)
    one, other = (
        UnpairedImages([toy_collections], DataOptions.of(config, cache_bytes=cache_bytes)).train()
        for cache_bytes in (0, 10**9)
    )
    first = batches(one, batch_size=2, seed=5, count=9, workers=0)
    second = batches(other, batch_size=2, seed=5, count=9, workers=4)
    for ours, theirs in zip(first, second, strict=True):
        assert ours["A"].shape == (2, 3, 24, 24)
        assert torch.equal(ours["A"], theirs["A"])
        assert torch.equal(ours["B"], theirs["B"])


class Drawn(Examples):
    """Examples that tell what was drawn for their batch."""

    def __init__(self, drawn: int = -1) -> None:
        self.drawn = drawn

    def __len__(self) -> int:
        return 5

    def get(self, index, _rng):
        return {"index": torch.tensor(index), "drawn": torch.tensor(self.drawn)}

    def of_batch(self, rng):
        return Drawn(int(rng.integers(1000)))


def drawn(count: int, **options) -> list[list[int]]:
    return [
        batch["drawn"].tolist() for batch in batches(Drawn(), batch_size=4, seed=1, count=count, **options)
    ]


def test_what_a_batch_has_in_common_is_the_same_for_ranks_threads_and_resumes():
    whole = drawn(6)
    assert all(len(set(batch)) == 1 for batch in whole)
    assert len({batch[0] for batch in whole}) > 3
    for rank in (0, 1):
        assert drawn(6, rank=rank, world=2, workers=0) == [batch[:2] for batch in whole]
    assert drawn(2, start=4) == whole[4:]


def test_the_batches_of_one_step_have_their_draw_in_common():
    first, second, third, fourth = (batch[0] for batch in drawn(4, accumulate=2))
    assert first == second
    assert third == fourth
    assert first != third
