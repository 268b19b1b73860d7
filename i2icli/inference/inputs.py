"""What the user named on the command line -> which files to read and where their results go."""

import os
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar

from i2icli.data.split_names import is_split
from i2icli.errors import UserError, several
from i2icli.image import SUFFIXES
from i2icli.image.finding import find_images, named
from i2icli.image.items import Item
from i2icli.inference.other_inputs import inputs_in, names_kind
from i2icli.inference.places import Place
from i2icli.inference.video_names import is_video_name
from i2icli.task import Kind

T = TypeVar("T")


@dataclass(frozen=True)
class Job:
    """One file to translate."""

    source: Path
    targets: tuple[Path, ...]  # where its outputs go, one for each spec
    error: str | None = None  # why it cannot be done, found before reading it
    folders: tuple[str, ...] = ()  # names of those above it that may tell its domain, nearest first
    others: Mapping[str, Item] = field(default_factory=dict)  # further inputs of the task, by name


def plan_jobs(
    inputs: Iterable[str], out: Path, suffix: str | None, places: Sequence[Place] = (Place(),)
) -> list[Job]:
    """One job per image: files by name, folders with their structure kept, globs, "-" for a list on stdin.

    An image named twice is one job; results of earlier runs in an `out` inside an input folder are no
    inputs. A name that matches no file is a job that says so. Raises UserError if all are, or if a result
    would land on an input.
    """
    if out.suffix.lower() in SUFFIXES and not out.is_dir():
        raise UserError(f"--out {out}: looks like a file; give the folder for the results")
    found, refused = _find(inputs, out, places[0].kind)
    jobs = [Job(Path(name), (), why) for name, why in refused.items()]
    names = [place.names((relative for _, relative in found), suffix) for place in places]
    taken = {source.resolve() for source, _ in found}
    owners: dict[Path, Path] = {}
    for (source, relative), folders in found.items():
        targets = tuple(
            out / place.folder / name[relative] for place, name in zip(places, names, strict=True)
        )
        if replaced := next((target for target in targets if target.resolve() in taken), None):
            raise UserError(
                f"--out {out}: the result of {source} would replace the input {replaced}; "
                "choose another --out"
            )
        shared = next((each for each in targets if owners.setdefault(each, source) != source), None)
        why = (
            f"its result would be {shared}, as that of {owners[shared]}; name the folder they share instead"
            if shared
            else None
        )
        jobs.append(Job(source, targets, why, folders))
    return jobs


def _find(
    inputs: Iterable[str], out: Path, kind: Kind
) -> tuple[dict[tuple[Path, Path], tuple[str, ...]], dict[str, str]]:
    """(file, its path below --out) -> folders above it, and names that cannot be used -> why.

    Raises UserError if there is no file at all.
    """
    refused: dict[str, str] = {}
    paths = [path for word in _words(inputs) for path in _tried(word, _matches, refused)]
    found: dict[tuple[Path, Path], tuple[str, ...]] = {}
    below = partial(_below, out=out.resolve(), kind=kind)
    for path in paths:
        for file, relative in _tried(str(path), below, refused):
            found.setdefault((file, relative), folders_above(file, path if path.is_dir() else file.parent))
    if not found:
        raise UserError(
            several(list(refused.values())) or "nothing to translate: the list of inputs is empty"
        )
    return found, refused


def distinct_names(jobs: Iterable[Job]) -> dict[str, str]:
    """Source -> the shortest end of its path, the name at least, that no other source has."""
    found: dict[str, str] = {}
    waiting, depth = {job.source for job in jobs}, 0
    while waiting:
        depth += 1
        ends = {path: Path(*path.parts[-depth:]) for path in waiting}
        often = Counter(ends.values())
        waiting = {path for path, end in ends.items() if often[end] > 1 and end != path}
        found |= {str(path): str(end) for path, end in ends.items() if path not in waiting}
    return found


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


def _tried(name: str, look: Callable[[str], Iterable[T]], refused: dict[str, str]) -> list[T]:
    """What there is of a name; nothing if it cannot be used, and `refused` tells why."""
    try:
        return list(look(name))
    except UserError as error:
        refused[name] = str(error)
    except (OSError, ValueError) as error:  # what no system can look up: a NUL byte, endless names
        short = repr(name[:80])
        refused[short] = f"{short}: not a usable path ({type(error).__name__})"
    return []


def _matches(word: str) -> list[Path]:
    """The files and folders that a word of the command line names. Raises UserError if there is none."""
    Path(word).resolve()  # raises what `exists` would take for a result
    if found := [path for path in named(word) if os.path.lexists(path)]:
        return found
    raise UserError(f"{word}: there is no such file or folder")


def _below(name: str, out: Path, kind: Kind) -> list[tuple[Path, Path]]:
    """(file, its path below --out) of a file, or of all inputs in a folder. Raises UserError without any."""
    path = Path(name)
    if not path.is_dir():
        if is_video_name(path):
            raise UserError(f"{path}: a video; translate it with i2i video instead of i2i translate")
        return [(path, Path(path.name))]
    found = inputs_in(path, find_images(path), kind)
    if path.resolve() in out.parents:
        found = [each for each in found if out not in each.resolve().parents]
    if not found:
        videos = any(map(is_video_name, path.iterdir()))
        hint = "; its videos are translated with i2i video" if videos else ""
        raise UserError(f"{path}: no images in this folder{hint}; expected {', '.join(sorted(SUFFIXES))}")
    return [(each, each.relative_to(path)) for each in found]
