"""Lists of classes in files of any form that people have, and those of well-known data sets. No torch."""

import csv
import re
import tomllib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import resources
from pathlib import Path
from typing import Any

from i2icli.classes import Colour, LabelClass, checked
from i2icli.errors import UserError, about

LARGEST_BYTES = 1_000_000  # a list of classes is a page of text; anything larger is some other file
NAMES = ("classes.toml", "classes.csv", "classes.txt", "labelmap.txt", "_classes.csv", "label_colors.txt")
"""What files of classes beside data are called."""
FORMS = (
    "[[class]] tables with id, name and colour (TOML), columns id,name,colour or id,name,r,g,b (CSV), "
    "name:r,g,b:: (CVAT), or one name a line, with its id before it or not"
)

_COLUMNS = {
    "name": ("name", "class name", "label name", "class", "label"),
    "id": ("id", "pixel value", "value", "index", "class id", "label id"),
    "colour": ("colour", "color", "rgb", "hex"),
    "red": ("r", "red"),
    "green": ("g", "green"),
    "blue": ("b", "blue"),
}
_CVAT = re.compile(r"([^:]+):(\d+),(\d+),(\d+):[^:]*:[^:]*")
_COLOURS_FIRST = re.compile(r"(\d+)\s+(\d+)\s+(\d+)\s+(\S.*)")
_NUMBERED = re.compile(r"(-?\d+)\s*[\s:;,]\s*(\S.*)")


@dataclass(frozen=True)
class ClassList:
    """What a file says of classes."""

    classes: tuple[LabelClass, ...]
    ignore: tuple[str, ...] = ()  # ids or names that mean unlabelled


def known_lists() -> tuple[str, ...]:
    """The names of the data sets whose classes are known."""
    files = resources.files("i2icli.class_lists").iterdir()
    return tuple(sorted(file.name.removesuffix(".toml") for file in files if file.name.endswith(".toml")))


def read_classes(source: str | Path) -> ClassList:
    """The classes of a file, or of a known list by its name. Raises UserError naming file and line."""
    path, known = Path(source), known_lists()
    if str(source) in known:
        text = (resources.files("i2icli.class_lists") / f"{source}.toml").read_text(encoding="utf-8")
        return _from_toml(text)
    if not path.is_file():
        raise UserError(
            f"--classes {source}: there is no such file; expected a file of classes, "
            f"or one of {', '.join(known)}"
        )
    with about(f"--classes {path}"):
        return classes_in(path)


def classes_in(path: Path) -> ClassList:
    """The classes of a file. Raises UserError naming the line, but not the file."""
    text = _text(path)
    found = _from_toml(text) if path.suffix.lower() == ".toml" else ClassList(_from_lines(text, path))
    if not found.classes:
        raise UserError(f"holds no classes; expected {FORMS}")
    return ClassList(_checked(found.classes), found.ignore)


def class_file_near(folders: Iterable[Path], top: Path) -> Path | None:
    """A file of classes in one of some folders or above it, no higher than `top`; the nearest."""
    for folder in folders:
        for place in (folder, *folder.parents):
            found = next((place / name for name in NAMES if (place / name).is_file()), None)
            if found is not None:
                return found
            if place == top:
                break
    return None


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise UserError("too large for a list of classes")
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise UserError(f"not a text; expected {FORMS}") from None
    except OSError as error:
        raise UserError(f"cannot be read: {(error.strerror or str(error)).lower()}") from error


def _checked(classes: Iterable[LabelClass]) -> tuple[LabelClass, ...]:
    try:
        return checked(classes)
    except ValueError as error:
        raise UserError(f"{error}; each needs its own") from None


# -- TOML ------------------------------------------------------------------------------------


def _from_toml(text: str) -> ClassList:
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"not valid TOML: {error}") from error
    tables, ignore = values.get("class", []), values.get("ignore", [])
    if not isinstance(tables, list) or not all(isinstance(each, dict) for each in tables):
        raise UserError("no tables [[class]] with id, name and colour")
    if not isinstance(ignore, list):
        raise UserError("ignore is no list; expected ids or names, such as ignore = [0]")
    classes = []
    for number, table in enumerate(tables):
        with about(f"class number {number + 1}"):
            unknown = set(table) - {"id", "name", "colour", "color"}
            if unknown:
                raise UserError(f"there is no {sorted(unknown)[0]!r}; expected id, name and colour")
            colour = table.get("colour", table.get("color"))
            classes.append(_class(table.get("id", number), table.get("name"), colour))
    return ClassList(tuple(classes), tuple(map(str, ignore)))


