"""Lists of pairs: a CSV with source, target and perhaps the split in every line."""

import csv
import os
import re
from collections.abc import Iterator
from pathlib import Path

from i2icli.data.describe import counted
from i2icli.data.pairing.pair import FoundPairs
from i2icli.data.split_names import TRAIN, VALIDATION_SPLITS, split_name
from i2icli.errors import UserError
from i2icli.image.finding import is_image_name

SUFFIXES = (".csv", ".tsv", ".txt")
EXAMPLE = "lines like photos/1.jpg,masks/1.png or photos/1.jpg,masks/1.png,val"
_LARGEST_BYTES = 100_000_000
_COLUMNS = {  # by what a header may call them
    "source": ("source", "a", "input", "image", "photo", "from", "x", "src", "real_a", "path_a"),
    "target": ("target", "b", "output", "mask", "label", "truth", "to", "y", "tgt", "gt", "real_b", "path_b"),
    "split": ("split", "set", "subset", "part", "fold"),
}


def is_list(path: Path) -> bool:
    """Whether a path is that of a file that may be a list of pairs."""
    return path.suffix.lower() in SUFFIXES and path.is_file()


def read_list(path: Path) -> FoundPairs:
    """The pairs of a list; its paths are relative to the folder it lies in.

    Raises UserError naming the line: cells missing, a file that is not there or outside that folder, an
    unknown split.
    """
    splits: dict[str, list[tuple[Path, Path | None]]] = {}
    missing: list[str] = []
    known: set[tuple[str, Path, Path]] = set()
    twice = 0
    for line, (source, target, word) in _rows(path):
        split = split_name(word).split if word else TRAIN
        if not split:
            raise UserError(f"{path}, line {line}: unknown split {word!r}; expected train, val or test")
        files = [_located(path, line, cell) for cell in (source, target)]
        missing += [f"line {line}: {file} is missing" for file in files if not file.is_file()]
        row = (split, files[0], files[1])
        twice += row in known
        if row not in known:
            splits.setdefault(split, []).append((files[0], files[1]))
        known.add(row)
    if missing:
        more = f" (and {counted(len(missing) - 1, 'more file')})" if len(missing) > 1 else ""
        raise UserError(f"{path}, {missing[0]}{more}; paths are relative to {path.parent}")
    if not splits.get(TRAIN):
        raise UserError(f"{path}: no pairs to train on; expected {EXAMPLE}")
    held_out = next((split for split in VALIDATION_SPLITS if split in splits), None)
    unused = [split for split in splits if split not in (TRAIN, held_out)]
    skipped = [f"skipped {counted(len(splits[split]), 'pair')} of {split} in {path}" for split in unused]
    skipped += [f"skipped {counted(twice, 'line')} of {path} that occur twice"] if twice else []
    return FoundPairs(
        f"pairs listed in {path}",
        splits[TRAIN],
        splits[held_out] if held_out else None,
        f"lines of {path}",
        tuple(skipped),
    )


def listed(path: Path) -> list[tuple[Path, Path | None]]:
    """The sources of a list and their targets, None where a line has none; files need not be there.

    Raises UserError naming the line: a file outside the folder of the list, a text that is no list.
    """
    rows = [
        (_located(path, line, source), _located(path, line, target) if target else None)
        for line, (source, target, _) in _rows(path, targets=False)
    ]
    if not any(is_image_name(source) for source, _ in rows):
        raise UserError(f"{path}: no list of images; expected {EXAMPLE}")
    return rows


def _rows(path: Path, *, targets: bool = True) -> Iterator[tuple[int, tuple[str, str, str]]]:
    """Line numbers, and source, target and split, which may be empty; the target only without `targets`.

    Raises UserError naming the line.
    """
    text = _text(path)
    first = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = max(",;\t", key=first.count)
    places: tuple[int, ...] | None = None
    reader = csv.reader(
        text.splitlines(keepends=True), delimiter=delimiter, skipinitialspace=True, strict=True
    )
    try:
        for cells in reader:
            row = [cell.strip() for cell in cells]
            if not any(row):
                continue
            if places is None:
                places = None if _is_pair(path, row) else _header(row)
                if places is not None:
                    continue
                places = (0, 1, 2)
            found = [row[place] if 0 <= place < len(row) else "" for place in places]
            if not all(found[: 1 + targets]) or (places == (0, 1, 2) and len(row) > 3 and any(row[3:])):
                raise UserError(
                    f"{path}, line {reader.line_num}: {counted(len(row), 'cell')}; expected {EXAMPLE}"
                )
            yield reader.line_num, (found[0], found[1], found[2])
    except csv.Error as error:
        raise UserError(f"{path}, line {reader.line_num}: {error}; expected {EXAMPLE}") from error


def _is_pair(path: Path, row: list[str]) -> bool:
    """Whether the first line is a pair, not a header."""
    return any(is_image_name(Path(cell)) for cell in row) or _located(path, 1, row[0]).is_file()


def _header(row: list[str]) -> tuple[int, ...]:
    """In which columns a header has source, target and split; -1: in none."""
    names = [cell.casefold() for cell in row]
    places = [next((names.index(word) for word in words if word in names), -1) for words in _COLUMNS.values()]
    if min(places[:2]) < 0:
        source, target = (_telling(names, _COLUMNS[column]) for column in ("source", "target"))
        if len(source) == len(target) == 1 and source != target:
            places[:2] = source[0], target[0]
    if min(places[:2]) < 0:  # other words: the first two columns, in their order
        return (0, 1, places[2] if places[2] > 1 else 2)
    return tuple(places)


def _telling(names: list[str], words: tuple[str, ...]) -> list[int]:
    """The columns in whose names one of some words is a part: mask in mask_path."""
    long = {word for word in words if len(word) > 1}
    return [place for place, name in enumerate(names) if not long.isdisjoint(re.split(r"[\W_]+", name))]


def _located(path: Path, line: int, cell: str) -> Path:
    """The file that a cell names. Raises UserError if it lies outside the folder of the list."""
    if "\0" in cell:
        raise UserError(f"{path}, line {line}: {cell[:80]!r} is no path")
    folder = path.parent
    file = folder / cell
    if "\\" in cell and not file.exists():
        file = folder / cell.replace("\\", "/")
    above = Path(os.path.normpath(folder.absolute()))  # links stay: images often lie behind one
    if not Path(os.path.normpath(file.absolute())).is_relative_to(above):
        raise UserError(
            f"{path}, line {line}: {cell[:80]} lies outside {above}; put the list above all of its images"
        )
    return Path(os.path.normpath(file))


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            raise UserError(f"{path}: too large for a list of pairs; expected {EXAMPLE}")
        data = path.read_bytes()
        return data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError:
        raise UserError(f"{path}: not a text in UTF-8; expected {EXAMPLE}") from None
    except OSError as error:
        raise UserError(f"cannot read {path}: {(error.strerror or str(error)).lower()}") from error
