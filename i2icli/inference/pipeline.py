"""Files in, files out: decoding, computing and encoding overlap, in bounded memory."""

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from i2icli.errors import UserError
from i2icli.files import clear_temporary
from i2icli.image import SUFFIXES, DecodedImage, write_image
from i2icli.image.items import FileItem
from i2icli.image.stacked import StackedItem
from i2icli.image.walking import why_not
from i2icli.image.write import written_suffixes
from i2icli.inference.batching import compute, images_together, together
from i2icli.inference.format_notes import format_notes, other_formats
from i2icli.inference.header_sizes import header_sizes
from i2icli.inference.inference import Inference
from i2icli.inference.inputs import Job, distinct_names, plan_jobs
from i2icli.inference.manifest import settings_of, write_manifest
from i2icli.inference.memory_notes import memory_notes
from i2icli.inference.options import TranslateOptions
from i2icli.inference.other_inputs import OtherInputs
from i2icli.inference.outputs import OutputSpec, inputs_of
from i2icli.inference.pages import paged
from i2icli.inference.pairs import PairSearch, of_specs
from i2icli.inference.places import Place
from i2icli.inference.prefetching import prefetch, workers
from i2icli.inference.record import Origin, Read, Record, Standing
from i2icli.inference.results import Result, described
from i2icli.inference.scale_notes import scale_notes
from i2icli.inference.search import Search
from i2icli.inference.sheet_rows import SheetRows, captioned
from i2icli.inference.stacks import Stacks
from i2icli.inference.truth import Scores, score
from i2icli.logs import LOG
from i2icli.report.sheet import SHEETS, Row, SheetWriter, check_sheets
from i2icli.request import Array, Arrays

THREADS = 2  # decode, and encode: enough to hide both behind any network here
WRITING = 8  # results that may wait to be encoded


@dataclass(frozen=True)
class _Loaded:
    """An input on its way: decoded, with the outputs still to be made; or done already."""

    job: Job
    image: DecodedImage | None = None
    specs: tuple[tuple[OutputSpec, Path], ...] = ()  # still to be made, and where each output goes
    inputs: tuple[Arrays, ...] = ()  # what the task of each spec reads, (1, C, H, W)
    done: tuple[Result, ...] = ()  # existing results, or failures
    origin: Origin = field(default_factory=Origin)
    read: Read | None = None  # the files as they were
    again: frozenset[Path] = frozenset()  # results of the input as it was before

    @property
    def batch_key(self) -> tuple[object, ...]:
        """Inputs of equal keys can be computed together."""
        shapes = tuple(tuple((name, value.shape) for name, value in each.items()) for each in self.inputs)
        return shapes, tuple((spec.name, spec.task.source) for spec, _ in self.specs)


_KEPT: frozenset[Standing] = frozenset({"there", "other", "unknown"})
_Computed = tuple[_Loaded, list[tuple[Path, Array | str]]]
"""An input, and where each output (1, C, H, W) goes, or why there is none."""


