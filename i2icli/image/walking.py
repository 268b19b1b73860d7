"""Walking folders of images: links are followed, junk and what i2i itself wrote are left out."""

import os
from collections.abc import Iterator
from pathlib import Path

from i2icli.errors import UserError
from i2icli.image import SUFFIXES
from i2icli.marks import is_marked, own_names, own_results

_JUNK = {"thumbs.db", "desktop.ini", "__macosx", "@eadir"}  # created by operating systems, in lower case


class Walk:
    """Iterating gives every file below a folder; each real folder is entered once, so links cannot loop.

    What i2i wrote there (runs, results, sheets) is left out and listed in `left`. Results in the folder
    itself count if it holds no other images, as whoever names such a folder means them.
    """

    def __init__(self, folder: Path, *, own: bool = False, named: bool = True) -> None:
        """own: everything counts; named: whether a user named the folder. Raises UserError as `entries`."""
        self.folder, self.own, self.named = folder, own, named
        self.left: list[Path] = []
        self.results: set[Path] = set()

    def __iter__(self) -> Iterator[Path]:
        seen: set[tuple[int, int]] = set()
        waiting, held, others = [self.folder], list[Path](), False
        while waiting:
            here = waiting.pop()
            status = here.stat()
            if (status.st_dev, status.st_ino) in seen:
                continue
            seen.add((status.st_dev, status.st_ino))
            inside = self._foreign(here)
            waiting += [here / entry.name for entry in inside if entry.is_dir()]
            for path in (here / entry.name for entry in inside if not entry.is_dir()):
                if path in self.results:
                    held.append(path)
                else:
                    others = others or is_image_name(path)
                    yield path
        if others or not self.named or own_results(self.folder) == frozenset():
            self.left += held
        else:
            yield from held

    def _foreign(self, here: Path) -> "list[os.DirEntry[str]]":
        """What is in a folder, in reverse order, without what i2i wrote; results are remembered."""
        inside = sorted(entries(here), key=lambda entry: entry.name, reverse=True)
        if self.own:
            return inside
        listed = own_results(here)
        if listed is None and not (self.named and here == self.folder):
            self.left.append(here)
            return []
        self.results |= listed or frozenset()
        names = own_names(here)
        self.left += [here / entry.name for entry in inside if entry.name in names]
        return [entry for entry in inside if entry.name not in names]


def is_image_name(path: Path) -> bool:
    """Whether the suffix of a file, in any case, is that of an image format we read."""
    return path.suffix.lower() in SUFFIXES


def entries(folder: Path) -> "list[os.DirEntry[str]]":
    """The entries of a folder, without hidden files and junk. Raises UserError."""
    try:
        with os.scandir(folder) as found:
            return [entry for entry in found if not _is_junk(entry.name)]
    except OSError as error:
        raise UserError(f"cannot open {folder}: {(error.strerror or str(error)).lower()}") from error


def is_own(folder: Path) -> bool:
    """Whether i2i wrote what is in a folder, and there are no images of others."""
    return not any(map(is_image_name, Walk(folder, named=False))) and is_marked(folder)


def _is_junk(name: str) -> bool:
    return name.startswith(".") or name.casefold() in _JUNK
