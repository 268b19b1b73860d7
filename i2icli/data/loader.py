"""Examples become batches: endless, resumable at any batch, independent of ranks and threads."""

from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache
from itertools import count as counting

import numpy as np
import torch

from i2icli.data.examples import Example, Examples
from i2icli.errors import UserError

_PREFETCH = 2  # batches kept ready, at least
_IN_COMMON = 1  # two more words in a seed, so that it never equals that of an example, which has three


def batches(
    examples: Examples,
    *,
    batch_size: int,
    seed: int,
    start: int = 0,
    count: int | None = None,
    rank: int = 0,
    world: int = 1,
    accumulate: int = 1,
    workers: int = 2,
    pin: bool = False,
) -> Generator[Example, None, None]:
    """Endless training batches (or `count` of them), starting with batch number `start`.

    Epoch e visits the examples in an order that follows from (seed, e); batch k is the k-th
    run of `batch_size` of them, split evenly over the ranks. Every example draws from a generator
    seeded with (seed, epoch, index), so that neither ranks, threads nor `start` change it. What the
    examples of a batch have in common (`Examples.of_batch`) is drawn once for every `accumulate`
    batches, which make one step. `workers` threads prefetch (0: none, in the calling thread); closing
    the iterator stops them. Yields dicts of tensors (B, ...), in pinned memory if asked.
    Raises UserError for a batch size that the ranks cannot share and for images that differ in size.
    """
    if batch_size % world:
        raise UserError(f"--batch-size {batch_size} cannot be shared by {world} processes; choose a multiple")
    if not len(examples):
        raise UserError("there are no training examples")
    share = batch_size // world
    read = _ExampleReader(examples, seed, batch_size * accumulate)

    def positions() -> Iterator[list[int]]:
        for batch in counting(start) if count is None else range(start, start + count):
            first = batch * batch_size + rank * share
            yield list(range(first, first + share))

    for group in _prefetched(positions(), read, workers, share):
        batch = stack(group)
        yield {name: values.pin_memory() for name, values in batch.items()} if pin else batch


def validation_batches(
    examples: Examples, batch_size: int, workers: int = 2
) -> Generator[Example, None, None]:
    """Every example once, in order, without randomness; a change of size starts a new batch."""
    waiting: list[Example] = []
    indices = ([index] for index in range(len(examples)))
    for (example,) in _prefetched(indices, lambda index: examples.get(index, None), workers, 1):
        if waiting and (len(waiting) == batch_size or _shapes(example) != _shapes(waiting[0])):
            yield stack(waiting)
            waiting = []
        waiting.append(example)
    if waiting:
        yield stack(waiting)


def stack(examples: list[Example]) -> Example:
    """Examples -> one batch, with a first axis B. Raises UserError naming two sizes that differ."""
    first = _shapes(examples[0])
    for example in examples[1:]:
        for name, shape in _shapes(example).items():
            if shape != first.get(name):
                sizes = " and ".join(f"{s[-1]}x{s[-2]}" for s in (first[name], shape))
                raise UserError(
                    f"images of {sizes} pixels cannot share a batch; "
                    "use --batch-size 1, or --preprocess resize or crop"
                )
    if len(examples) == 1:
        return {name: values[None] for name, values in examples[0].items()}  # (1, ...), without a copy
    # In numpy: for a mere copy torch would start its thread pool, which waits long on a busy machine.
    return {
        name: torch.from_numpy(np.stack([example[name].numpy() for example in examples]))  # (B, ...)
        for name in examples[0]
    }


def _shapes(example: Example) -> dict[str, torch.Size]:
    return {name: values.shape for name, values in example.items()}


class _ExampleReader:
    """The example at a position of the endless sequence of epochs, with its own random draws."""

    def __init__(self, examples: Examples, seed: int, per_step: int) -> None:
        self.order = _Order(len(examples), seed)
        self.seed = seed
        self.per_step = per_step
        self.of_step = lru_cache(maxsize=64)(
            lambda step: examples.of_batch(np.random.default_rng((seed, step, _IN_COMMON, _IN_COMMON)))
        )

    def __call__(self, position: int) -> Example:
        epoch, index = self.order.visit(position)
        rng = np.random.default_rng((self.seed, epoch, index))
        return self.of_step(position // self.per_step).get(index, rng)


class _Order:
    """Which example is at a position of the endless sequence of epochs."""

    def __init__(self, length: int, seed: int) -> None:
        self.length = length
        # A batch may reach from one epoch into the next, and threads prefetch.
        self.permutation = lru_cache(maxsize=4)(
            lambda epoch: np.random.default_rng((seed, epoch)).permutation(length)
        )

    def visit(self, position: int) -> tuple[int, int]:
        """(epoch, index of the example)."""
        epoch, offset = divmod(position, self.length)
        return epoch, int(self.permutation(epoch)[offset])


def _prefetched(
    groups: Iterator[list[int]], read: Callable[[int], Example], workers: int, size: int
) -> Iterator[list[Example]]:
    """Read each group of numbers, in order, by threads that prefetch a bounded number of groups.

    An error in a thread is raised here. Closing this generator waits for reads in progress.
    """
    if workers == 0:
        for group in groups:
            yield [read(number) for number in group]
        return
    ahead = max(_PREFETCH, -(-2 * workers // size))
    pool = ThreadPoolExecutor(workers, thread_name_prefix="images")
    waiting: deque[list[Future[Example]]] = deque()
    try:
        for group in groups:
            waiting.append([pool.submit(read, number) for number in group])
            if len(waiting) > ahead:
                yield [future.result() for future in waiting.popleft()]
        while waiting:
            yield [future.result() for future in waiting.popleft()]
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