# -- lines -----------------------------------------------------------------------------------


def _from_lines(text: str, path: Path) -> tuple[LabelClass, ...]:
    """CSV with a header, or a form in which a line says everything, which the first line decides."""
    rows = [(number, line.strip()) for number, line in enumerate(text.splitlines(), 1)]
    rows = [(number, line) for number, line in rows if line and not line.startswith("#")]
    if not rows:
        return ()
    header = _header(rows[0][1])
    if "name" in header:
        return _each_line(rows[1:], partial(_from_row, header))
    if path.suffix.lower() == ".csv":
        raise UserError(f"line {rows[0][0]} names no column of names; expected {FORMS}")
    for form in (_CVAT, _COLOURS_FIRST, _NUMBERED):
        if form.fullmatch(rows[0][1]):
            return _each_line(rows, partial(_from_form, form))
    return _each_line(rows, lambda index, line: _class(index, line, None))


def _each_line(
    rows: Sequence[tuple[int, str]], read: Callable[[int, str], LabelClass]
) -> tuple[LabelClass, ...]:
    found = []
    for index, (number, line) in enumerate(rows):
        with about(f"line {number}"):
            found.append(read(index, line))
    return tuple(found)


def _from_form(form: "re.Pattern[str]", index: int, line: str) -> LabelClass:
    match = form.fullmatch(line)
    if match is None:
        raise UserError(f"{line[:60]!r} is not like the lines before it")
    if form is _CVAT:
        return _class(index, match[1], match.group(2, 3, 4))
    if form is _COLOURS_FIRST:
        return _class(index, match[4], match.group(1, 2, 3))
    try:
        return LabelClass.parse(f"{match[1]} {match[2]}")  # a colour may follow: 7 road #804080
    except ValueError as error:
        raise UserError(str(error)) from None


def _header(line: str) -> dict[str, int]:
    """Where the columns of a CSV are; no names if the line is no header."""
    cells = [cell.strip().casefold().replace("_", " ") for cell in next(csv.reader([line]))]
    found = {
        meaning: next((cells.index(name) for name in names if name in cells), -1)
        for meaning, names in _COLUMNS.items()
    }
    return {meaning: column for meaning, column in found.items() if column >= 0}


def _from_row(header: dict[str, int], index: int, line: str) -> LabelClass:
    cells = [cell.strip() for cell in next(csv.reader([line], skipinitialspace=True))]
    if len(cells) <= max(header.values()):
        raise UserError(f"{len(cells)} values, fewer than the header names")
    value = {meaning: cells[column] for meaning, column in header.items()}
    colour: Any = value.get("colour") or None
    if {"red", "green", "blue"} <= value.keys():
        colour = (value["red"], value["green"], value["blue"])
    return _class(value.get("id", index), value["name"], colour)


# -- values ----------------------------------------------------------------------------------


def _class(number: object, name: object, colour: object) -> LabelClass:
    """A class of values as files have them. Raises UserError."""
    text = str(number).strip()
    if isinstance(number, bool) or not re.fullmatch(r"-?\d{1,10}", text) or abs(int(text)) >= 2**31:
        raise UserError(f"the id {text!r} is no whole number of 32 bit")
    if not isinstance(name, str) or not name.strip() or not name.strip().isprintable():
        raise UserError(f"{'no name' if name is None else f'the name {name!r}'}; expected a text on one line")
    return LabelClass(int(text), name.strip(), None if colour is None else _colour(colour))


def _colour(value: object) -> Colour:
    """ "#804080", "128,64,128", "128 64 128" or three numbers. Raises UserError."""
    if isinstance(value, str) and re.fullmatch(r"#?[0-9a-fA-F]{6}", value.strip()):
        parts: Sequence[object] = tuple(bytes.fromhex(value.strip().removeprefix("#")))
    elif isinstance(value, str):
        parts = re.findall(r"\d+", value)
    else:
        parts = value if isinstance(value, list | tuple) else ()
    numbers = [int(part) for part in map(str, parts) if part.isdigit()]
    if len(numbers) != 3 or len(parts) != 3 or max(numbers) > 255:
        raise UserError(f"the colour {value!r}; expected one like #804080 or 128,64,128")
    red, green, blue = numbers
    return red, green, blue
