"""What the user named on the command line -> which files to read and where their results go."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from i2icli.data.folder import find_images, named
from i2icli.data.layouts import HELD_BACK
from i2icli.errors import UserError
from i2icli.image import SUFFIXES


@dataclass(frozen=True)
class Job:
    """One file to translate."""

    source: Path
    targets: tuple[Path, ...]  # where its answers go, one for each wish
    error: str | None = None  # why it cannot be done, found before reading it
    folders: tuple[str, ...] = ()  # names of those above it that may tell its domain, nearest first


def plan_jobs(
    inputs: Iterable[str], out: Path, suffix: str | None, wishes: Sequence[str] = ("",)
) -> list[Job]:
    """One job per image: files by name, folders with their structure kept, globs, "-" for a list on stdin.

    Answers to wishes that have names go to folders of these names below `out`. An image named twice
    is one job; results of earlier runs in an `out` inside an input folder are no inputs. Raises
    UserError if a result would land on an input.
    """
    if out.suffix.lower() in SUFFIXES and not out.is_dir():
        raise UserError(f"--out {out}: looks like a file; give the folder for the results")
    found: dict[tuple[Path, Path], tuple[str, ...]] = {}
    jobs: list[Job] = []
    for word in _words(inputs):
        try:
            Path(word).resolve().exists()  # refuses what no system can look up: a NUL byte, endless names
            for file, relative, given in _expand(word, out.resolve()):
                found.setdefault((file, relative), folders_above(file, given))
        except (OSError, ValueError) as refused:
            why = f"not a usable path ({type(refused).__name__})"
            jobs.append(Job(Path(repr(word[:80])), (), why))
    if not found and not jobs:
        raise UserError("nothing to translate: the list of inputs is empty")
    taken = {source.resolve() for source, _ in found}
    owners: dict[Path, Path] = {}
    for (source, relative), folders in found.items():
        name = relative.with_suffix(suffix) if suffix else relative
        targets = tuple(out / wish / name for wish in wishes)
        if replaced := next((target for target in targets if target.resolve() in taken), None):
            raise UserError(
                f"--out {out}: the result of {source} would replace the input {replaced}; "
                "choose another --out"
            )
        owner = owners.setdefault(targets[0], source)
        jobs.append(Job(source, targets, _obstacle(source, targets[0], owner), folders))
    return jobs


def folders_above(file: Path, given: Path) -> tuple[str, ...]:
    """Names of the folders above a file, nearest first, up to the one that was given, as it was written.

    A relative one counts with all its parts. Where the last is a split of a data set, train or test, the
    folder that holds it counts as well.
    """
    parents = file.absolute().parents
    count = parents.index(given.absolute()) + max(1, len(given.parts) if not given.is_absolute() else 1)
    names = [parent.name for parent in parents[: count + 1]]
    is_split = names[count - 1].casefold() in ("train", *HELD_BACK)
    return tuple(names if is_split else names[:count])


def _obstacle(source: Path, target: Path, owner: Path) -> str | None:
    """Why an input cannot be done, as far as names tell; `owner` is the input that got the target first."""
    if owner != source:
        return f"its result would be {target}, as that of {owner}; name the folder they share instead"
    return None if source.exists() else "there is no such file"


def _words(inputs: Iterable[str]) -> Iterator[str]:
    """The inputs, with the lines of standard input in the place of "-"."""
    for text in inputs:
        if text == "-":
            yield from (line.rstrip("\r\n") for line in sys.stdin if line.strip())
        else:
            yield text


def _expand(text: str, out: Path) -> Iterator[tuple[Path, Path, Path]]:
    """(file, its path below --out, the folder that was given or holds it) for a word of the command line."""
    path = Path(text)
    if path.is_dir():
        found = find_images(path)
        if path.resolve() in out.parents:
            found = [each for each in found if out not in each.resolve().parents]
        if not found:
            raise UserError(f"{path}: no images in this folder; expected {', '.join(sorted(SUFFIXES))}")
        yield from ((each, each.relative_to(path), path) for each in found)
    elif (matches := named(text)) != [path]:
        for match in matches:
            yield from _expand(str(match), out) if match.is_dir() else [_alone(match)]
    else:
        yield _alone(path)


def _alone(file: Path) -> tuple[Path, Path, Path]:
    return file, Path(file.name), file.parent