class Translation:
    """The translation of files into a folder: iterating does it, one result per output, in order."""

    def __init__(
        self, inference: Inference, inputs: Iterable[str], out: Path, options: TranslateOptions
    ) -> None:
        """Plan it. Raises UserError if the request as a whole is wrong."""
        self.inference = inference
        self.options = options
        self.specs = inference.specs(options)
        suffix = suffix_of(options.format) if options.format else None
        others = OtherInputs(inputs_of(self.specs), options)
        places = [Place.of(spec.task.output, spec.name, others.kind) for spec in self.specs]
        side = of_specs(spec.task.pair for spec in self.specs) if options.pairs else None
        first = next(iter(inputs_of(self.specs).values()))
        search = Search(options.recursive, PairSearch(side, first) if side is not None else None)
        stacks = Stacks(first, options.more_inputs)
        jobs = paged(plan_jobs(inputs, out, suffix, places, search), self.specs[0].task)
        ours = set(stacks.ours([job.source for job in jobs]))
        self.jobs = [_completed(job, others, stacks) for job in jobs if job.source in ours]
        formats = (*format_notes(suffix, self.specs), *other_formats(self.jobs))
        self.notes: tuple[str, ...] = (*search.notes(), *others.notes(), *formats)
        self.captions = distinct_names(self.jobs)
        truths = any(job.truth is not None for job in self.jobs)
        self.compare = options.compare or len(self.specs) > 1 or truths
        self.sheets = out / SHEETS
        self.problems: list[str] = []
        self.written = 0  # outputs that were made, found or failed so far
        self.rows = SheetRows(inference, self.specs, self.problems, truths=truths)
        folders = {path.parent for job in self.jobs for path in (job.source, *job.targets)}
        if self.compare and self.sheets in folders:
            raise UserError(
                f"the contact sheets go to {self.sheets}, where inputs or results are; choose another --out"
            )
        names = dict.fromkeys(each.task.name for each in self.specs if each.task.name)
        settings = settings_of(inference.model, options) | {"to": ", ".join(names) or None}
        started_at = write_manifest(out, settings, overwrite=options.overwrite)
        clear_temporary({out, self.sheets, *folders})
        self.record = Record(out, settings)
        if self.compare and not options.overwrite:
            check_sheets(self.sheets, len(self.jobs), started_at)
        self._announce()
        self.notes += self._about_sizes()  # by what computes so many

    __repr__ = described

    def __len__(self) -> int:
        """Outputs that are asked for."""
        return len(self.jobs) * len(self.specs)

    def __iter__(self) -> Iterator[Result]:
        count = images_together(self.inference, self.options.batch_size)
        LOG.info("%d inputs, up to %d at once, %d outputs each", len(self.jobs), count, len(self.specs))
        if len(self.specs) > 1 and any(spec.task.broadcasts for spec in self.specs):
            count = 1  # the styles of an image are computed together instead
        sheets = SheetWriter(self.sheets, head=self.rows.head() if self.compare else None)
        with workers(THREADS) as readers, workers(THREADS) as writers:
            loaded = prefetch(readers, self._load, self.jobs, count + THREADS)
            computed = (each for group in _grouped(loaded, count) for each in self._compute(group))
            for results, row in prefetch(writers, self._write, computed, WRITING):
                if row:
                    caption = captioned(self.captions[results[0].source], results)
                    self._show(partial(sheets.add, row, caption))
                yield from results
        self._show(sheets.close)

    def _show(self, draw: Callable[[], None]) -> None:
        """Draw on the contact sheets; what cannot be drawn or written stops nothing."""
        try:
            draw()
        except (OSError, MemoryError) as error:
            why = why_not(error) if isinstance(error, OSError) else "not enough memory"
            self.problems.append(f"a contact sheet in {self.sheets} cannot be written ({why})")

    def _announce(self) -> None:
        """Tell the backend how much there is to do."""
        for number, spec in enumerate(self.specs):
            missing = [job for job in self.jobs if not job.error and not self._stands(job.targets[number])]
            if missing:
                self.inference.backend.expect(spec.task, len(missing))

    def _about_sizes(self) -> tuple[str, ...]:
        """What there is to say about the sizes of the images that are still to be translated."""
        left = [job for job in self.jobs if not (job.error or all(map(self._stands, job.targets)))]
        sizes = header_sizes(left)
        return scale_notes(self.specs[0], sizes) + memory_notes(self.inference, self.specs[0], sizes)

    def _stands(self, target: Path) -> bool:
        """Whether something is there that is hardly to be made anew: inputs seldom change."""
        return not self.options.overwrite and os.path.lexists(target)

    def _load(self, job: Job) -> _Loaded:
        """Decode an input for those of its outputs that do not exist yet."""
        if job.error:
            return _Loaded(job, done=(_failed(job, job.error),))
        beside = (*job.others.values(), *((job.truth,) if job.truth is not None else ()))
        beside += job.stack.items[1:] if isinstance(job.stack, StackedItem) else ()
        origin = Origin((job.source, *(each.path for each in beside if isinstance(each, FileItem))))
        done: tuple[Result, ...] = ()
        try:
            standing = {path: self._standing(path, origin) for path in job.targets}
            done = tuple(self._existing(job, path, each) for path, each in standing.items() if each in _KEPT)
            pairs = zip(self.specs, job.targets, strict=True)
            todo = [(spec, path) for spec, path in pairs if standing[path] not in _KEPT]
            if not todo:
                return _Loaded(job, done=done)
            read = origin.read()
            image = self.inference.decode(job.item, self.specs[0].task)
            image = image.keeping_gps(self.options.keep_gps)
            outputs = self.inference.outputs()
            todo = [(outputs.infer_source(spec, job.folders), path) for spec, path in todo]
            inputs = self.inference.read_all(image, job.others, [spec for spec, _ in todo])
            again = frozenset(path for path, each in standing.items() if each == "changed")
            return _Loaded(job, image, tuple(todo), inputs, done, origin, read, again)
        except Exception as error:
            return _Loaded(job, done=(*done, _failed(job, self._why(job, error, "read"))))

    def _why(self, job: Job, error: Exception, what: str) -> str:
        """Why an input cannot be read or written, in a line; raises what is no fault of its own."""
        if isinstance(error, UserError):
            return str(error)
        if self.inference.backend.is_out_of_memory(error):
            return f"{job.source}: not enough memory; try a smaller --size"
        if isinstance(error, OSError):
            return f"{error.filename or job.source}: cannot be {what} ({why_not(error)})"
        raise error

    def _standing(self, target: Path, origin: Origin) -> Standing:
        """What there is where a result would go. Raises OSError."""
        return "none" if self.options.overwrite else self.record.standing(target, origin)

    def _existing(self, job: Job, target: Path, standing: Standing) -> Result:
        """What is at the place of a result stays: the same one, or something else."""
        refusal = self.record.refusal(target, standing)
        if refusal is not None:
            return _failed(job, refusal)
        return _scored(Result(str(job.source), target, "there"), self.record.scores(target))

    def _compute(self, group: list[_Loaded]) -> Iterator[_Computed]:
        """The outputs for one group of inputs of equal keys."""
        outputs: list[list[Array | str]] = [[] for _ in group]
        specs = [spec for spec, _ in group[0].specs]
        for numbers in together(self.inference, specs, group[0].inputs, self.options.batch_size):
            inputs = [loaded.inputs[numbers[0]] for loaded in group]
            made = compute(self.inference, inputs, [specs[number] for number in numbers])
            for own, each in zip(outputs * len(numbers), made, strict=True):
                own.append(each)
        for loaded, own in zip(group, outputs, strict=True):
            yield loaded, [(path, each) for (_, path), each in zip(loaded.specs, own, strict=True)]

    def _write(self, computed: _Computed) -> tuple[list[Result], Row | None]:
        """Encode the outputs for one input; its row for the contact sheets."""
        loaded, outputs = computed
        results, made = list(loaded.done), dict[Path, DecodedImage]()
        for (spec, _), (path, output) in zip(loaded.specs, outputs, strict=True):
            assert loaded.image is not None
            try:
                if isinstance(output, str):
                    raise UserError(output)
                image = self.inference.result(loaded.image, output, spec)
                self.record.begin([path])
                write_image(path, image)
                made[path] = image
                unread = ", ".join(loaded.image.metadata.unread) if loaded.image.metadata else None
                source, again = str(loaded.job.source), path in loaded.again
                results.append(Result(source, path, "done", again=again, left_out=unread or None))
            except Exception as error:
                results.append(_failed(loaded.job, self._why(loaded.job, error, "written")))
        truth = self.rows.truth(loaded.job, next(iter(made.values()), None))
        scores = {} if truth is None else {path: score(image, truth) for path, image in made.items()}
        results = [_scored(each, scores.get(each.target)) if each.target else each for each in results]
        try:
            if made and loaded.read is not None:
                self.record.made(made, loaded.origin, loaded.read, scores)
        except OSError as error:  # they are made again
            failed = _failed(loaded.job, self._why(loaded.job, error, "written"))
            results = [failed if each.target in made else each for each in results]
        order = {path: place for place, path in enumerate(loaded.job.targets)}
        results.sort(key=lambda result: order.get(result.target, len(order)) if result.target else len(order))
        row = self.rows.row(loaded.job, loaded.image, results, made, truth) if self.compare else None
        self.written += len(results)
        return results, row


