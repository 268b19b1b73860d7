"""Phrases of a data folder's report."""

from collections.abc import Sequence, Sized
from pathlib import Path

from i2icli.data.left_out import left_out
from i2icli.image.finding import Collection
from i2icli.written import counted as counted

_NAMED = 20  # of many collections


def sizes_of(names: Sequence[str], collections: Sequence[Sized]) -> str:
    """a 3, b 2; of many the first ones."""
    pairs = list(zip(names, collections, strict=True))
    listed = [f"{name} {len(each):,}" for name, each in pairs[:_NAMED]]
    return ", ".join([*listed, *([f"and {len(pairs) - _NAMED:,} more"] if len(pairs) > _NAMED else [])])


def skipped_lines(collection: Collection, broken: list[str]) -> list[str]:
    """What of a collection is not used, and why."""
    lines = []
    if broken:
        more = f" and {len(broken) - 1} more" if len(broken) > 1 else ""
        lines.append(f"skipped {counted(len(broken), 'broken image')}: {broken[0]}{more}")
    lines += [f"skipped {why}" for why in collection.broken.values()]
    if others := left_out([collection]):
        lines.append(f"left out in {collection.folder}: {others}")
    return lines


def is_warning(line: str) -> bool:
    """Whether a line of a report is about examples that are lost to the training."""
    return line.startswith("skipped ") or line.endswith(": skipped")


def aligned_line(names: str) -> str:
    """How validation images are used whose names match; `names`: "file names match"."""
    return f"{names}, so they show the same scenes: scored against each other"


NOT_ALIGNED = "file names differ, so they are not treated as pairs; used for sample sheets only"


def empty_line(folder: Path) -> str:
    """A validation folder without images."""
    return f"no validation: {folder} is empty"


def cache_line(needed: int, allowed: int) -> str:
    """Whether decoded images are kept in memory."""
    if needed <= allowed:
        return f"decoded images are kept in memory: {_size(needed)} of the {_size(allowed)} of --cache"
    return f"images are re-read every epoch: decoded they need {_size(needed)}, --cache is {_size(allowed)}"


def kept_line(needed: int, allowed: int) -> str:
    """How many of the decoded frames of videos are kept in memory."""
    if needed <= allowed:
        return f"decoded frames are kept in memory: {_size(needed)} of the {_size(allowed)} of --cache"
    return (
        f"of the decoded frames, {_size(needed)}, the last used are kept in the {_size(allowed)} of --cache"
    )


def _size(count: int) -> str:
    return f"{count / 2**30:.1f} GB" if count >= 2**30 / 10 else f"{count / 2**20:.1f} MB"
