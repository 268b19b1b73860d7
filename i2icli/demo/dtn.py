"""DTN demo: from labelled handwriting to unlabelled signs."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from i2icli.demo.demo import Demo, DemoResults, mean_psnr
from i2icli.demo.toy.digits import digit, write_digits
from i2icli.image import read_image
from i2icli.inference.translator import Translator

TRAIN, TEST = 2000, 100  # digits
KNOWN = 100  # reference signs of each digit
SEEDS = 5_000_000  # of the reference signs, disjoint from those of the data folder


class DigitClassifier:
    """Nearest-neighbour classifier of the digit on a sign."""

    def __init__(self) -> None:
        self.numbers = np.repeat(np.arange(10), KNOWN)  # (N,)
        signs = [digit(int(number), SEEDS + index).sign for index, number in enumerate(self.numbers)]
        self.signs = np.stack(signs).reshape(len(signs), -1).astype(np.float32)  # (N, H W C)
        self.squared_norms = (self.signs**2).sum(1)  # (N,)

    def accuracy(self, signs: list[NDArray[Any]], numbers: list[int]) -> str:
        """Accuracy on signs (H, W, 3), as text."""
        given = np.stack(signs).reshape(len(signs), -1).astype(np.float32)  # (B, H W C)
        nearest = (self.squared_norms - 2 * given @ self.signs.T).argmin(1)  # (B,)
        return f"{100 * np.mean(self.numbers[nearest] == numbers):.0f} % of {len(signs)}"


def _write(folder: Path, seed: int) -> None:
    write_digits(folder, TRAIN, TEST, seed=seed)


def _evaluate(translator: Translator, folder: Path) -> DemoResults:
    rows: list[list[NDArray[Any]]] = []
    numbers: list[int] = []
    for path in sorted((folder / "test" / "source").rglob("*.png"), key=lambda path: path.name):
        truth = folder / "test" / "target" / path.parent.name / path.name
        pixels = read_image(path).pixels
        rows.append([pixels, np.asarray(translator.translate(pixels)), read_image(truth).pixels])
        numbers.append(int(path.parent.name))
    inputs, outputs, truths = (list(column) for column in zip(*rows, strict=True))
    classifier = DigitClassifier()
    metrics = (
        ("digit accuracy on outputs", classifier.accuracy(outputs, numbers)),
        ("digit accuracy on real signs", classifier.accuracy(truths, numbers)),
        ("digit accuracy on untranslated inputs", classifier.accuracy(inputs, numbers)),
        ("PSNR of outputs against the same digits as signs", f"{mean_psnr(outputs, truths):.1f} dB"),
    )
    return DemoResults(("input", "output", "ground truth"), rows, metrics)


DEMO = Demo("dtn", "labelled handwriting to unlabelled signs", "digits", _write, _evaluate)
