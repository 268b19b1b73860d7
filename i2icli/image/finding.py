"""Finding image files in real-world folders: nested, linked, mixed with other files."""

import glob
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from i2icli.errors import UserError
from i2icli.image.walking import Walk, entries, is_folder, is_own
from i2icli.image.walking import is_image_name as is_image_name
from i2icli.marks import own_names, own_results


@dataclass(frozen=True)
class Collection:
    """The images below one folder, in natural order."""

    folder: Path
    images: tuple[Path, ...]
    others: tuple[Path, ...]  # files of other kinds
    left: tuple[Path, ...] = ()  # files and folders that i2i wrote, which are no data
    subfolders: tuple[Path, ...] = ()  # that were not entered
    broken: Mapping[Path, str] = field(default_factory=dict)  # what cannot be looked into, and why

    def key(self, image: Path) -> str:
        """Identifies an image of this collection and pairs it: its path below the folder, no suffix.

        Case and Unicode form make no difference.
        """
        relative = image.relative_to(self.folder).with_suffix("").as_posix()
        return unicodedata.normalize("NFC", relative).casefold()


def collect(
    folder: Path, *, own: bool = False, recursive: bool | None = None, complete: bool = True
) -> Collection:
    """All files below a folder; links are followed, loops and hidden or junk files skipped.

    What i2i wrote counts with `own`, or where it is all there is of a folder of results. Subfolders count as
    `Walk` says. Raises UserError if there is no such folder or, where all of it has to be there (`complete`),
    if a part of it cannot be opened.
    """
    check_folder(folder)
    walk = Walk(folder, own=own, recursive=recursive)
    files = sorted(walk, key=lambda file: natural_key(file.relative_to(folder)))
    if complete and walk.closed:
        raise UserError(next(iter(walk.closed.values())))
    images = tuple(file for file in files if is_image_name(file))
    others = tuple(file for file in files if not is_image_name(file))
    left = tuple(sorted(walk.left))
    broken = dict(sorted({**walk.broken, **walk.closed}.items()))
    return Collection(folder, images, others, left, tuple(sorted(walk.subfolders)), broken)


def find_images(folder: Path, *, own: bool = False) -> list[Path]:
    """The image files below a folder in natural order (2.png before 10.png). See `collect`."""
    return list(collect(folder, own=own).images)


def check_folder(folder: Path) -> None:
    """Raise UserError unless there is such a folder."""
    if folder.is_dir():
        return
    if not folder.exists():
        near = folder.parent if folder.parent.is_dir() else None
        inside = f"; {near} contains {listing(near)}" if near else ""
        what = "file or folder" if folder.suffix else "folder"
        raise UserError(f"{folder}: there is no such {what}{inside}")
    archive = folder.suffix.lower() in (".zip", ".gz", ".tgz", ".tar", ".7z", ".rar")
    advice = "unpack it and give the folder" if archive else "give the folder with the images"
    raise UserError(f"{folder}: this is a file, not a folder; {advice}")


def subfolders(folder: Path) -> dict[str, Path]:
    """The folders directly inside a folder by lower-case name, in natural order.

    Junk is left out, and what i2i wrote. Raises UserError for names that differ only in case: some file
    systems treat them as one folder.
    """
    own = own_names(folder)
    inside = [entry for entry in entries(folder) if is_folder(entry) and entry.name not in own]
    inside = [entry for entry in inside if not is_own(folder / entry.name)]
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
    if own_results(folder) != frozenset():
        return any(is_image_name(file) and file.parent == folder for file in Walk(folder))
    own = own_names(folder)
    names = (entry.name for entry in entries(folder) if not is_folder(entry) and entry.name not in own)
    return any(is_image_name(Path(name)) for name in names)


def holds_images_below(folder: Path) -> bool:
    """Whether there is an image file anywhere below a folder; stops at the first."""
    return any(is_image_name(file) for file in Walk(folder))


def listing(folder: Path, limit: int = 4) -> str:
    """What is directly inside a folder, as text: "train/, val/, notes.txt and 3 more"."""
    names = [entry.name + "/" * is_folder(entry) for entry in entries(folder)]
    names.sort(key=lambda name: (not name.endswith("/"), natural_key(Path(name))))
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + more if names else "nothing"


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
