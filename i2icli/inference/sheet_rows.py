"""The rows of contact sheets: an input, its outputs, and what they should show."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

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
        names = [spec.name or "output" for spec in self.specs]
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
        label = "input" if "input" not in names else "given"
        row = {label: given} | dict(zip(names, (to_array(each.pixels) for each in afters), strict=True))
        if self.truths:
            known = truth if truth is not None else self.truth(job, afters[0])
            row[TRUTH] = np.ones_like(given) if known is None else to_array(known)
        return row


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
