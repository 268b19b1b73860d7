"""The other inputs of a task, such as instance maps, found beside the first by their names."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cache
from itertools import product
from pathlib import Path

from i2icli.errors import UserError
from i2icli.image import SUFFIXES
from i2icli.image.finding import is_image_name
from i2icli.image.items import FileItem
from i2icli.image.kinds import holds_ids
from i2icli.inference.options import TranslateOptions
from i2icli.task import Kind, Port

WORDS: Mapping[Kind, tuple[str, ...]] = {
    "labels": ("labels", "label", "labelIds", "labelTrainIds", "masks", "mask"),
    "instances": ("instances", "instance", "inst", "instanceIds"),
}
"""What folders and files of a kind are called, apart from the name of the input: a part of their names
that no letter touches, as in train_label/ or x_gtFine_labelIds.png."""
_LOSSY = frozenset({"jpeg", "webp", "avif", "heic"})  # formats that hold no ids
_DEEPEST = 4  # parts at the end of a path that are looked for in a folder that was given


class OtherInputs:
    """Finds what belongs to the first input of a task.

    In a sibling folder (labels/x.png, instances/x.png; train_label/, train_inst/), beside it
    (x_gtFine_labelIds.png, x_gtFine_instanceIds.png), in both, or in a folder that was given.
    """

    def __init__(
        self,
        inputs: Mapping[str, Port],
        options: TranslateOptions | None,
        folders: Mapping[str, Path] | None = None,
    ) -> None:
        """inputs: those of a task, the first of them first; folders: where others are, instead of those that
        options name. Raises UserError for a folder there is not.
        """
        (self.first, port), *others = inputs.items()
        self.kind = port.kind
        self.others = dict(others)
        given = (
            folders if folders is not None else {name: getattr(options, name, None) for name in self.others}
        )
        self.folders: dict[str, Path] = {name: path for name, path in given.items() if path is not None}
        for name, folder in self.folders.items():
            if not folder.exists():
                raise UserError(f"--{name} {folder}: there is no such folder")
        self.listed: dict[Path, dict[str, Path]] = {}  # of each folder that was looked into
        self.missing = dict.fromkeys((name for name, port in self.others.items() if port.instead), 0)
        self.asked = 0

    def find(self, file: Path, known: Collection[str] = ()) -> dict[str, FileItem]:
        """Those of a file by their names, but for those that are known; optional ones may be absent.

        Raises UserError if one is not there that is required, or that was said to be in a folder.
        """
        found: dict[str, FileItem] = {}
        self.asked += 1
        for name, port in self.others.items():
            if name in known:
                continue
            path = self._found(file, name, port)
            if path is not None:
                found[name] = FileItem(path)
            elif name in self.folders:
                raise UserError(f"{file}: its {name} are not in --{name} {self.folders[name]}")
            elif port.instead:
                self.missing[name] += 1
            else:
                raise UserError(
                    f"{file}: this model also needs {name}; none found: expected folders {self.first}/ and "
                    f"{name}/, or files x_{self.first}.png and x_{name}.png, side by side"
                )
        return found

    def locate(self, file: Path, name: str) -> Path | None:
        """Another input of a file by its name, None if there is none."""
        return self._found(file, name, self.others[name])

    def notes(self) -> tuple[str, ...]:
        """What the optional inputs that were not found mean for the results, one line for each input."""
        lines = []
        for name, count in self.missing.items():
            if count == 0:
                continue
            where = f"no {name} found" if count == self.asked else f"{count} of {self.asked} have no {name}"
            instead = (
                "boundaries come from the labels" if self.others[name].kind == "instances" else "left out"
            )
            lines.append(f"{where}: {instead}")
        return tuple(lines)

    def _found(self, file: Path, name: str, port: Port) -> Path | None:
        given = self.folders.get(name)
        if given is not None and not given.is_dir():
            return given
        words = _words(self.first, self.kind), _words(name, port.kind)
        paths = _beside(file, *words) if given is None else _inside(file, given, *words)
        return next(
            (path for each in paths if (path := self._existing(each, port.kind)) not in (None, file)), None
        )

    def _existing(self, path: Path, kind: Kind) -> Path | None:
        """The image of that name, whatever its suffix; of several the one that may hold the kind."""
        folder = path.parent
        if folder not in self.listed:
            files = list(folder.iterdir()) if folder.is_dir() else []
            images = sorted(filter(is_image_name, files), key=lambda each: (not is_lossy(each), each.name))
            self.listed[folder] = {each.stem: each for each in images}
        found = self.listed[folder].get(path.stem)
        return None if found is not None and holds_ids(kind) and is_lossy(found) else found


def inputs_in(folder: Path, files: Sequence[Path], kind: Kind) -> list[Path]:
    """Of the images below a folder those that are inputs of a kind.

    Maps of ids may lie beside photos and other maps: where files, or folders of theirs, are named like
    the kind, only these count, and where a map and a photo have the same name, the map does.
    """
    if not holds_ids(kind):
        return list(files)
    named = [file for file in files if _bears(file.relative_to(folder), WORDS[kind])]
    maps = {file.with_suffix("") for file in files if not is_lossy(file)}
    return named or [file for file in files if not (is_lossy(file) and file.with_suffix("") in maps)]


def names_kind(path: Path) -> bool:
    """Whether a folder or file on a path is named like maps of some kind."""
    return any(_bears(path, words) for words in WORDS.values())


def is_lossy(path: Path) -> bool:
    """Whether a file is of a format that cannot hold ids."""
    return SUFFIXES.get(path.suffix.lower()) in _LOSSY


def _words(name: str, kind: Kind) -> tuple[str, ...]:
    return tuple(dict.fromkeys((name, *WORDS.get(kind, ()))))


def _bears(path: Path, words: Sequence[str]) -> bool:
    return any(_pattern(word).search(part) for part in (*path.parts[:-1], path.stem) for word in words)


def _beside(file: Path, own: Sequence[str], wanted: Sequence[str]) -> Iterator[Path]:
    """Where another input may be: in the same folder or one whose name has another word, nearest first."""
    for path in (file, file.absolute()):
        names = list(_renamed(path.name, own, wanted))
        yield from (path.with_name(name) for name in names)
        for index in range(len(path.parts) - 2, -1, -1):
            for folder in _renamed(path.parts[index], own, wanted):
                parent = Path(*path.parts[:index], folder, *path.parts[index + 1 : -1])
                yield from (parent / name for name in (*names, path.name))


def _inside(file: Path, folder: Path, own: Sequence[str], wanted: Sequence[str]) -> Iterator[Path]:
    """Where another input may be in a folder that was given: under the same name or one with another word."""
    for depth in range(min(_DEEPEST, len(file.parts)), 0, -1):
        parent = folder.joinpath(*file.parts[-depth:-1])
        yield from (parent / name for name in (*_renamed(file.name, own, wanted), file.name))


def _renamed(name: str, own: Sequence[str], wanted: Sequence[str]) -> Iterator[str]:
    """A name with a word of one input replaced by one of another, in every way; capitals as they were."""
    for word, other in product(own, wanted):
        match = _pattern(word).search(name)
        if match:
            spelled = other[0].upper() + other[1:] if match[0][0].isupper() else other
            yield name[: match.start()] + spelled + name[match.end() :]


@cache
def _pattern(word: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![^\W\d_]){re.escape(word)}(?![^\W\d_])", re.IGNORECASE)
