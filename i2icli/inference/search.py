"""The images that the words of a command line mean, and what of folders is left out."""

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from i2icli.data.left_out import left_out
from i2icli.data.pairing.lists import is_list, listed
from i2icli.data.split_names import is_split
from i2icli.errors import UserError, several
from i2icli.files import real
from i2icli.image import KNOWN, SUFFIXES
from i2icli.image.finding import Collection, collect, named
from i2icli.image.items import Item
from i2icli.inference.other_inputs import inputs_in, names_kind
from i2icli.inference.pairs import PairSearch
from i2icli.inference.video_names import is_video_name
from i2icli.task import Kind

T = TypeVar("T")


@dataclass
class Search:
    """Looks for inputs: files by name, all images in folders."""

    recursive: bool = True  # subfolders count
    pairs: PairSearch | None = None  # where inputs may be pairs
    found: dict[tuple[Path, Path], tuple[str, ...]] = field(default_factory=dict)
    """(file, its path below --out) -> names of the folders above it, see `folders_above`."""
    refused: dict[str, str] = field(default_factory=dict)  # names that cannot be used -> why
    folders: dict[Path, Collection] = field(default_factory=dict)  # that were looked through

    def look(self, words: Iterable[str], out: Path, kind: Kind) -> None:
        """Find what words mean; what is in `out` inside an input folder are results of earlier runs.

        Raises UserError if there is no file at all.
        """
        paths = [path for word in _words(words) for path in self._tried(word, _matches)]
        for path in paths:
            for file, relative in self._tried(str(path), lambda name: self._below(Path(name), out, kind)):
                above = folders_above(file, path if path.is_dir() else file.parent)
                self.found.setdefault((file, relative), above)
        if not self.found:
            raise UserError(
                several(list(self.refused.values())) or "nothing to translate: the list of inputs is empty"
            )
        if self.pairs is not None:
            self.pairs.find_halves(file for file, _ in self.found)
            self.pairs.find_partners({file: above for (file, _), above in self.found.items()})

    def notes(self) -> tuple[str, ...]:
        """What was left out in the folders, in a line, and what was taken for pairs."""
        line = left_out(self.folders.values())
        pairs = self.pairs.notes if self.pairs is not None else ()
        return (*((f"left out: {line}",) if line else ()), *pairs)

    def half(self, file: Path) -> Item | None:
        """The half of a file that is translated; None: all of it."""
        return self.pairs.halves.get(file) if self.pairs is not None else None

    def truth(self, file: Path) -> Item | None:
        """What the output for a file should show, if that is known."""
        return self.pairs.truths.get(file) if self.pairs is not None else None

    def _tried(self, name: str, look: Callable[[str], Iterable[T]]) -> list[T]:
        """What there is of a name; nothing if it cannot be used, and `refused` has why."""
        try:
            return list(look(name))
        except UserError as error:
            self.refused[name] = str(error)
        except (OSError, ValueError) as error:  # what no system can look up: a NUL byte, endless names
            short = repr(name[:80])
            self.refused[short] = f"{short}: not a usable path ({type(error).__name__})"
        return []

    def _below(self, path: Path, out: Path, kind: Kind) -> list[tuple[Path, Path]]:
        """(file, its path below --out) of a file, or of all inputs in a folder or a list.

        Raises UserError without any.
        """
        if not path.is_dir():
            if is_video_name(path) and path.suffix.lower() not in SUFFIXES:
                raise UserError(f"{path}: a video; translate it with i2i video instead of i2i translate")
            if is_list(path):
                files = self.pairs.listed(path) if self.pairs else [source for source, _ in listed(path)]
                return [(file, file.relative_to(path.parent)) for file in files]
            return [(path, Path(path.name))]
        collection = collect(path, recursive=self.recursive, complete=False)
        self.refused |= {str(place): why for place, why in collection.broken.items()}
        images = collection.images
        if real(path) in real(out).parents:
            images = tuple(each for each in images if real(out) not in real(each).parents)
        found = inputs_in(path, images, kind)
        if not found:
            raise UserError(f"{path}: no images in this folder{_instead(collection)}")
        self.folders[path] = collection
        if self.pairs is not None:
            found = self.pairs.sources(path, images, found)
        return [(each, each.relative_to(path)) for each in found]


def folders_above(file: Path, given: Path) -> tuple[str, ...]:
    """Names of the folders above a file, nearest first, up to the one that was given, as it was written.

    A relative one counts with all its parts. Where the last is a part of a data set, such as train, test or
    labels, the folder that holds it counts as well.
    """
    parents = file.absolute().parents
    count = parents.index(given.absolute()) + max(1, len(given.parts) if not given.is_absolute() else 1)
    names = [parent.name for parent in parents]
    while count < len(names) and _is_part(names[count - 1]):
        count += 1
    return tuple(names[:count])


def _is_part(folder: str) -> bool:
    """Whether a folder's name is that of a part of a data set: a split, or one of several inputs."""
    return is_split(folder) or names_kind(Path(folder))


def _words(inputs: Iterable[str]) -> Iterator[str]:
    """The inputs, with the lines of standard input in the place of "-"."""
    for text in inputs:
        if text == "-":
            yield from (line.rstrip("\r\n") for line in sys.stdin if line.strip())
        else:
            yield text


def _matches(word: str) -> list[Path]:
    """The files and folders that a word of the command line names. Raises UserError if there is none."""
    with suppress(FileNotFoundError, NotADirectoryError):
        os.lstat(word)  # raises what `exists` takes for a no
    if found := [path for path in named(word) if os.path.lexists(path)]:
        return found
    raise UserError(f"{word}: there is no such file or folder")


def _instead(collection: Collection) -> str:
    """What is in a folder without images, and what to do."""
    films = [file for file in collection.others if is_video_name(file)]
    rest = replace(collection, others=tuple(file for file in collection.others if file not in set(films)))
    hint = "; its videos are translated with i2i video" if films else ""
    line = left_out([rest])
    return f"{hint}{f'; left out: {line}' if line else ''}; expected {KNOWN}"
