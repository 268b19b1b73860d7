"""What the user named on the command line -> which files to read and where their results go."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from i2icli.errors import UserError
from i2icli.files import real
from i2icli.image import SUFFIXES
from i2icli.image.items import FileItem, Item
from i2icli.inference.places import Place
from i2icli.inference.search import Search
from i2icli.inference.search import folders_above as folders_above
from i2icli.reading import Reading


@dataclass(frozen=True)
class Job:
    """One file to translate."""

    source: Path
    targets: tuple[Path, ...]  # where its outputs go, one for each spec
    error: str | None = None  # why it cannot be done, found before reading it
    folders: tuple[str, ...] = ()  # names of those above it that may tell its domain, nearest first
    others: Mapping[str, Item] = field(default_factory=dict)  # further inputs of the task, by name
    half: Item | None = None  # of a pair side by side, the half that is translated
    truth: Item | None = None  # what its output should show
    stack: Item | None = None  # the file and those that are read together with it
    page: int | None = None  # of the file, from 1, where its pages are images

    @property
    def item(self) -> Item:
        """What is translated: the file, a half or a page of it, or a stack of several."""
        pages = None if self.page is None else str(self.page)
        return self.stack or self.half or FileItem(self.source, Reading(pages=pages))


def plan_jobs(
    inputs: Iterable[str],
    out: Path,
    suffix: str | None,
    places: Sequence[Place] = (Place(),),
    search: Search | None = None,
) -> list[Job]:
    """One job per image: files by name, folders with their structure kept, globs, "-" for a list on stdin.

    An image named twice is one job; results of earlier runs in an `out` inside an input folder are no
    inputs. A name that matches no file is a job that says so. search: how folders are looked through, and
    what was left out there. Raises UserError if all are, or if a result would land on an input.
    """
    if out.suffix.lower() in SUFFIXES and not out.is_dir():
        raise UserError(f"--out {out}: looks like a file; give the folder for the results")
    search = search or Search()
    search.look(inputs, out, places[0].kind)
    found = search.found
    jobs = [Job(Path(name), (), why) for name, why in search.refused.items()]
    names = [place.names((relative for _, relative in found), suffix) for place in places]
    taken = {real(source) for source, _ in found}
    owners: dict[Path, Path] = {}
    for (source, relative), folders in found.items():
        targets = tuple(
            out / place.folder / name[relative] for place, name in zip(places, names, strict=True)
        )
        if replaced := next((target for target in targets if real(target) in taken), None):
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
        half, truth = search.half(source), search.truth(source)
        jobs.append(Job(source, targets, why, folders, half=half, truth=truth))
    return jobs


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
