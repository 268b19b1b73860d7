"""Edits as a user writes them, on the command line or in a file: texts become operations."""

import re
import tomllib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from i2icli.classes import LabelSet
from i2icli.errors import UserError, about
from i2icli.labels.editing import Fill, Move, Operation, Paste, Remove, Replace
from i2icli.labels.regions import Box, ClassOf, InstanceOf, LabelMap, Selection
from i2icli.labels.text_files import read_text

ReadMap = Callable[[Path], LabelMap]
"""Reads the map that `--paste` copies from."""

_WHOLE = r"\s*(-?\d{1,9})\s*"


@dataclass(frozen=True)
class Written:
    """An edit as it was written: "replace" and "tree=building"."""

    kind: str
    words: str
    folder: Path = Path()  # what names of files are relative to

    def __str__(self) -> str:
        return f"--{self.kind} {self.words}"


@dataclass(frozen=True)
class Edit:
    """An edit that can be applied, and how it was written."""

    written: Written
    operation: Operation


def parse(edits: Iterable[Written], labels: LabelSet, read: ReadMap) -> tuple[Edit, ...]:
    """Edits in order. Raises UserError naming the edit: what it looks like, or which classes there are."""
    found = []
    for written in edits:
        with about(str(written)):
            parser = _PARSERS[written.kind]
            found.append(
                Edit(written, parser(written.words, labels, partial(_read_in, written.folder, read)))
            )
    return tuple(found)


def apply(edits: Sequence[Edit], to: LabelMap) -> LabelMap:
    """The map after all edits, in order. Raises UserError naming the edit that cannot be made."""
    for edit in edits:
        with about(str(edit.written)):
            to = edit.operation.apply(to)
    return to


def script(path: Path) -> tuple[Written, ...]:
    """The edits of a TOML file, in order: tables `[[edit]]` of one edit each, `replace = "tree=building"`.

    Files that they name are relative to it. Raises UserError for anything else in it.
    """
    try:
        content = tomllib.loads(read_text(path))
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"{path} is not valid TOML: {error}") from error
    tables = content.pop("edit", [])
    expected = 'expected tables [[edit]] of one line each, such as replace = "tree=building"'
    if content or not isinstance(tables, list):
        raise UserError(f"{path}: {', '.join(content) or 'edit'} is no list of edits; {expected}")
    found = []
    for number, table in enumerate(tables, 1):
        entries = list(table.items()) if isinstance(table, dict) else []
        if len(entries) != 1 or entries[0][0] not in KINDS or not isinstance(entries[0][1], str):
            raise UserError(f"{path}, edit {number}: {expected}; there are {', '.join(KINDS)}")
        found.append(Written(*entries[0], path.parent))
    return tuple(found)


def selection(text: str, labels: LabelSet) -> Selection:
    """ "car" or "instance:26003". Raises UserError listing the classes."""
    word, colon, number = text.strip().partition(":")
    if colon and word.casefold() == "instance":
        if not re.fullmatch(_WHOLE, number):
            raise UserError(f"{text}: expected the number of an object, as in instance:26003")
        return InstanceOf(int(number))
    return ClassOf(labels.find(text.strip()))


def _replace(words: str, labels: LabelSet, read: ReadMap) -> Operation:  # noqa: ARG001 - as the others
    old, equals, new = words.rpartition("=")
    if not equals:
        raise UserError("expected what and by which class, as in tree=building")
    return Replace(selection(old, labels), labels.find(new.strip()))


def _remove(words: str, labels: LabelSet, read: ReadMap) -> Operation:  # noqa: ARG001 - as the others
    return Remove(selection(words, labels))


def _paste(words: str, labels: LabelSet, read: ReadMap) -> Operation:
    at = rf"\s+at{_WHOLE},{_WHOLE}"
    match = re.fullmatch(rf"(.+?)\s+from\s+(.+){at}", words) or re.fullmatch(rf"(.+)\s+(\S+){at}", words)
    if match is None:
        raise UserError('expected what, from which map and where: "car from other.png at 120,80"')
    what = selection(match[1], labels)
    return Paste(what, read(Path(match[2])), (int(match[3]), int(match[4])))


def _fill(words: str, labels: LabelSet, read: ReadMap) -> Operation:  # noqa: ARG001 - as the others
    match = re.fullmatch(rf"(.+?)\s+in{','.join([_WHOLE] * 4)}", words)
    if match is None:
        raise UserError('expected a class and left,top,right,bottom in pixels: "building in 10,20,80,90"')
    left, top, right, bottom = (int(number) for number in match.groups()[1:])
    return Fill(labels.find(match[1].strip()), Box(left, top, right, bottom))


def _move(words: str, labels: LabelSet, read: ReadMap) -> Operation:  # noqa: ARG001 - as the others
    match = re.fullmatch(rf"(.+?)\s+by{_WHOLE},{_WHOLE}", words)
    if match is None:
        raise UserError('expected what and by how many pixels right,down: "instance:26003 by 20,0"')
    return Move(selection(match[1], labels), (int(match[2]), int(match[3])))


def _read_in(folder: Path, read: ReadMap, path: Path) -> LabelMap:
    return read(folder / path)


_PARSERS = {"replace": _replace, "remove": _remove, "paste": _paste, "fill": _fill, "move": _move}
KINDS = tuple(_PARSERS)
"""What an edit can be."""
