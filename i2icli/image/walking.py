"""Walking folders of images: links are followed, junk and what i2i itself wrote are left out."""

import errno
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from i2icli.errors import UserError
from i2icli.image import SUFFIXES, Format
from i2icli.marks import is_marked, own_names, own_results

_JUNK = {  # created by operating systems, in lower case
    "thumbs.db", "ehthumbs.db", "desktop.ini", "__macosx", "@eadir", "icon\r", "lost+found", "$recycle.bin",
    "system volume information",
}  # fmt: skip
_BY_LIBRARY: Mapping[Format, str] = {"heic": "pillow_heif"}
"""Formats that a library reads which may not be there; without it their files are no images."""

_DEEP = ContextVar("deep", default=True)


@contextmanager
def subfolders_count(whether: bool) -> Iterator[None]:
    """Inside, the images in subfolders count or not, wherever folders are walked without saying so."""
    token = _DEEP.set(whether)
    try:
        yield
    finally:
        _DEEP.reset(token)


class Walk:
    """Iterating gives every file below a folder; each real folder is entered once, so links cannot loop.

    What i2i wrote there (runs, results, sheets) is left out and listed in `left`. Results in the folder
    itself count if it holds no other images, as whoever names such a folder means them. Links that lead
    nowhere, if their names are not those of images, and folders that cannot be opened are listed in `broken`
    and `closed`, by why that is so.
    """

    def __init__(
        self, folder: Path, *, own: bool = False, named: bool = True, recursive: bool | None = None
    ) -> None:
        """own: everything counts; named: whether a user named the folder; recursive: whether subfolders
        count, None: as `subfolders_count` says.

        Iterating raises UserError if the folder itself cannot be opened.
        """
        self.folder, self.own, self.named = folder, own, named
        self.recursive = _DEEP.get() if recursive is None else recursive
        self.left: list[Path] = []
        self.results: set[Path] = set()
        self.subfolders: list[Path] = []  # not entered, as only the folder itself counts
        self.broken: dict[Path, str] = {}
        self.closed: dict[Path, str] = {}

    def __iter__(self) -> Iterator[Path]:
        seen: set[tuple[int, int]] = set()
        waiting, held, others = [self.folder], list[Path](), False
        while waiting:
            here = waiting.pop()
            try:
                folders, files = self._inside(here, seen)
            except UserError as error:
                if here == self.folder:
                    raise
                self.closed[here] = str(error)
                continue
            waiting += folders
            for path in files:
                if path in self.results:
                    held.append(path)
                else:
                    others = others or is_image_name(path)
                    yield path
        if others or not self.named or own_results(self.folder) == frozenset():
            self.left += held
        else:
            yield from held

    def _inside(self, here: Path, seen: set[tuple[int, int]]) -> tuple[list[Path], list[Path]]:
        """The folders and files in a folder, in reverse order; none if it was seen. Raises UserError."""
        try:
            status = here.stat()
            if (status.st_dev, status.st_ino) in seen:
                return [], []
            seen.add((status.st_dev, status.st_ino))
            inside = self._foreign(here)
        except OSError as error:  # gone since it was listed, or not for us
            raise _unopened(here, error) from error
        folders = [here / entry.name for entry in inside if is_folder(entry)]
        rest = (entry for entry in inside if not is_folder(entry) and not self._leads_nowhere(entry))
        files = [here / entry.name for entry in rest]
        if not self.recursive:
            self.subfolders += folders
            folders = []
        return folders, files

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

    def _leads_nowhere(self, entry: "os.DirEntry[str]") -> bool:
        """Whether it is a link to nothing or to itself, which might have been a folder; images are files."""
        if not entry.is_symlink() or is_image_name(Path(entry.name)):
            return False
        try:
            entry.stat()
        except OSError as error:
            self.broken[Path(entry.path)] = f"{entry.path}: {why_not(error)}"
            return True
        return False


def is_image_name(path: Path) -> bool:
    """Whether the suffix of a file, in any case, is that of an image format that is read here."""
    format = SUFFIXES.get(path.suffix.lower())
    return format is not None and (format not in _BY_LIBRARY or _is_installed(_BY_LIBRARY[format]))


def entries(folder: Path) -> "list[os.DirEntry[str]]":
    """The entries of a folder, without hidden files and junk. Raises UserError."""
    try:
        with os.scandir(folder) as found:
            return [entry for entry in found if not _is_junk(entry.name)]
    except OSError as error:
        raise _unopened(folder, error) from error


def is_folder(entry: "os.DirEntry[str]") -> bool:
    """Whether an entry is a folder or leads to one; a link to itself is none."""
    try:
        return entry.is_dir()
    except OSError:
        return False


def is_own(folder: Path) -> bool:
    """Whether i2i wrote what is in a folder, and there are no images of others."""
    return not any(map(is_image_name, Walk(folder, named=False, recursive=True))) and is_marked(folder)


def why_not(error: OSError) -> str:
    """Why a file or folder cannot be read, in words."""
    known = {errno.ELOOP: "a link to itself", errno.ENOENT: "a link to nothing, or gone since it was listed"}
    return known.get(error.errno or 0) or (error.strerror or str(error)).lower()


def _unopened(folder: Path, error: OSError) -> UserError:
    return UserError(f"cannot open {folder}: {(error.strerror or str(error)).lower()}")


@cache
def _is_installed(library: str) -> bool:
    return find_spec(library) is not None


def _is_junk(name: str) -> bool:
    return name.startswith(".") or name.casefold() in _JUNK
