"""The words of a data folder's report."""

from collections import Counter

from i2icli.image.finding import Collection


def counted(number: int, noun: str) -> str:
    """1 image, 2 images."""
    return f"{number:,} {noun}" + "s" * (number != 1)


def skipped_lines(collection: Collection, broken: list[str]) -> list[str]:
    """What of a collection was not used, and why."""
    lines = []
    if broken:
        more = f" and {len(broken) - 1} more" if len(broken) > 1 else ""
        lines.append(f"skipped {counted(len(broken), 'broken image')}: {broken[0]}{more}")
    if collection.others:
        kinds = Counter(file.suffix.lower() or "no suffix" for file in collection.others)
        listed = ", ".join(f"{count} {suffix}" for suffix, count in kinds.most_common(3))
        lines.append(
            f"skipped {counted(len(collection.others), 'other file')} in {collection.folder} ({listed})"
        )
    return lines


def cache_line(needed: int, allowed: int) -> str:
    """Whether decoded images are kept in memory."""
    if needed <= allowed:
        return (
            f"decoded images are kept in memory: {_size(needed)} of the {_size(allowed)} that --cache allows"
        )
    return (
        f"images are read anew each time: decoded they take {_size(needed)}, --cache allows {_size(allowed)}"
    )


def _size(count: int) -> str:
    return f"{count / 2**30:.1f} GB" if count >= 2**30 / 10 else f"{count / 2**20:.1f} MB"
