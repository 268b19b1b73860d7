"""The options that the authors' programs write beside their checkpoints, as text."""

import re
from pathlib import Path

NAMES = ("train_opt.txt", "opt.txt")  # of pytorch-CycleGAN-and-pix2pix; of pix2pixHD and SPADE
LARGEST_BYTES = 100_000

_NOW = {"which_direction": "direction"}  # what options of earlier versions are called
_LINE = re.compile(r"\s*(\w+): (.*?)\s*(?:\[default: .*\])?\s*")


def options_beside(path: Path) -> dict[str, str]:
    """Options by name from the file of them beside a checkpoint; none if there is none."""
    found = (read_options(path.with_name(name)) for name in NAMES)
    return next((options for options in found if options), {})


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
    return {_NOW.get(match[1], match[1]): match[2] for match in map(_LINE.fullmatch, lines) if match}
