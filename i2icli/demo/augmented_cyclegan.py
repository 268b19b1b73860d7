"""Augmented CycleGAN demo: many colourings of one drawing."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from i2icli.demo.demo import TEST, Demo, DemoResults
from i2icli.demo.toy.styles import write_styles
from i2icli.image import read_image
from i2icli.inference.translator import Translator

SIDE, TRAIN = 48, 400  # pixels, drawings
VARIANTS = 3  # per drawing

Pixels = NDArray[Any]


def _write(folder: Path, seed: int) -> None:
    write_styles(folder, TRAIN, TEST, SIDE, seed)


def _evaluate(translator: Translator, folder: Path) -> DemoResults:
    """Every test drawing with random codes, and with the style of the next test image."""
    codes = np.random.default_rng(0).standard_normal((VARIANTS, translator.tasks[0].latent_size))
    drawings, images = (sorted((folder / side).glob("*.png")) for side in ("testA", "testB"))
    rows, differences, cycle_errors, hues = [], [], [], []
    for drawing, style in zip(drawings, images[1:] + images[:1], strict=True):
        given, reference = read_image(drawing).pixels, read_image(style).pixels
        outputs = [np.asarray(translator.translate(given, latent=code)) for code in codes]
        styled = np.asarray(translator.translate(given, reference=style))
        differences += [_difference(a, b) for a, b in zip(outputs, outputs[1:] + outputs[:1], strict=True)]
        cycle_errors += [
            _difference(np.asarray(translator.translate(each, to="A")), given) for each in outputs
        ]
        hues.append(_angle(_hue(styled), _hue(reference)))
        rows.append([given, *outputs, reference, styled])
    columns = (
        "drawing",
        *(f"variant {number}" for number in range(1, VARIANTS + 1)),
        "style reference",
        "with that style",
    )
    metrics = (
        ("mean difference between two variants of a drawing", f"{np.mean(differences):.1f} of 255"),
        (
            "mean difference between a drawing and its reconstruction",
            f"{np.mean(cycle_errors):.1f} of 255",
        ),
        ("hue difference to the style reference (chance: 90)", f"{np.mean(hues):.0f} degrees"),
    )
    return DemoResults(columns, rows, metrics)


def _difference(a: Pixels, b: Pixels) -> float:
    return float(np.abs(a.astype(float) - b.astype(float)).mean())


def _hue(pixels: Pixels) -> float:
    """Hue of the mean colour of (H, W, 3), in degrees."""
    red, green, blue = np.moveaxis(pixels.astype(float), 2, 0)  # (H, W) each
    across, along = np.sqrt(3) / 2 * (green - blue), red - (green + blue) / 2
    return float(np.degrees(np.arctan2(across.sum(), along.sum())))


def _angle(a: float, b: float) -> float:
    """Absolute difference of two hues, 0 to 180 degrees."""
    return abs((a - b + 180) % 360 - 180)


DEMO = Demo(
    "augmented_cyclegan", "many colourings of a drawing, from unpaired images", "styles", _write, _evaluate
)
