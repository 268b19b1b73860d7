"""The options that the authors' program writes beside its checkpoints, as text: opt.txt."""

import re
from pathlib import Path

LARGEST_BYTES = 100_000

_LINE = re.compile(r"\s*(\w+): (.*?)\s*(?:\[default: .*\])?\s*")


def read_options(path: Path) -> dict[str, str]:
    """Options by name; none if there is no such file, or if it is something else.

    The file of options that the program itself reads is a pickle, which could run code.
    """
    try:
        if path.stat().st_size > LARGEST_BYTES:
            return {}
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return {}
    return {match[1]: match[2] for match in map(_LINE.fullmatch, lines) if match}
