"""Measure a system on validation images: PSNR and SSIM where there is a truth, its own numbers, spectra."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from i2icli.data.examples import Example, Examples
from i2icli.scores import psnr, ssim
from i2icli.system import Batch, System
from i2icli.training.sample_spectra import SampleSpectra

Scores = dict[str, float]


class Subset(Examples):
    """At most `count` of the given examples, evenly spread over them."""

    def __init__(self, examples: Examples, count: int) -> None:
        self.examples = examples
        self.count = min(count, len(examples))

    def __len__(self) -> int:
        return self.count

    def get(self, index: int, rng: np.random.Generator | None) -> Example:
        """The example at that place of the selection."""
        return self.examples.get(index * len(self.examples) // self.count, rng)


@dataclass(frozen=True)
class Measured:
    """What a measurement on images found."""

    scores: Scores
    remarks: tuple[str, ...] = ()  # what stands out, in words


def validate(system: System[Any], batches: Iterable[Batch]) -> Measured:
    """Mean scores over the images, e.g. {"psnr": 18.2, "ssim": 0.61}; with several outputs "psnr/A_to_B", ...

    PSNR in dB and SSIM, both over the range [-1, 1], where the data holds the ground truth; beside them what
    the system measures itself, and how far the spectrum of its samples is from that of the images. Scores are
    empty where there is nothing of these.
    """
    values: dict[str, list[float]] = defaultdict(list)
    spectra = SampleSpectra()
    for batch in batches:
        found = system.evaluate(batch)
        spectra.add(found.generated)
        for name, (output, truth) in found.compared.items():
            suffix = f"/{name}" if name else ""
            values[f"psnr{suffix}"] += psnr(output.float(), truth.float()).tolist()
            values[f"ssim{suffix}"] += ssim(output.float(), truth.float()).tolist()
        for name, each in found.measured.items():
            values[name] += each.float().tolist()
    scores = {name: sum(each) / len(each) for name, each in values.items() if each}
    return Measured(scores | spectra.scores(), tuple(spectra.remarks()))


def measure_spectra(system: System[Any], batches: Iterable[Batch]) -> Measured:
    """Only how far the spectrum of samples is from that of images that it has learned from."""
    spectra = SampleSpectra()
    for batch in batches:
        spectra.add(system.evaluate(batch).generated)
    return Measured(spectra.scores(), tuple(spectra.remarks()))


def quality(scores: Scores, criterion: str) -> float | None:
    """The one number by which the best model is kept, the higher the better: `System.criterion`.

    The mean over several answers, "psnr/A_to_B", ...; None where it was not measured.
    """
    each = [value for name, value in scores.items() if name.partition("/")[0] == criterion]
    return sum(each) / len(each) if each else None
