"""Finding image files in real-world folders: nested, linked, mixed with other files."""

import glob
import os
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from i2icli.errors import UserError
from i2icli.image import SUFFIXES

_JUNK = {"thumbs.db", "desktop.ini", "__macosx", "@eadir"}  # created by operating systems, in lower case


@dataclass(frozen=True)
class Collection:
    """The images below one folder, in natural order."""

    folder: Path
    images: tuple[Path, ...]
    others: tuple[Path, ...]  # files of other kinds

    def key(self, image: Path) -> str:
        """Identifies an image of this collection and pairs it: its path below the folder, no suffix.

        Case and Unicode form make no difference.
        """
        relative = image.relative_to(self.folder).with_suffix("").as_posix()
        return unicodedata.normalize("NFC", relative).casefold()


def collect(folder: Path) -> Collection:
    """All files below a folder; links are followed, loops and hidden or junk files skipped.

    Raises UserError if there is no such folder or a part of it cannot be opened.
    """
    check_folder(folder)
    files = sorted(_walk(folder), key=lambda file: natural_key(file.relative_to(folder)))
    images = tuple(file for file in files if is_image_name(file))
    return Collection(folder, images, tuple(file for file in files if not is_image_name(file)))


def find_images(folder: Path) -> list[Path]:
    """The image files below a folder in natural order (2.png before 10.png). Raises as `collect` does."""
    return list(collect(folder).images)


def check_folder(folder: Path) -> None:
    """Raise UserError unless there is such a folder."""
    if folder.is_dir():
        return
    if not folder.exists():
        near = folder.parent if folder.parent.is_dir() else None
        inside = f"; {near} contains {listing(near)}" if near else ""
        raise UserError(f"{folder}: there is no such folder{inside}")
    archive = folder.suffix.lower() in (".zip", ".gz", ".tgz", ".tar", ".7z", ".rar")
    advice = "unpack it and give the folder" if archive else "give the folder with the images"
    raise UserError(f"{folder}: this is a file, not a folder; {advice}")


def subfolders(folder: Path) -> dict[str, Path]:
    """The folders directly inside a folder by lower-case name, junk left out, in natural order.

    Raises UserError for names that differ only in case: some file systems treat them as one folder.
    """
    inside = [entry for entry in _entries(folder) if entry.is_dir()]
    inside.sort(key=lambda entry: natural_key(Path(entry.name)))
    found: dict[str, Path] = {}
    for entry in inside:
        other = found.setdefault(entry.name.casefold(), folder / entry.name)
        if other.name != entry.name:
            raise UserError(
                f"{folder}: {other.name}/ and {entry.name}/ differ only in case; rename one or merge them"
            )
    return found


def holds_images(folder: Path) -> bool:
    """Whether there are image files directly in a folder."""
    return any(is_image_name(Path(entry.name)) and not entry.is_dir() for entry in _entries(folder))


def holds_images_below(folder: Path) -> bool:
    """Whether there is an image file anywhere below a folder; stops at the first."""
    return any(is_image_name(file) for file in _walk(folder))


def is_image_name(path: Path) -> bool:
    """Whether the suffix of a file, in any case, is that of an image format we read."""
    return path.suffix.lower() in SUFFIXES


def listing(folder: Path, limit: int = 4) -> str:
    """What is directly inside a folder, as text: "train/, val/, notes.txt and 3 more"."""
    names = [entry.name + "/" * entry.is_dir() for entry in _entries(folder)]
    names.sort(key=lambda name: (not name.endswith("/"), natural_key(Path(name))))
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + more if names else "nothing"


def _walk(folder: Path) -> Iterator[Path]:
    """Every file below a folder; each real folder is entered once, so links cannot loop."""
    seen: set[tuple[int, int]] = set()
    waiting = [folder]
    while waiting:
        here = waiting.pop()
        status = here.stat()
        if (status.st_dev, status.st_ino) in seen:
            continue
        seen.add((status.st_dev, status.st_ino))
        inside = sorted(_entries(here), key=lambda entry: entry.name, reverse=True)
        waiting += [here / entry.name for entry in inside if entry.is_dir()]
        yield from (here / entry.name for entry in inside if not entry.is_dir())


def _entries(folder: Path) -> "list[os.DirEntry[str]]":
    """The entries of a folder, without hidden files and junk. Raises UserError."""
    try:
        with os.scandir(folder) as entries:
            return [entry for entry in entries if not _is_junk(entry.name)]
    except OSError as error:
        raise UserError(f"cannot open {folder}: {(error.strerror or str(error)).lower()}") from error


def _is_junk(name: str) -> bool:
    return name.startswith(".") or name.casefold() in _JUNK


def natural_key(path: Path) -> list[list[str | int]]:
    """A sort key that treats numbers as numbers and ignores case."""
    parts = [re.split(r"(\d+)", part.casefold()) for part in path.parts]
    # Every second piece of a split is a number, so that only like is compared with like.
    keys: list[list[str | int]] = [
        [int(piece) if index % 2 else piece for index, piece in enumerate(part)] for part in parts
    ]
    return [*keys, [str(path)]]


def named(word: str) -> list[Path]:
    """The files and folders that a word of the command line names: a path, or what a glob matches.

    Raises UserError for a glob that matches nothing, and for an empty word, which would otherwise mean
    the current folder; a plain path need not exist.
    """
    if not word:
        raise UserError("an empty name, as from an unset variable; give a file or folder")
    if Path(word).exists() or not glob.has_magic(word):
        return [Path(word)]
    matches = sorted(glob.glob(word, recursive=True))  # noqa: PTH207 - Path.glob has no absolute patterns
    if not matches:
        raise UserError(f"{word}: matches no file")
    return [Path(match) for match in matches]
