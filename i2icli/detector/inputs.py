"""Inputs of the command line resolved to image and video files."""

from collections.abc import Iterable
from pathlib import Path

from i2icli.errors import UserError, several
from i2icli.image.finding import collect, named

VIDEO_SUFFIXES = frozenset({".mp4", ".mov", ".avi", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg"})


def find_inputs(arguments: Iterable[str]) -> tuple[list[Path], dict[str, str]]:
    """Files, all images and videos in folders, matches of globs; each once, in the order given.

    Also the inputs that match no file, with the reason. Raises UserError if there is no file at all.
    """
    found: list[Path] = []
    unmatched: dict[str, str] = {}
    for argument in arguments:
        try:
            found += _expanded(argument)
        except UserError as error:
            unmatched[argument] = str(error).removeprefix(f"{argument}: ")
    if not found:
        errors = [f"{argument}: {why}" if argument else why for argument, why in unmatched.items()]
        raise UserError(several(errors) or "no inputs: the list is empty")
    return list(dict.fromkeys(found)), unmatched


def is_video(path: Path) -> bool:
    """Whether a file has the suffix of a video."""
    return path.suffix.lower() in VIDEO_SUFFIXES


def _expanded(argument: str) -> list[Path]:
    try:
        return [each for path in named(argument) for each in (_inside(path) if path.is_dir() else [path])]
    except (OSError, ValueError) as error:
        raise UserError(f"{argument[:80]!r}: not a usable path ({type(error).__name__})") from None


def _inside(folder: Path) -> list[Path]:
    found = collect(folder, own=True)
    files = [*found.images, *(other for other in found.others if is_video(other))]
    if not files:
        raise UserError(f"{folder}: no images or videos in this folder")
    return files
