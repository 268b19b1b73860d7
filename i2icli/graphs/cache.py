"""The cache of proven graphs, by which ordinary models are translated with a faster runtime, without torch.

An entry is a folder: the files of an export, and entry.json, which is written last. What could not be
exported or proven is remembered, too, so that it is tried once.
"""

import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, ValidationError

from i2icli import __version__
from i2icli.errors import UserError
from i2icli.files import atomic_write, file_lock, is_running, process_mark
from i2icli.graphs.sessions import Runtime, has_bfloat16
from i2icli.graphs.weight_hashes import model_hash
from i2icli.home import cache_home

MOST_BYTES = 4 * 2**30  # of all entries
FOLDER = "graphs"  # of the cache
ENTRY = "entry.json"
USED = ".used"  # ends the names of files that tell which processes use an entry
LOCK = "export.lock"  # one at a time: an export takes all processors
CHANGED = "its file changed while it was exported"
_LAYOUT = 1  # of the cache; another one is another cache


@dataclass(frozen=True)
class Wanted:
    """What a graph is wanted for. Different ones never share an entry."""

    model: Path
    runtime: Runtime
    precision: str  # what it is to compute in
    graph_key: tuple[str, str | None]  # of the task
    home: Path | None = None  # of the cache; None: `graphs_home`

    @property
    def folder(self) -> Path:
        """Where its entry is, or would be."""
        known = [_LAYOUT, model_hash(self.model, self._home), __version__, self.runtime, has_bfloat16()]
        key = json.dumps([*known, _version(self.runtime), self.precision, self.graph_key])
        return self._home / hashlib.sha256(key.encode()).hexdigest()[:32]

    @property
    def _home(self) -> Path:
        return self.home or graphs_home()


class Entry(BaseModel):
    """What is known about a wanted graph."""

    model_config = ConfigDict(frozen=True)

    model: str  # base name of the model it was made from, for people who look
    main: str | None = None  # base name of the main graph; None: there is none
    sizes: dict[str, int] = {}  # bytes of every file
    why: str = ""  # how accurate it is, or why there is none


@dataclass(frozen=True)
class Found:
    """A graph that was proven, or the reason why there is none."""

    path: Path | None
    why: str = ""  # how accurate it is, or why there is none


def graphs_home() -> Path:
    """The usual folder of the cache."""
    return cache_home() / FOLDER


def find(wanted: Wanted) -> Found | None:
    """What is known about a wanted graph; None if it has not been tried. A damaged entry is dropped."""
    folder = wanted.folder
    entry = _read(folder)
    if entry is None:
        if folder.exists():
            drop(wanted)
        return None
    with suppress(OSError):
        os.utime(folder / ENTRY)  # it was used
        _mark(folder)
    return Found(folder / entry.main if entry.main else None, entry.why)


def store(wanted: Wanted, export: Callable[[Path], tuple[Path, str]]) -> Found:
    """Make what is wanted and keep it, or the reason why that is impossible.

    export: writes a proven graph, with its parts, into an empty folder and returns its main file and how
    accurate it is; its UserError is the reason. Another process that wants the same waits, and gets this
    one's. Of a model that changes meanwhile nothing is kept. Raises OSError where the cache cannot be
    written.
    """

    folder = wanted.folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with file_lock(folder.parent / LOCK):
        known = find(wanted)
        if known is not None:
            return known
        beside = folder.with_name(f".{uuid4().hex[:12]}.writing")
        beside.mkdir()
        try:
            entry = Entry(model=wanted.model.name)
            try:
                main, why = export(beside)
                sizes = {each.name: each.stat().st_size for each in beside.iterdir()}
                entry = entry.model_copy(update={"main": main.name, "sizes": sizes, "why": why})
            except UserError as error:
                shutil.rmtree(beside)
                beside.mkdir()
                why = str(error).replace(f"{beside}{os.sep}", "")  # the folder goes
                entry = entry.model_copy(update={"why": why})
            if wanted.folder != folder:
                return Found(None, CHANGED)
            with atomic_write(beside / ENTRY) as path:
                path.write_text(entry.model_dump_json(), encoding="utf-8")
            _remove(folder)
            beside.rename(folder)
            with suppress(OSError):
                _mark(folder)
        finally:
            shutil.rmtree(beside, ignore_errors=True)
    tidy(folder.parent, keep=folder)
    return Found(folder / entry.main if entry.main else None, entry.why)


def drop(wanted: Wanted) -> None:
    """Forget about a wanted graph, as it turned out to be damaged."""
    _remove(wanted.folder)


def tidy(home: Path, most_bytes: int = MOST_BYTES, keep: Path | None = None) -> None:
    """Remove entries that were not used for longest, until the rest fit; and what a killed process left.

    What another process uses stays, as it opens parts when they are needed.
    """
    found = []
    for folder in home.iterdir():
        if folder.suffix == ".writing" and time.time() - _used(folder) > 24 * 3600:
            _remove(folder)
        elif folder.is_dir() and not folder.name.startswith("."):
            found.append(folder)
    sizes = {each: _size(each) for each in found}
    total = sum(sizes.values())
    for each in sorted(found, key=_used):
        if total <= most_bytes:
            return
        if each != keep and not _is_used(each):
            _remove(each)
            total -= sizes[each]


def _read(folder: Path) -> Entry | None:
    """The entry in a folder; None if there is none, or not all of it."""
    try:
        entry = Entry.model_validate_json((folder / ENTRY).read_text(encoding="utf-8"))
        whole = all((folder / Path(name).name).stat().st_size == size for name, size in entry.sizes.items())
    except (OSError, ValidationError, UnicodeDecodeError):
        return None
    known = entry.main is None or entry.main in entry.sizes
    return entry if whole and known else None


def _mark(folder: Path) -> None:
    """Leave word in an entry that this process uses it, and clear that of processes that have ended."""
    (folder / f".{process_mark()}{USED}").touch()
    for mark in folder.glob(f".*{USED}"):
        if not is_running(mark.name[1 : -len(USED)], since=mark.stat().st_mtime):
            mark.unlink(missing_ok=True)


def _is_used(folder: Path) -> bool:
    """Whether another process uses an entry."""
    with suppress(OSError):
        marks = {mark.name[1 : -len(USED)]: mark.stat().st_mtime for mark in folder.glob(f".*{USED}")}
        return any(is_running(mark, since=at) for mark, at in marks.items() if mark != process_mark())
    return False


def _size(folder: Path) -> int:
    """Bytes of an entry; of what another process removes meanwhile, none."""
    with suppress(OSError):
        return sum(file.stat().st_size for file in folder.iterdir())
    return 0


def _used(folder: Path) -> float:
    for path in (folder / ENTRY, folder):
        with suppress(OSError):
            return path.stat().st_mtime
    return 0.0


def _remove(folder: Path) -> None:
    """Delete an entry so that nobody finds half of it."""
    if folder.exists():
        gone = folder.with_name(f".{uuid4().hex[:12]}.writing")
        with suppress(OSError):  # another process did, or has it open, on Windows
            folder.rename(gone)
            shutil.rmtree(gone, ignore_errors=True)


def _version(runtime: Runtime) -> str:
    try:
        return version(runtime)
    except PackageNotFoundError:  # a build under another name
        return ""
