"""Answers beside inputs and their truth, for systems that translate one way: pix2pix, CycleGAN."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from i2icli.demo.demo import Shown, mean_psnr
from i2icli.image import read_image
from i2icli.inference.translator import Translator


def show_against_truth(translator: Translator, given: Path, truth: Path) -> Shown:
    """Translate every picture of a folder; its namesake in `truth` is what should come out."""
    rows: list[list[NDArray[Any]]] = []
    for source in sorted(given.glob("*.png")):
        pixels = read_image(source).pixels
        answer = np.asarray(translator.translate(pixels))
        rows.append([pixels, answer, read_image(truth / source.name).pixels])
    inputs, answers, truths = zip(*rows, strict=True)
    figures = (
        ("PSNR of the output against the truth", f"{mean_psnr(answers, truths):.1f} dB"),
        ("PSNR of the untranslated input", f"{mean_psnr(inputs, truths):.1f} dB"),
    )
    return Shown(("input", "output", "truth"), rows, figures)
