"""How inputs are read: as a model was trained, or as asked; files whose pages are images."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from i2icli.errors import UserError
from i2icli.image.read import count_images
from i2icli.inference.inputs import Job
from i2icli.inference.options import TranslateOptions
from i2icli.reading import PAGES_AS_IMAGES, Reading, colour_of
from i2icli.task import Port, Task

_OME = ".ome"  # the first of two suffixes


def read_as_asked(task: Task, options: TranslateOptions) -> Task:
    """A task whose images are read as options say, where they do, instead of as in training."""
    given = (options.pages, options.background, options.channels_first)
    if given == (None, None, None):
        return task
    inputs = {name: _asked(port, options) for name, port in task.inputs.items()}
    reference = None if task.reference is None else _asked(task.reference, options)
    return replace(task, inputs=inputs, reference=reference)


def paged(jobs: Iterable[Job], task: Task) -> list[Job]:
    """Jobs with one for each page of a file, where pages are images: x.tif becomes x_p001.tif, x_p002.tif."""
    reading = next(iter(task.inputs.values())).reading
    if reading.pages != PAGES_AS_IMAGES:
        return list(jobs)
    found: list[Job] = []
    taken: set[Path] = set()
    for job in jobs:
        for each in _pages(job):
            shared = next((target for target in each.targets if target in taken), None)
            taken.update(each.targets)
            why = None if shared is None else f"its result would be {shared}, as that of another input"
            found.append(replace(each, error=each.error or why))
    return found


def _pages(job: Job) -> Iterator[Job]:
    try:
        count = 1 if job.error else count_images(job.source)
    except UserError:
        count = 1  # reading it tells why
    if count == 1:
        yield job
        return
    for page in range(1, count + 1):
        targets = tuple(_numbered(target, page, count) for target in job.targets)
        yield replace(job, page=page, targets=targets)


def _numbered(path: Path, page: int, count: int) -> Path:
    stem, suffix = path.stem, path.suffix
    if stem.lower().endswith(_OME):
        stem, suffix = stem[: -len(_OME)], stem[-len(_OME) :] + suffix
    return path.with_name(f"{stem}_p{page:0{max(3, len(str(count)))}}{suffix}")


def _asked(port: Port, options: TranslateOptions) -> Port:
    reading = port.reading
    first = options.channels_first
    asked = Reading(
        options.pages or reading.pages,
        reading.channels,
        reading.alpha,
        reading.background if options.background is None else colour_of(options.background),
        reading.channels_first if first is None else first,
    )
    return replace(port, reading=asked)
