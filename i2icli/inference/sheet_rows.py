"""The rows of contact sheets: an input, its outputs, and what they should show."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from i2icli.errors import UserError
from i2icli.image import SUFFIXES, DecodedImage, Pixels, holds, kinds, read_image, to_array
from i2icli.inference.inference import Inference
from i2icli.inference.inputs import Job
from i2icli.inference.outputs import OutputSpec
from i2icli.inference.results import Result
from i2icli.inference.truth import Scores, read_truth
from i2icli.report.sheet import Row

TRUTH = "ground truth"  # name of a column


class SheetRows:
    """Makes the row of an input."""

    def __init__(
        self, inference: Inference, specs: Sequence[OutputSpec], problems: list[str], *, truths: bool
    ) -> None:
        """problems: gets lines; truths: whether some are known, as all rows have the same columns."""
        self.inference, self.specs, self.problems, self.truths = inference, specs, problems, truths

    def _names(self) -> list[str]:
        return [spec.name or "output" for spec in self.specs]

    def _label(self) -> str:
        return "input" if "input" not in self._names() else "given"

    def head(self) -> Row | None:
        """The references, each above its output; None without any, or where one cannot be shown."""
        if all(spec.reference is None for spec in self.specs):
            return None
        try:
            shown = [_blank() if spec.reference is None else self._reference(spec) for spec in self.specs]
        except (UserError, MemoryError):
            return None
        row = {self._label(): _blank()} | dict(zip(self._names(), shown, strict=True))
        return row | ({TRUTH: _blank()} if self.truths else {})

    def _reference(self, spec: OutputSpec) -> NDArray[np.float32]:
        assert spec.reference is not None
        assert spec.task.reference is not None
        image: NDArray[np.float32] = self.inference.references.image(spec.reference, spec.task.reference)[0]
        return image

    def truth(self, job: Job, like: DecodedImage | None) -> Pixels | None:
        """The ground truth of the first output, at its size; None if it is not known or cannot be read."""
        if job.truth is None or like is None:
            return None
        try:
            return read_truth(job.truth, self.specs[0].task.output, like)
        except (UserError, MemoryError) as error:
            self.problems.append(f"{job.source} is not scored: {str(error) or 'not enough memory'}")
            return None

    def row(
        self,
        job: Job,
        image: DecodedImage | None,
        results: Sequence[Result],
        made: Mapping[Path, DecodedImage],
        truth: Pixels | None,
    ) -> Row | None:
        """Input and outputs, all at the size of the first; None unless every output is there.

        image: the input, made: outputs, truth: what they should show, as far as they are at hand.
        """
        targets = [result.target for result in results if result.target is not None]
        if len(targets) < len(self.specs):
            return None
        names = self._names()
        try:
            afters = [
                made.get(target) or _existing_image(target, spec)
                for spec, target in zip(self.specs, targets, strict=True)
            ]
            before = image or self.inference.decode(job.item, self.specs[0].task)
        except (UserError, MemoryError):
            return None  # the input is what it was when the result was made, or the sheet does without
        port = next(iter(self.specs[0].task.inputs.values()))
        size = afters[0].pixels.shape[:2]  # --size may have made another of the input's
        given = to_array(kinds.displayed(before.pixels, port, size))
        row = {self._label(): given} | dict(
            zip(names, (to_array(each.pixels) for each in afters), strict=True)
        )
        if self.truths:
            known = truth if made else self.truth(job, afters[0])
            row[TRUTH] = np.ones_like(given) if known is None else to_array(known)
        return row


def _blank() -> NDArray[np.float32]:
    """Nothing, on a white sheet."""
    return np.ones((3, 1, 1), np.float32)


def captioned(name: str, results: Sequence[Result]) -> str:
    """The name of a row, with the scores of its first output if there are any."""
    first = next((each for each in results if each.psnr is not None and each.ssim is not None), None)
    if first is None or first.psnr is None or first.ssim is None:
        return name
    return f"{name}   {Scores(first.psnr, first.ssim)}"


def _existing_image(path: Path, spec: OutputSpec) -> DecodedImage:
    """A result of an earlier run, to be shown. Raises UserError."""
    port = spec.task.output
    whole = holds(SUFFIXES[path.suffix.lower()], port.dtype or "uint8")  # not made 8 bit
    return read_image(path, range=port.range if whole else None)
