"""Files in, files out: decoding, computing and encoding overlap, in bounded memory."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor

from i2icli.errors import UserError
from i2icli.image import SUFFIXES, DecodedImage, read_image, resize, to_tensor, write_image
from i2icli.inference.inference import Inference
from i2icli.inference.inputs import Job, distinct_names, plan_jobs
from i2icli.inference.manifest import fingerprint, stamp
from i2icli.inference.requests import Asked, Wish, infer_source
from i2icli.inference.results import Result
from i2icli.report.sheet import SHEETS, Row, SheetWriter, check_sheets
from i2icli.runtime.memory import is_out_of_memory

T = TypeVar("T")
S = TypeVar("S")

THREADS = 2  # decode, and encode: enough to hide both behind any network here
WRITING = 8  # results that may wait to be encoded


@dataclass(frozen=True)
class Writing:
    """How results are written."""

    format: str | None = None  # suffix of the files; None: as the input
    batch_size: int | None = None
    overwrite: bool = False
    compare: bool = False  # also write sheets; always done where a picture gets several answers


@dataclass(frozen=True)
class _Loaded:
    """An input on its way: decoded, with the answers still to be made; or settled already."""

    job: Job
    picture: DecodedImage | None = None
    wishes: tuple[tuple[Wish, Path], ...] = ()  # to be answered, and where each answer goes
    images: dict[int, Tensor] = field(default_factory=dict)  # (1, C, H, W) by number of channels C
    settled: tuple[Result, ...] = ()  # there already, or failed

    @property
    def batch_key(self) -> tuple[object, ...]:
        """Inputs alike in this can be answered together."""
        shapes = tuple((channels, tuple(image.shape)) for channels, image in self.images.items())
        return shapes, tuple((wish.name, wish.source) for wish, _ in self.wishes)


_Answered = tuple[_Loaded, list[tuple[Path, Tensor | str]]]
"""An input, and where each answer (1, C, H, W) goes, or why there is none."""


class Translation:
    """The translation of files into a folder: iterating does it, one result per answer, in order."""

    def __init__(
        self, inference: Inference, inputs: Iterable[str], out: Path, asked: Asked, writing: Writing
    ) -> None:
        """Plan it. Raises UserError if the request as a whole is wrong."""
        self.inference = inference
        self.writing = writing
        self.wishes = inference.wishes(asked)
        suffix = suffix_of(writing.format) if writing.format else None
        self.jobs = plan_jobs(inputs, out, suffix, [wish.name for wish in self.wishes])
        self.captions = distinct_names(self.jobs)
        self.compare = writing.compare or len(self.wishes) > 1
        self.sheets = out / SHEETS
        places = {path.parent for job in self.jobs for path in (job.source, *job.targets)}
        if self.compare and self.sheets in places:
            raise UserError(
                f"the sheets go to {self.sheets}, where inputs or results are; choose another --out"
            )
        making = {"model": fingerprint(inference.model)} | asked.settings() | self._targets()
        self.since = stamp(out, making, overwrite=writing.overwrite)
        if self.compare and not writing.overwrite:
            check_sheets(self.sheets, len(self.jobs), self.since)

    def _targets(self) -> dict[str, object]:
        """The targets by their own names: the default may have been meant or written out."""
        return {"to": ", ".join(dict.fromkeys(wish.to for wish in self.wishes if wish.to)) or None}

    def __len__(self) -> int:
        """Answers that are asked for."""
        return len(self.jobs) * len(self.wishes)

    def __iter__(self) -> Iterator[Result]:
        cuda = self.inference.placement.device.type == "cuda"
        count = self.writing.batch_size or (8 if cuda else 1)
        sheets = SheetWriter(self.sheets)
        with ThreadPoolExecutor(THREADS) as readers, ThreadPoolExecutor(THREADS) as writers:
            loaded = prefetch(readers, self._load, self.jobs, count + THREADS)
            answered = (each for group in _grouped(loaded, count) for each in self._answer(group))
            for results, row in prefetch(writers, self._write, answered, WRITING):
                if row:
                    sheets.add(row, self.captions[results[0].source])
                yield from results
        sheets.close()

    def _load(self, job: Job) -> _Loaded:
        """Decode an input for those of its answers that are not there yet."""
        if job.error:
            return _Loaded(job, settled=(_failed(job, job.error),))
        overwrite = self.writing.overwrite
        pairs = list(zip(self.wishes, job.targets, strict=True))
        settled = tuple(self._standing(job, path) for _, path in pairs if path.exists() and not overwrite)
        todo = [(wish, path) for wish, path in pairs if overwrite or not path.exists()]
        if not todo:
            return _Loaded(job, settled=settled)
        try:
            picture = read_image(job.source)
            system = self.inference.system
            wishes = tuple((infer_source(system, wish, job.folders), path) for wish, path in todo)
            return _Loaded(job, picture, wishes, self._images(picture, wishes), settled)
        except (UserError, MemoryError) as error:
            return _Loaded(job, settled=(*settled, _failed(job, str(error) or "not enough memory")))

    def _images(self, picture: DecodedImage, wishes: tuple[tuple[Wish, Path], ...]) -> dict[int, Tensor]:
        """The picture as each wish's network reads it: mostly they all read it alike."""
        images: dict[int, Tensor] = {}
        for wish, _ in wishes:
            channels, _ = self.inference.system.channels(wish.to)
            if channels not in images:
                images[channels] = self.inference.tensor(picture, wish)
        return images

    def _standing(self, job: Job, target: Path) -> Result:
        """A file is already where the result would go; it is ours unless older than our making (ns)."""
        if target.stat().st_mtime_ns >= self.since:
            return Result(str(job.source), target, "there")
        why = f"{target} exists and was not made with this model"
        return _failed(job, f"{why}; choose another --out, or add --overwrite")

    def _answer(self, group: list[_Loaded]) -> Iterator[_Answered]:
        """The answers for one group of inputs that are alike; what fails together is tried one by one."""
        answers: list[list[tuple[Path, Tensor | str]]] = [[] for _ in group]
        for number, (wish, _) in enumerate(group[0].wishes):
            channels, _ = self.inference.system.channels(wish.to)
            images = torch.cat([loaded.images[channels] for loaded in group])  # (B, C, H, W)
            try:
                made = self.inference.answer(images, wish)
            except UserError as error:
                if len(group) > 1:
                    yield from (each for loaded in group for each in self._answer([loaded]))
                    return
                answers[0].append((group[0].wishes[number][1], str(error)))
                continue
            except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
                if not is_out_of_memory(error):
                    raise
                height, width = images.shape[-2:]
                text = f"out of memory at {width}x{height} px in batches of {len(group)}; "
                text += "try --batch-size 1 or a smaller --size"
                for loaded, own in zip(group, answers, strict=True):
                    own.append((loaded.wishes[number][1], text))
                continue
            for place, (loaded, own) in enumerate(zip(group, answers, strict=True)):
                own.append((loaded.wishes[number][1], made[place : place + 1]))
        yield from zip(group, answers, strict=True)

    def _write(self, answered: _Answered) -> tuple[list[Result], Row | None]:
        """Encode the answers for one input; its row for the sheets."""
        loaded, answers = answered
        results = list(loaded.settled)
        for (wish, _), (path, answer) in zip(loaded.wishes, answers, strict=True):
            assert loaded.picture is not None
            try:
                if isinstance(answer, str):
                    raise UserError(answer)
                write_image(path, self.inference.result(loaded.picture, answer, wish))
                results.append(Result(str(loaded.job.source), path, "done"))
            except UserError as error:
                results.append(_failed(loaded.job, str(error)))
        order = {path: place for place, path in enumerate(loaded.job.targets)}
        results.sort(key=lambda result: order.get(result.target, len(order)) if result.target else len(order))
        return results, self._row(loaded, results) if self.compare else None

    def _row(self, loaded: _Loaded, results: list[Result]) -> Row | None:
        """Input and answers, all at the size of the first; None unless every answer is there."""
        targets = [result.target for result in results if result.target is not None]
        if len(targets) < len(self.wishes):
            return None
        names = [wish.name or "output" for wish in self.wishes]
        try:
            afters = [read_image(target).pixels for target in targets]
            before = loaded.picture or read_image(loaded.job.source)
        except UserError:
            return None  # the input is what it was when the result was made, or the sheet does without
        height, width, _ = afters[0].shape
        given = to_tensor(resize(before.pixels, (height, width)))  # --size may have made another of it
        label = "input" if "input" not in names else "given"
        return {label: given} | dict(zip(names, map(to_tensor, afters), strict=True))


def _grouped(loaded: Iterable[_Loaded], count: int) -> Iterator[list[_Loaded]]:
    """Neighbours that are alike together, at most `count`; settled inputs alone."""
    group: list[_Loaded] = []
    for each in loaded:
        fits = bool(each.wishes)
        if group and not (fits and each.batch_key == group[0].batch_key and len(group) < count):
            yield group
            group = []
        group.append(each)
    if group:
        yield group


def prefetch(
    pool: ThreadPoolExecutor, function: Callable[[T], S], items: Iterable[T], depth: int
) -> Iterator[S]:
    """Results in order, while the pool works on the next `depth` items."""
    pending: deque[Future[S]] = deque()
    for item in items:
        pending.append(pool.submit(function, item))
        if len(pending) > depth:
            yield pending.popleft().result()
    while pending:
        yield pending.popleft().result()


def _failed(job: Job, error: str) -> Result:
    return Result(str(job.source), None, "failed", error)


def suffix_of(format: str) -> str:
    """The suffix of files in a format. Raises UserError for one we do not write."""
    suffix = "." + format.lower().lstrip(".")
    if suffix not in SUFFIXES:
        raise UserError(f"--format {format}: unknown; expected {', '.join(each[1:] for each in SUFFIXES)}")
    return suffix
