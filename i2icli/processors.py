"""The threads that compute: how many there are, and should be on a busy machine. No torch here."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

VARIABLES = (
    "OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS",
    "OPENCV_FOR_THREADS_NUM",
)  # fmt: skip
"""What libraries look up as they are loaded."""

_asked: list[int] = []  # the numbers of threads asked for, the innermost last


def cores() -> int:
    """Cores that this process may use."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def threads_asked() -> int | None:
    """The number of threads asked for; None where every library decides by itself."""
    return _asked[-1] if _asked else None


def threads_in_use() -> int:
    """Threads that compute: what torch says, or what it will say once it is loaded."""
    torch = sys.modules.get("torch")
    if torch is not None:
        return int(torch.get_num_threads())
    given = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0]
    return threads_asked() or (int(given) if given.isdecimal() and int(given) else cores())


@contextmanager
def limited_threads(number: int | None) -> Iterator[None]:
    """Inside the block, networks compute with so many threads; None changes nothing."""
    if number is None:
        yield
        return
    torch, before = sys.modules.get("torch"), {name: os.environ.get(name) for name in VARIABLES}
    count = None if torch is None else torch.get_num_threads()
    os.environ.update(dict.fromkeys(VARIABLES, str(number)))
    _asked.append(number)
    _tell_libraries(number)
    try:
        yield
    finally:
        _asked.pop()
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        if count is not None:
            _tell_libraries(count)


def _tell_libraries(number: int) -> None:
    """Set the number in the libraries that are loaded."""
    for library, setter in (("torch", "set_num_threads"), ("cv2", "setNumThreads")):
        if library in sys.modules:
            getattr(sys.modules[library], setter)(number)


def busy_line() -> str | None:
    """What to do where other programs already keep all cores busy; None where that is not so.

    Programs with a thread for every core each slow each other down: their threads wait for one another while
    they spin. With fewer threads all of them are faster.
    """
    if not hasattr(os, "getloadavg") or threads_asked() is not None or threads_in_use() == 1:
        return None
    load, own = os.getloadavg()[0], cores()
    if load <= own:
        return None
    share = max(1, round(own / (1 + load / own)))
    return (
        f"this machine is busy (load {load:.1f} on {own} {'core' if own == 1 else 'cores'}), where many "
        f"threads slow each other down; --threads {share} is likely to be faster"
    )
