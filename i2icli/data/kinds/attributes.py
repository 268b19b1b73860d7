"""Attribute files: which attributes every image of a folder has. CSV, or the format of CelebA."""

import csv
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from i2icli.data.describe import counted
from i2icli.errors import UserError
from i2icli.image.finding import is_image_name

EXAMPLE = "a CSV with the image names in the first column and attributes of 0 and 1 in the others"
LARGEST_BYTES = 500_000_000  # CelebA's is 27 MB

_VALUES = {"1": True, "0": False, "-1": False, "true": True, "false": False}
_SHOWN = 60  # columns listed in an error
_PEEK = 100  # rows that show whether the header names the column of the images
_MANY_COLUMNS = 16  # more are not learned unless chosen


@dataclass(frozen=True)
class AttributeTable:
    """Some columns of an attribute file."""

    path: Path
    columns: tuple[str, ...]
    rows: dict[str, tuple[bool, ...]]  # image as the file names it -> a truth value per column


def find_attribute_file(folder: Path, named: str | None = None) -> Path | None:
    """The attribute file of a data folder, None if there is none.

    `named`: its name in the folder, or a path. Without, a file with "attr" in its name is preferred
    to any other CSV. Raises UserError if the named one is missing, or if several qualify.
    """
    if named is not None:
        for path in (folder / named, Path(named)):
            if path.is_file():
                return path
        raise UserError(f"--attribute-file {named}: there is no such file, neither in {folder} nor as a path")
    tables = sorted(path for path in folder.iterdir() if _is_table(path))
    named_so = [path for path in tables if "attr" in path.name.casefold()]
    found = named_so or [path for path in tables if path.suffix.lower() == ".csv"]
    if len(found) > 1:
        names = ", ".join(path.name for path in found)
        raise UserError(f"{folder}: found several attribute files ({names}); name one with --attribute-file")
    return found[0] if found else None


def read_columns(path: Path) -> tuple[str, ...]:
    """The names of a file's attributes. Raises UserError for a file of another format."""
    header, _ = _parsed(path)
    return header


def choose_columns(
    path: Path, columns: tuple[str, ...], wanted: Sequence[str], preferred: Sequence[str]
) -> tuple[str, ...]:
    """The columns of a file to learn: the wanted ones, else the preferred ones if all are there, else all.

    Raises UserError for a wanted column that is missing, or if none is wanted of very many.
    """
    missing = [name for name in wanted if name not in columns]
    if missing:
        raise UserError(f"{path}: no column {', '.join(missing)}; its columns: {_listed(columns)}")
    if wanted:
        return tuple(wanted)
    if preferred and set(preferred) <= set(columns):
        return tuple(preferred)
    if len(columns) > _MANY_COLUMNS:
        raise UserError(
            f"{path}: {len(columns)} columns are too many to learn together; choose some with --attributes, "
            f"such as --attributes {','.join(columns[:3])}; its columns: {_listed(columns)}"
        )
    return columns


def read_attributes(path: Path, columns: Sequence[str]) -> AttributeTable:
    """The rows of an attribute file, for some of its columns.

    Raises UserError naming the line: values other than 0, 1, -1, true, false, a number of cells that
    does not fit the header, a missing image name, an image named twice (case aside).
    """
    header, body = _parsed(path)
    indices = [header.index(name) for name in columns]
    rows: dict[str, tuple[bool, ...]] = {}
    known: dict[str, str] = {}
    for line, (name, *cells) in body:
        if len(cells) != len(header):
            raise UserError(
                f"{path}, line {line}: {counted(len(cells) + 1, 'cell')}, but the header has "
                f"{len(header) + 1} (the image and {counted(len(header), 'attribute')})"
            )
        if not name:
            raise UserError(f"{path}, line {line}: the first cell names no image; expected {EXAMPLE}")
        if name in rows:
            raise UserError(f"{path}, line {line}: {name} occurs a second time; keep one row per image")
        other = known.setdefault(_key(name), name)
        if other != name:
            raise UserError(
                f"{path}, line {line}: {name} and {other} mean the same image; "
                "keep one row per image, or rename one image in more than case"
            )
        rows[name] = tuple(_truth(path, line, header[index], cells[index]) for index in indices)
    if not rows:
        raise UserError(f"{path}: no rows below the header; expected {EXAMPLE}")
    return AttributeTable(path, tuple(columns), rows)


