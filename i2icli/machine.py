"""The memory that this machine has. No torch here."""

import os
import sys
from contextlib import suppress
from pathlib import Path

_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
"""Where Linux has the limit of a container or a job."""


def total_memory() -> int | None:
    """Bytes that programs here may use: all of the machine's, or those of a container. None: not known."""
    found = _windows() if sys.platform == "win32" else _pages()
    for limit in _LIMITS:
        with suppress(OSError, ValueError):
            given = int(Path(limit).read_text(encoding="ascii"))
            found = given if found is None else min(found, given)
    return found


def free_memory() -> int | None:
    """Bytes that no other program uses at the moment, as far as is known; never more than there are."""
    total = total_memory()
    with suppress(OSError, ValueError, StopIteration):
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        available = 1024 * next(int(line.split()[1]) for line in lines if line.startswith("MemAvailable"))
        return available if total is None else min(total, available)
    return total


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
