"""Images generated from latent codes alone, and the video from one code to the next."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from i2icli.errors import UserError
from i2icli.image import DecodedImage, change_type, from_output, to_array, write_image
from i2icli.inference.batching import images_together
from i2icli.inference.inference import Inference
from i2icli.inference.manifest import settings_of, write_manifest
from i2icli.inference.options import TranslateOptions
from i2icli.inference.outputs import OutputSpec, folder_name, with_codes
from i2icli.inference.pipeline import suffix_of
from i2icli.inference.places import Place
from i2icli.inference.record import Origin, Record
from i2icli.inference.results import Result, described
from i2icli.report.sheet import SHEETS, SheetWriter, check_sheets
from i2icli.request import Arrays
from i2icli.task import Task

SAMPLES, ENDS = 16, 4  # codes that are drawn, and that a video interpolates between, by default
COLUMNS = 8  # samples in a row of the sheets
VIDEO = "interpolation.mp4"
FPS = 30  # frames per second of a video


@dataclass(frozen=True, repr=False)
class Sampling:
    """The samples asked of a model that generates: iterating makes them, one result each.

    With `options.interpolate` there is one video for each task instead.
    """

    inference: Inference
    out: Path
    options: TranslateOptions
    wanted: tuple[tuple[OutputSpec, ...], ...]  # of each task, one for every code
    record: Record
    notes: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    written: int = 0

    __repr__ = described

    def __len__(self) -> int:
        if self.options.interpolate is not None:
            return len(self.wanted)
        return sum(map(len, self.wanted))

    def __iter__(self) -> Iterator[Result]:
        for specs in self.wanted:
            folder = self.folder(specs[0].task)
            if self.options.interpolate is not None:
                yield self._video(folder / VIDEO, specs)
            else:
                yield from self._samples(folder, specs)

    def folder(self, task: Task) -> Path:
        """Where the samples of a task go."""
        name = task.name
        return self.out / folder_name(name) if name is not None and len(self.wanted) > 1 else self.out

    def _samples(self, folder: Path, specs: Sequence[OutputSpec]) -> Iterator[Result]:
        suffix = suffix_of(self.options.format) if self.options.format else None
        suffix = suffix or Place.of(specs[0].task.output).deepest
        sheets = SheetWriter(folder / SHEETS)
        row: Arrays = {}
        for number, image in enumerate(self._generated(specs), 1):
            path = folder / f"{number:04}{suffix}"
            yield self._write(path, image)
            row[f"{(number - 1) % COLUMNS + 1}"] = to_array(image.pixels)
            if len(row) == COLUMNS:
                sheets.add(row, f"from {number - COLUMNS + 1:04}")
                row = {}
        if row:
            blank = np.ones_like(next(iter(row.values())))  # a sheet's rows have the same columns
            rest = range(len(row) + 1, COLUMNS + 1) if number > COLUMNS else ()
            sheets.add(row | {f"{column}": blank for column in rest}, f"from {number - len(row) + 1:04}")
        sheets.close()

    def _write(self, path: Path, image: DecodedImage) -> Result:
        if (existing := self._existing(path)) is not None:
            return existing
        try:
            write_image(path, image)
        except UserError as error:
            return Result(path.name, None, "failed", str(error))
        return self._done(path)

    def _video(self, path: Path, specs: Sequence[OutputSpec]) -> Result:
        if (existing := self._existing(path)) is not None:
            return existing
        from i2icli.video import write_video  # images need not load it

        frames = (_rgb(change_type(image.pixels, np.uint8)) for image in self._generated(specs))
        write_video(path, frames, FPS)
        return self._done(path)

    def _existing(self, path: Path) -> Result | None:
        """What is there already; ours stays, what is not is not touched either."""
        standing = "none" if self.options.overwrite else self.record.standing(path, Origin())
        if standing == "none":
            self.record.begin([path])
            return None
        refusal = self.record.refusal(path, standing)
        return (
            Result(path.name, path, "there")
            if refusal is None
            else Result(path.name, None, "failed", refusal)
        )

    def _done(self, path: Path) -> Result:
        self.record.made([path], Origin(), Origin().read())
        return Result(path.name, path, "done")

    def _generated(self, specs: Sequence[OutputSpec]) -> Iterator[DecodedImage]:
        """The images of some specs of one task, of its range and number type."""
        port = specs[0].task.output
        dtype = np.dtype(port.dtype or np.uint8)
        count = images_together(self.inference, self.options.batch_size)
        for start in range(0, len(specs), count):
            images = self.inference.compute({}, *specs[start : start + count])
            yield from (from_output(image, dtype, port.range, alpha=port.reading.alpha) for image in images)


def plan_sampling(inference: Inference, out: Path, options: TranslateOptions) -> Sampling:
    """Check what is asked of a model that generates.

    Raises UserError for what it does not read or know.
    """
    outputs = inference.outputs(generating=True)
    if not outputs.tasks:
        raise UserError(f"{outputs.name} translates images, but no input images are given")
    outputs.check(options)
    if options.reference or options.source is not None or options.size is not None:
        raise UserError("samples are generated from latent codes alone: no --reference, --from or --size")
    wanted = []
    for task in outputs.resolve(options.to):
        truncate = options.truncate if "truncate" in task.reads else None
        spec = OutputSpec(task, truncate=truncate, seed=options.seed)
        wanted.append(tuple(with_codes(spec, outputs.codes(task, options, SAMPLES, ENDS))))
    settings = settings_of(inference.model, options)
    started_at = write_manifest(out, settings, overwrite=options.overwrite)
    sampling = Sampling(inference, out, options, tuple(wanted), Record(out, settings))
    if options.interpolate is None and not options.overwrite:
        for specs in sampling.wanted:
            check_sheets(sampling.folder(specs[0].task) / SHEETS, -(-len(specs) // COLUMNS), started_at)
    for specs in sampling.wanted:
        inference.backend.expect(specs[0].task, len(specs))
    return sampling


def _rgb(pixels: NDArray[Any]) -> NDArray[Any]:
    """(H, W, C) -> (H, W, 3): grey is repeated, more channels show their first three."""
    return pixels[:, :, :3] if pixels.shape[2] >= 3 else np.repeat(pixels[:, :, :1], 3, axis=2)
