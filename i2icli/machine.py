"""The memory that this machine has. No torch here."""

import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath

_GROUPS = Path("/sys/fs/cgroup")
_OWN = Path("/proc/self/cgroup")
"""Where Linux has the groups of processes that share a limit, and which of them this process is in."""
_FILES = {
    "": ("memory.max", "memory.current", "inactive_file"),  # version 2
    "memory": ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),  # version 1
}
"""Files with the limit and the use of a group, and what its memory.stat calls cache that it would give up."""


def total_memory() -> int | None:
    """Bytes that programs here may use: the machine's, or those of a container or job. None: not known."""
    machine = _windows() if sys.platform == "win32" else _pages()
    limits = (limit for limit, _ in _limits())
    return min((each for each in (machine, *limits) if each is not None), default=None)


def free_memory() -> int | None:
    """Bytes that no program uses at the moment, as far as is known; never more than `total_memory`."""
    left = [max(0, limit - used) for limit, used in _limits()]
    with suppress(OSError, ValueError, StopIteration):
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        left.append(1024 * next(int(line.split()[1]) for line in lines if line.startswith("MemAvailable")))
    return min((each for each in (total_memory(), *left) if each is not None), default=None)


def _limits() -> Iterator[tuple[int, int]]:
    """Limit and use in bytes of the groups that this process is in; none where there are none."""
    for controller, folder in _groups():
        limit, used, cache = _FILES[controller]
        with suppress(OSError, ValueError):  # no such group here; no limit: "max"
            most = int((folder / limit).read_text(encoding="ascii"))
            stat = (folder / "memory.stat").read_text(encoding="ascii").splitlines()
            given_up = sum(int(line.split()[1]) for line in stat if line.startswith(f"{cache} "))
            yield most, int((folder / used).read_text(encoding="ascii")) - given_up


def _groups() -> Iterator[tuple[str, Path]]:
    """The kind and the folder of every group: that of a job, and those around it up to the container's."""
    lines: list[str] = []
    with suppress(OSError, ValueError):
        lines = _OWN.read_text(encoding="utf-8").splitlines()
    for line in lines:
        _, controllers, path = line.split(":", 2)
        for controller in _FILES.keys() & set(controllers.split(",")):
            for folder in (PurePosixPath(path), *PurePosixPath(path).parents):
                yield controller, _GROUPS / controller / folder.relative_to("/")


def _pages() -> int | None:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError, AttributeError):
        return None


def _windows() -> int | None:
    import ctypes

    kilobytes = ctypes.c_ulonglong(0)
    asked = getattr(ctypes, "windll").kernel32.GetPhysicallyInstalledSystemMemory  # noqa: B009 - other systems lack it
    return kilobytes.value * 1024 if asked(ctypes.byref(kilobytes)) else None
