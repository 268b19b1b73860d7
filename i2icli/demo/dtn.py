"""The DTN demonstration: from ink on paper, whose digits are known, to the look of unlabelled signs."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from i2icli.demo.demo import Demo, Shown, mean_psnr
from i2icli.demo.toy.digits import digit, write_digits
from i2icli.image import read_image
from i2icli.inference.translator import Translator

TRAIN, TEST = 2000, 100  # digits
KNOWN = 100  # real signs of each digit that the reader compares with
SEEDS = 5_000_000  # of these: no image of the data folder has one


class Reader:
    """Reads the digit on a sign: that of the most similar among many real ones."""

    def __init__(self) -> None:
        self.numbers = np.repeat(np.arange(10), KNOWN)  # (N,)
        signs = [digit(int(number), SEEDS + place).sign for place, number in enumerate(self.numbers)]
        self.signs = np.stack(signs).reshape(len(signs), -1).astype(np.float32)  # (N, H W C)
        self.lengths = (self.signs**2).sum(1)  # (N,)

    def share(self, signs: list[NDArray[Any]], numbers: list[int]) -> str:
        """How many signs (H, W, 3) are read correctly, in words."""
        given = np.stack(signs).reshape(len(signs), -1).astype(np.float32)  # (B, H W C)
        nearest = (self.lengths - 2 * given @ self.signs.T).argmin(1)  # (B,)
        return f"{100 * np.mean(self.numbers[nearest] == numbers):.0f} % of {len(signs)}"


def _write(folder: Path, seed: int) -> None:
    write_digits(folder, TRAIN, TEST, seed=seed)


def _show(translator: Translator, folder: Path) -> Shown:
    rows: list[list[NDArray[Any]]] = []
    numbers: list[int] = []
    for path in sorted((folder / "test" / "source").rglob("*.png"), key=lambda path: path.name):
        truth = folder / "test" / "target" / path.parent.name / path.name
        pixels = read_image(path).pixels
        rows.append([pixels, np.asarray(translator.translate(pixels)), read_image(truth).pixels])
        numbers.append(int(path.parent.name))
    inputs, answers, truths = (list(column) for column in zip(*rows, strict=True))
    reader = Reader()
    figures = (
        ("digits read correctly from the output", reader.share(answers, numbers)),
        ("digits read correctly from real signs", reader.share(truths, numbers)),
        ("digits read correctly from the untranslated input", reader.share(inputs, numbers)),
        ("PSNR of the output against the same digit as a sign", f"{mean_psnr(answers, truths):.1f} dB"),
    )
    return Shown(("input", "output", "the same digit as a sign"), rows, figures)


DEMO = Demo("dtn", "labelled ink to unlabelled signs", "digits", _write, _show)