class RowFinder:
    """Finds the row of an image: by its path or its name, with suffix or without."""

    def __init__(self, table: AttributeTable) -> None:
        self.table = table
        self._whole = {_key(name): name for name in table.rows}
        self._bare: dict[str, str] = {}
        for name in table.rows:
            self._bare.setdefault(_key(name, bare=True), name)
        self._claimed: dict[str, Path] = {}

    def row(self, image: Path, folders: Sequence[Path]) -> str | None:
        """The name of the image's row; its path is tried below each folder. None if there is no row.

        Raises UserError if the row belongs to another image already.
        """
        names = [image.relative_to(folder) for folder in folders if folder in image.parents]
        for name in [*names, Path(image.name)]:
            found = self._whole.get(_key(name.as_posix())) or self._bare.get(_key(name.as_posix(), bare=True))
            if found is not None:
                return self._claim(found, image)
        return None

    def unclaimed(self) -> list[str]:
        """Rows that belong to no image."""
        return [name for name in self.table.rows if name not in self._claimed]

    def _claim(self, row: str, image: Path) -> str:
        other = self._claimed.setdefault(row, image)
        if other != image:
            raise UserError(
                f"{self.table.path}: {row} may mean {other} or {image}; name images with their folders"
            )
        return row


def _is_table(path: Path) -> bool:
    """A CSV, or a text with "attr" in its name; not hidden."""
    suffix = path.suffix.lower()
    if path.name.startswith(".") or not path.is_file():
        return False
    return suffix in (".csv", ".tsv") or (suffix == ".txt" and "attr" in path.name.casefold())


def _parsed(path: Path) -> tuple[tuple[str, ...], Iterator[tuple[int, list[str]]]]:
    """The attributes' names, and the rows below with their line numbers, empty lines left out."""
    lines = _text(path).splitlines()
    first = 1 if lines and lines[0].strip().isdecimal() else 0  # CelebA's starts with the number of images
    if len(lines) <= first or not lines[first].strip():
        raise UserError(f"{path}: no header found; expected {EXAMPLE}")
    (_, header), *peek = islice(_cells(path, lines, first), 1 + _PEEK)
    lengths = Counter(len(cells) for _, cells in peek)
    corner = lengths[len(header) + 1] <= lengths[len(header)]  # whether the column of the images has a name
    header = header[corner:]  # CelebA's has none
    if not header or all(cell.lower() in _VALUES for cell in header):
        raise UserError(f"{path}: its first line has no attribute names; expected {EXAMPLE}")
    if "" in header:
        raise UserError(
            f"{path}: column {header.index('') + 1 + corner} of its first line has no name; add it"
        )
    twice = next((name for name, count in Counter(header).items() if count > 1), None)
    if twice is not None:
        raise UserError(f"{path}: two columns are called {twice!r}; rename one")
    below = islice(_cells(path, lines, first), 1, None)
    return tuple(header), ((line, cells) for line, cells in below if any(cells))


def _cells(path: Path, lines: list[str], first: int) -> Iterator[tuple[int, list[str]]]:
    """Line numbers and cells; separated as in the first line by commas, semicolons, tabs, else blanks.

    Raises UserError naming the line for a cell that continues in the next line, or is too large.
    """
    delimiter = max(",;\t", key=lines[first].count)
    if not lines[first].count(delimiter):
        yield from ((number, line.split()) for number, line in enumerate(lines[first:], first + 1))
        return
    rows = csv.reader(lines[first:], delimiter=delimiter, skipinitialspace=True)
    line = first + 1
    try:
        for row in rows:
            if first + rows.line_num > line:
                raise csv.Error("a cell continues in the next line")
            yield line, [cell.strip() for cell in row]
            line += 1
    except csv.Error as error:
        raise UserError(
            f"{path}, line {line}: {error}; a quotation mark may be missing; expected {EXAMPLE}"
        ) from error


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise UserError(f"{path} is too large for an attribute file; expected {EXAMPLE}")
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path} cannot be read as text: {error}; expected {EXAMPLE}") from error


def _truth(path: Path, line: int, column: str, cell: str) -> bool:
    value = _VALUES.get(cell.strip().lower())
    if value is None:
        raise UserError(
            f"{path}, line {line}: {column} is {cell!r}; expected 0 or 1, -1 or 1, false or true "
            "(choose columns with --attributes to leave out others)"
        )
    return value


def _listed(columns: Sequence[str]) -> str:
    more = f" and {len(columns) - _SHOWN} more" if len(columns) > _SHOWN else ""
    return ", ".join(columns[:_SHOWN]) + more


def _key(name: str, *, bare: bool = False) -> str:
    """A name to find an image by: case and Unicode form ignored; `bare`: without the suffix."""
    path = Path(name.replace("\\", "/"))
    if bare and is_image_name(path):
        path = path.with_suffix("")
    return unicodedata.normalize("NFC", path.as_posix()).casefold()
