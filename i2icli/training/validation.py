"""Validation: PSNR, SSIM and segmentation against ground truth, own metrics of a system, and spectra."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from i2icli.data.examples import Example, Examples
from i2icli.flow.flicker import Flicker
from i2icli.report.clips import Clip
from i2icli.scores import psnr, ssim
from i2icli.system import Batch, System
from i2icli.training.clip_scores import ClipScores
from i2icli.training.label_scores import REAL, LabelScores
from i2icli.training.sample_spectra import SampleSpectra
from i2icli.training.segmenter import Segmenter

EARLY = 1000  # steps during which artefacts in samples are normal

Scores = dict[str, float]


class Subset(Examples):
    """At most `count` of the given examples, evenly spaced."""

    def __init__(self, examples: Examples, count: int) -> None:
        self.examples = examples
        self.count = min(count, len(examples))

    def __len__(self) -> int:
        return self.count

    def get(self, index: int, rng: np.random.Generator | None) -> Example:
        """The example at this index of the subset."""
        return self.examples.get(index * len(self.examples) // self.count, rng)


@dataclass(frozen=True)
class Measured:
    """The result of a validation."""

    scores: Scores
    warnings: tuple[str, ...] = ()  # artefacts in the samples, one sentence each
    clip: Clip = field(default_factory=dict)  # of systems of videos, to be shown
    flicker: Flicker | None = None  # of what is at rest in the clips


def validate(system: System[Any], batches: Iterable[Batch], segmenter: Segmenter | None = None) -> Measured:
    """Mean scores over the images, e.g. {"psnr": 18.2, "ssim": 0.61}; with several outputs "psnr/A_to_B", ...

    PSNR in dB and SSIM, both over the range [-1, 1], where the data has ground truth; what a segmentation
    network finds in photos made from label maps; the flicker of clips; the system's own metrics; and the
    spectral distance between its samples and the images. Scores may be empty.
    """
    values: dict[str, list[float]] = defaultdict(list)
    spectra = SampleSpectra()
    labels = LabelScores(segmenter) if segmenter else None
    clips = ClipScores()
    for batch in batches:
        found = system.evaluate(batch)
        spectra.add(found.generated)
        clips.add(found)
        if labels:
            labels.add(found)
        for name, (output, truth) in found.compared.items():
            suffix = f"/{name}" if name else ""
            values[f"psnr{suffix}"] += psnr(output.float(), truth.float()).tolist()
            values[f"ssim{suffix}"] += ssim(output.float(), truth.float()).tolist()
        for name, each in found.measured.items():
            values[name] += each.float().tolist()
    scores = {name: sum(each) / len(each) for name, each in values.items() if each}
    if labels:
        scores |= labels.scores()
    scores |= clips.scores() | spectra.scores()
    return Measured(scores, tuple(spectra.warnings()), clips.shown, clips.flicker())


def measure_spectra(system: System[Any], batches: Iterable[Batch]) -> Measured:
    """Only the spectral distance between samples and training images."""
    spectra = SampleSpectra()
    for batch in batches:
        spectra.add(system.evaluate(batch).generated)
    return Measured(spectra.scores(), tuple(spectra.warnings()))


def quality(scores: Scores, criterion: str) -> float | None:
    """The score that selects the best model, higher is better: `System.criterion`, or `--best-by`.

    The mean over several outputs, "psnr/A_to_B", ..., without that of real images; None if it was not
    measured.
    """
    real = f"{criterion}/{REAL}"
    each = [value for name, value in scores.items() if name.partition("/")[0] == criterion and name != real]
    return sum(each) / len(each) if each else None


def remarks(warnings: Sequence[str], step: int, steps: int) -> list[str]:
    """Warnings about samples, milder where the training has just begun."""
    early = " (normal this early)" if step < max(EARLY, steps / 2) else ""
    return [f"{each}{early}" for each in warnings]
