"""Work that overlaps: results in order, made ahead by other threads, in bounded memory."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from queue import Empty, Queue
from threading import Event, Thread
from typing import TypeVar

T = TypeVar("T")
S = TypeVar("S")

_LOOK_S = 0.05  # seconds between looks at whether a thread has ended


@contextmanager
def workers(count: int) -> Iterator[ThreadPoolExecutor]:
    """A pool of threads; on leaving, what it has begun is finished, and what waits is dropped."""
    pool = ThreadPoolExecutor(count)
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def prefetch(
    pool: ThreadPoolExecutor, function: Callable[[T], S], items: Iterable[T], depth: int
) -> Iterator[S]:
    """Results in order, while the pool works on the next `depth` items."""
    pending: deque[Future[S]] = deque()
    for item in items:
        pending.append(pool.submit(function, item))
        if len(pending) > depth:
            yield pending.popleft().result()
    while pending:
        yield pending.popleft().result()


@contextmanager
def read_ahead(items: Iterable[T], depth: int) -> Iterator[Iterator[T]]:
    """The items, taken by a thread of its own that is at most `depth` ahead; what it raises, this does.

    On leaving, the thread has ended: it takes no more than one item after that.
    """
    waiting: Queue[tuple[bool, T | BaseException | None]] = Queue(depth)
    stop = Event()

    def take() -> None:
        try:
            for item in items:
                waiting.put((True, item))
                if stop.is_set():
                    return
            waiting.put((False, None))
        except BaseException as error:  # raised again where the items are used
            waiting.put((False, error))

    def taken() -> Iterator[T]:
        while True:
            more, value = waiting.get()
            if more:
                yield value  # type: ignore[misc]
            elif isinstance(value, BaseException):
                raise value
            else:
                return

    thread = Thread(target=take, daemon=True)
    thread.start()
    try:
        yield taken()
    finally:
        stop.set()
        while thread.is_alive():  # it may wait for room
            try:
                waiting.get(timeout=_LOOK_S)
            except Empty:
                thread.join(_LOOK_S)
