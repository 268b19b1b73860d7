"""Outputs beside inputs and ground truth, for pix2pix and CycleGAN."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from i2icli.demo.demo import DemoResults, mean_psnr
from i2icli.image import read_image
from i2icli.inference.translator import Translator


def evaluate_pairs(translator: Translator, given: Path, truth: Path) -> DemoResults:
    """Translate every image of a folder; the file of the same name in `truth` is its ground truth."""
    rows: list[list[NDArray[Any]]] = []
    for source in sorted(given.glob("*.png")):
        pixels = read_image(source).pixels
        output = np.asarray(translator.translate(pixels))
        rows.append([pixels, output, read_image(truth / source.name).pixels])
    inputs, outputs, truths = zip(*rows, strict=True)
    metrics = (
        ("PSNR of the output against the truth", f"{mean_psnr(outputs, truths):.1f} dB"),
        ("PSNR of the untranslated input", f"{mean_psnr(inputs, truths):.1f} dB"),
    )
    return DemoResults(("input", "output", "truth"), rows, metrics)
