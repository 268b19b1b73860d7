"""Files in, files out: decoding, computing and encoding overlap, in bounded memory."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import torch
from torch import Tensor

from i2icli.engine.inputs import Job, plan_jobs
from i2icli.engine.memory import is_out_of_memory
from i2icli.engine.results import Result
from i2icli.engine.sample_sheet import Row, SheetWriter
from i2icli.engine.stamp import fingerprint, stamp
from i2icli.errors import UserError
from i2icli.image import SUFFIXES, Picture, read_picture, resize, to_tensor, write_picture

if TYPE_CHECKING:
    from i2icli.engine.translator import Translator, Wish

T = TypeVar("T")
S = TypeVar("S")

THREADS = 2  # decode, and encode: enough to hide both behind any network here
SHEETS = "compare"  # folder of the before/after sheets, below --out
WRITING = 8  # results that may wait to be encoded


@dataclass(frozen=True)
class _Loaded:
    """An input on its way: decoded, or why not."""

    job: Job
    picture: Picture | None = None
    image: Tensor | None = None  # (1, C, H, W)
    result: Result | None = None  # there already, or failed


def translate_files(
    translator: "Translator",
    inputs: Iterable[str],
    out: Path,
    *,
    to: str | None = None,
    reference: str | None = None,
    size: tuple[int, int] | None = None,
    format: str | None = None,
    batch_size: int | None = None,
    overwrite: bool = False,
    compare: bool = False,
    seed: int = 0,
) -> Iterator[Result]:
    """Translate files into a folder; one result per input, in order. A bad input is reported, the rest go on.

    What an earlier run of the same model and settings left there stands. With `compare`,
    before/after sheets of all of them go to <out>/compare. Raises UserError if the request as a
    whole is wrong.
    """
    wish = translator.wish(to=to, reference=reference, size=size, seed=seed)
    jobs = plan_jobs(inputs, out, _suffix(format) if format else None)
    making: dict[str, object] = {"model": fingerprint(translator.model), "to": wish.to, "seed": seed}
    making |= {"reference": reference, "size": list(size) if size else None}
    since = stamp(out, making, overwrite=overwrite)
    count = batch_size or (8 if translator.placement.device.type == "cuda" else 1)
    sheets = SheetWriter(out / SHEETS)
    if compare and any(out / SHEETS in (job.target.parent, job.source.parent) for job in jobs):
        raise UserError(
            f"--compare writes its sheets to {out / SHEETS}, where inputs or results are; drop it"
        )

    def load(job: Job) -> _Loaded:
        if job.error:
            return _Loaded(job, result=_failed(job, job.error))
        if job.target.exists() and not overwrite:
            return _Loaded(job, result=_standing(job, since))
        try:
            picture = read_picture(job.source)
            return _Loaded(job, picture, translator.tensor(picture, wish))
        except (UserError, MemoryError) as error:
            return _Loaded(job, result=_failed(job, str(error) or "not enough memory"))

    def write(outcome: _Outcome) -> tuple[Result, Row | None]:
        if isinstance(outcome, Result):
            return outcome, _seen_again(outcome) if compare else None
        job, picture, answer = outcome
        try:
            after = translator.result(picture, answer, wish)
            write_picture(job.target, after)
        except UserError as error:
            return _failed(job, str(error)), None
        return Result(str(job.source), job.target, "done"), _row(picture, after) if compare else None

    with ThreadPoolExecutor(THREADS) as readers, ThreadPoolExecutor(THREADS) as writers:
        loaded = _ahead(readers, load, jobs, count + THREADS)
        answered = (each for group in _grouped(loaded, count) for each in _computed(translator, group, wish))
        for result, row in _ahead(writers, write, answered, WRITING):
            if row:
                sheets.add(row)
            yield result
    sheets.close()


_Outcome = Result | tuple[Job, Picture, Tensor]


def _row(before: Picture, after: Picture) -> Row:
    """Both at the size of the result, which --size may have made another than the input's."""
    height, width, _ = after.pixels.shape
    given = resize(before.pixels, (height, width))
    return {"input": to_tensor(given), "output": to_tensor(after.pixels)}


def _seen_again(result: Result) -> Row | None:
    """The row of a result that was there already; None where there is no result."""
    try:
        return _row(read_picture(result.source), read_picture(result.target)) if result.target else None
    except UserError:
        return None  # the input is what it was when the result was made, or the sheet does without


def _computed(translator: "Translator", group: list[_Loaded], wish: "Wish") -> Iterator[_Outcome]:
    """The answers for one group, which is either one settled input or images of one shape."""
    if group[0].result is not None:
        yield group[0].result
        return
    images = torch.cat([loaded.image for loaded in group if loaded.image is not None])  # (B, C, H, W)
    try:
        answers = translator.answer(images, wish)
    except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        height, width = images.shape[-2:]
        text = f"out of memory at {width}x{height} px in batches of {len(group)}; "
        text += "try --batch-size 1 or a smaller --size"
        yield from (_failed(loaded.job, text) for loaded in group)
        return
    for index, loaded in enumerate(group):
        assert loaded.picture is not None
        yield loaded.job, loaded.picture, answers[index : index + 1]


def _grouped(loaded: Iterable[_Loaded], count: int) -> Iterator[list[_Loaded]]:
    """Neighbours of one shape together, at most `count`; settled inputs alone."""
    group: list[_Loaded] = []
    for each in loaded:
        fits = each.image is not None
        if group and not (fits and _shape(each) == _shape(group[0]) and len(group) < count):
            yield group
            group = []
        group.append(each)
    if group:
        yield group


def _shape(loaded: _Loaded) -> tuple[int, ...] | None:
    return None if loaded.image is None else tuple(loaded.image.shape)


def _ahead(
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


def _standing(job: Job, since: int) -> Result:
    """A file is already where the result would go; it is ours unless older than our making (ns)."""
    if job.target.stat().st_mtime_ns >= since:
        return Result(str(job.source), job.target, "there")
    return _failed(
        job, f"{job.target} exists and was not made with this model; choose another --out, or add --overwrite"
    )


def _suffix(format: str) -> str:
    suffix = "." + format.lower().lstrip(".")
    if suffix not in SUFFIXES:
        raise UserError(f"--format {format}: unknown; expected {', '.join(each[1:] for each in SUFFIXES)}")
    return suffix