def _grouped(loaded: Iterable[_Loaded], count: int) -> Iterator[list[_Loaded]]:
    """Consecutive inputs of equal keys in batches of at most `count`; those that are done by themselves."""
    group: list[_Loaded] = []
    for each in loaded:
        fits = bool(each.specs)
        if group and not (fits and each.batch_key == group[0].batch_key and len(group) < count):
            yield group
            group = []
        group.append(each)
    if group:
        yield group


def _completed(job: Job, others: OtherInputs, stacks: Stacks) -> Job:
    """The job with its further inputs, or with why there are none."""
    if job.error:
        return job
    try:
        stack = stacks.stacked(job.item, job.source) if stacks.names else None
        return replace(job, others=others.find(job.source), stack=stack)
    except UserError as error:
        return replace(job, error=str(error))


def _scored(result: Result, scores: Scores | None) -> Result:
    return result if scores is None else replace(result, psnr=scores.psnr, ssim=scores.ssim)


def _failed(job: Job, error: str) -> Result:
    return Result(str(job.source), None, "failed", error)


def suffix_of(format: str) -> str:
    """The suffix of files in a format. Raises UserError for one we do not write."""
    suffix = "." + format.lower().lstrip(".")
    if suffix not in (known := written_suffixes()):
        why = "read but not written" if suffix in SUFFIXES else "unknown"
        raise UserError(f"--format {format}: {why}; expected {', '.join(each[1:] for each in known)}")
    return suffix
