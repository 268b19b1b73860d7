"""What the user named on the command line -> which files to read and where their results go."""

import glob
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from i2icli.data.folder import find_images
from i2icli.errors import UserError
from i2icli.image import SUFFIXES


@dataclass(frozen=True)
class Job:
    """One file to translate."""

    source: Path
    targets: tuple[Path, ...]  # where its answers go, one for each wish
    error: str | None = None  # why it cannot be done, found before reading it


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
    found: list[tuple[Path, Path]] = []
    jobs: list[Job] = []
    for word in _words(inputs):
        try:
            Path(word).resolve().exists()  # refuses what no system can look up: a NUL byte, endless names
            found += _expand(word, out.resolve())
        except (OSError, ValueError) as refused:
            why = f"not a usable path ({type(refused).__name__})"
            jobs.append(Job(Path(repr(word[:80])), (), why))
    sources = list(dict.fromkeys(found))
    if not sources and not jobs:
        raise UserError("nothing to translate: the list of inputs is empty")
    taken = {source.resolve() for source, _ in sources}
    owners: dict[Path, Path] = {}
    for source, relative in sources:
        name = relative.with_suffix(suffix) if suffix else relative
        targets = tuple(out / wish / name for wish in wishes)
        if replaced := next((target for target in targets if target.resolve() in taken), None):
            raise UserError(
                f"--out {out}: the result of {source} would replace the input {replaced}; "
                "choose another --out"
            )
        owner = owners.setdefault(targets[0], source)
        jobs.append(Job(source, targets, _obstacle(source, targets[0], owner)))
    return jobs


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


def _expand(text: str, out: Path) -> Iterator[tuple[Path, Path]]:
    """(file, its path below --out) for one word of the command line."""
    path = Path(text)
    if path.is_dir():
        found = find_images(path)
        if path.resolve() in out.parents:
            found = [each for each in found if out not in each.resolve().parents]
        if not found:
            raise UserError(f"{path}: no images in this folder; expected {', '.join(sorted(SUFFIXES))}")
        yield from ((each, each.relative_to(path)) for each in found)
    elif not path.exists() and glob.has_magic(text):
        matches = sorted(glob.glob(text, recursive=True))  # noqa: PTH207 - Path.glob knows no absolute patterns
        if not matches:
            raise UserError(f"{text}: matches no file")
        for match in map(Path, matches):
            yield from _expand(str(match), out) if match.is_dir() else [(match, Path(match.name))]
    else:
        yield path, Path(path.name)
