"""Names of exported files, and how they take their places: all of a model or nothing."""

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from i2icli.errors import UserError
from i2icli.export.options import SUFFIXES, UNPROVEN, Format
from i2icli.files import clear_temporary, temporary_name
from i2icli.graphs.metadata import BEGIN, ENCODE, FIRST, MAIN
from i2icli.task import Task

_KEPT = "-_+=()"  # in names of targets, beside letters and digits
LONGEST = 80  # characters of a file's name that is made of a target's


def safe_name(text: str) -> str:
    """A target's name as that of a file."""
    kept = "".join(
        letter if letter.isalnum() or letter in _KEPT else "_" for letter in text.replace(",", "+")
    )
    return kept[:LONGEST] or "model"


def graph_names(groups: Sequence[Sequence[Task]]) -> list[str]:
    """What the graphs of a model are called in their folder: by target, and source where that matters."""
    names: list[str] = []
    for tasks in groups:
        task = tasks[0]
        name = safe_name(task.name or ("generate" if task.generates else "translate"))
        if task.sources and task.source is not None:
            name = f"{safe_name(task.source)}-to-{name}"
        if name in names:
            name = f"{name}-generate" if task.generates else f"{name}-{len(names) + 1}"
        names.append(name)
    return names


def part_path(main: Path, part: str) -> Path:
    """Where a part of a model belongs: beside its main file."""
    return main if part == MAIN else main.with_name(f"{main.stem}.{part}{main.suffix}")


def own_files(graph: Path) -> list[Path]:
    """The files of one graph that are there, itself first."""
    weights = [graph.with_suffix(".bin")] if graph.suffix == ".xml" else []
    return [each for each in (graph, *weights) if each.is_file()]


def belonging(main: Path) -> list[Path]:
    """All files there are of an exported graph by its main file: parts and weights, too."""
    if not main.parent.is_dir():
        return []
    suffixes = {main.suffix, *([".bin"] if main.suffix == ".xml" else [])}
    found = (each for each in sorted(main.parent.iterdir()) if each.suffix in suffixes)
    return [each for each in found if each.stem == main.stem or _is_part(each.stem, main.stem)]


def _is_part(stem: str, main: str) -> bool:
    base, _, part = stem.rpartition(".")
    return base == main and (part in (FIRST, BEGIN) or part.startswith(f"{ENCODE}-"))


def check_free(mains: Sequence[Path], *, overwrite: bool) -> None:
    """Raise UserError for a file that exists, unless it may be overwritten, and where no folder can be."""
    for main in mains:
        found = next((each for each in main.parents if os.path.lexists(each)), Path())
        if not found.is_dir():
            raise UserError(f"--out {main}: {found} is a file, not a folder; choose another --out")
    there = [each for main in mains for each in belonging(main)]
    if there and not overwrite:
        more = f" and {len(there) - 1} more" if len(there) > 1 else ""
        raise UserError(f"{there[0]}{more}: there already; choose another --out, or --overwrite")


def check_suffix(out: Path, to: Format) -> None:
    """Raise UserError for a file whose name says another format."""
    if out.suffix.lower() != SUFFIXES[to]:
        raise UserError(
            f"--out {out}: --to {to} writes {SUFFIXES[to]} files; choose such a name, or a folder"
        )


@contextmanager
def beside(path: Path) -> Iterator[Path]:
    """A hidden folder beside a file, where it and its parts are made; in the end it is gone.

    Errors of the system name the file itself. A folder that was made for it goes, too, if it stays empty.
    """
    missing = [each for each in (path.parent, *path.parent.parents) if not each.exists()]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        clear_temporary((path.parent,))
        folder = path.with_name(temporary_name())
        folder.mkdir()
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    except OSError as error:
        if error.errno:  # libraries raise some without, in words alone
            error.filename = str(path)
        raise
    finally:
        for each in missing:  # the innermost first
            with suppress(OSError):
                each.rmdir()


def move_all(files: Sequence[Path], folder: Path) -> None:
    """Move files into a folder of the same disk, the last one last."""
    folder.mkdir(parents=True, exist_ok=True)
    for each in files:
        each.replace(folder / each.name)


def set_aside(files: Sequence[Path], folder: Path) -> Path:
    """Keep files that failed their proof under other names; -> the first one's."""
    folder.mkdir(parents=True, exist_ok=True)
    for each in files:
        shutil.move(each, folder / f"{each.name}{UNPROVEN}")
    return folder / f"{files[0].name}{UNPROVEN}"
