"""What the user named on the command line -> which pictures and films to judge."""

import glob
from collections.abc import Iterable
from pathlib import Path

from i2icli.data.folder import collect
from i2icli.errors import UserError

FILMS = frozenset({".mp4", ".mov", ".avi", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg"})


def find_sources(words: Iterable[str]) -> list[Path]:
    """Files by name, all pictures and films below folders, globs; each once, in the order they were named.

    Raises UserError for folders without pictures, globs that match nothing, and if nothing is named.
    """
    found: list[Path] = []
    for word in words:
        found += _expanded(word)
    if not found:
        raise UserError("nothing to judge: the list of inputs is empty")
    return list(dict.fromkeys(found))


def is_film(path: Path) -> bool:
    """Whether a file's name is that of a film."""
    return path.suffix.lower() in FILMS


def _expanded(word: str) -> list[Path]:
    path = Path(word)
    try:
        if path.is_dir():
            return _inside(path)
        if path.exists() or not glob.has_magic(word):
            return [path]
    except (OSError, ValueError) as refused:
        raise UserError(f"{word[:80]!r}: not a usable path ({type(refused).__name__})") from None
    matches = sorted(glob.glob(word, recursive=True))  # noqa: PTH207 - Path.glob knows no absolute patterns
    if not matches:
        raise UserError(f"{word}: matches no file")
    return [each for match in map(Path, matches) for each in (_inside(match) if match.is_dir() else [match])]


def _inside(folder: Path) -> list[Path]:
    found = collect(folder)
    files = [*found.images, *(other for other in found.others if is_film(other))]
    if not files:
        raise UserError(f"{folder}: no pictures or films in this folder")
    return files
