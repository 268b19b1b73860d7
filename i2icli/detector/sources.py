"""What the user named on the command line -> which pictures and films to judge."""

from collections.abc import Iterable
from pathlib import Path

from i2icli.errors import UserError, several
from i2icli.image.finding import collect, named

FILMS = frozenset({".mp4", ".mov", ".avi", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg"})


def find_sources(words: Iterable[str]) -> tuple[list[Path], dict[str, str]]:
    """Files by name, all pictures and films below folders, globs; each once, in the order they were named.

    And why a word names nothing: folders without pictures, globs that match no file. Raises UserError if
    there is no file at all.
    """
    found: list[Path] = []
    refused: dict[str, str] = {}
    for word in words:
        try:
            found += _expanded(word)
        except UserError as error:
            refused[word] = str(error).removeprefix(f"{word}: ")
    if not found:
        troubles = [f"{word}: {why}" if word else why for word, why in refused.items()]
        raise UserError(several(troubles) or "nothing to judge: the list of inputs is empty")
    return list(dict.fromkeys(found)), refused


def is_film(path: Path) -> bool:
    """Whether a file's name is that of a film."""
    return path.suffix.lower() in FILMS


def _expanded(word: str) -> list[Path]:
    try:
        return [each for path in named(word) for each in (_inside(path) if path.is_dir() else [path])]
    except (OSError, ValueError) as refused:
        raise UserError(f"{word[:80]!r}: not a usable path ({type(refused).__name__})") from None


def _inside(folder: Path) -> list[Path]:
    found = collect(folder)
    files = [*found.images, *(other for other in found.others if is_film(other))]
    if not files:
        raise UserError(f"{folder}: no pictures or films in this folder")
    return files
