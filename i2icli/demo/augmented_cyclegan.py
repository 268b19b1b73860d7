"""The Augmented CycleGAN demonstration: one drawing, many ways to dye it."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from i2icli.demo.demo import TEST, Demo, Shown
from i2icli.demo.toy.styles import write_styles
from i2icli.image import read_image
from i2icli.inference.translator import Translator

SIDE, TRAIN = 48, 400  # pixels, drawings
ANSWERS = 3  # per drawing

Pixels = NDArray[Any]


def _write(folder: Path, seed: int) -> None:
    write_styles(folder, TRAIN, TEST, SIDE, seed)


def _show(translator: Translator, folder: Path) -> Shown:
    """Every test drawing with drawn codes, and with the look of the next test picture."""
    codes = np.random.default_rng(0).standard_normal((ANSWERS, translator.tasks[0].latent_size))
    drawings, pictures = (sorted((folder / side).glob("*.png")) for side in ("testA", "testB"))
    rows, differences, returns, turns = [], [], [], []
    for drawing, style in zip(drawings, pictures[1:] + pictures[:1], strict=True):
        given, look = read_image(drawing).pixels, read_image(style).pixels
        answers = [np.asarray(translator.translate(given, latent=code)) for code in codes]
        dressed = np.asarray(translator.translate(given, reference=style))
        differences += [_difference(a, b) for a, b in zip(answers, answers[1:] + answers[:1], strict=True)]
        returns += [_difference(np.asarray(translator.translate(each, to="A")), given) for each in answers]
        turns.append(_turn(_hue(dressed), _hue(look)))
        rows.append([given, *answers, look, dressed])
    columns = (
        "drawing",
        *(f"answer {number}" for number in range(1, ANSWERS + 1)),
        "a look",
        "with that look",
    )
    figures = (
        ("mean difference of two answers to one drawing", f"{np.mean(differences):.1f} of 255"),
        ("mean difference of a drawing and what an answer leads back to", f"{np.mean(returns):.1f} of 255"),
        ("hue with a look against that look's hue (90 were chance)", f"{np.mean(turns):.0f} degrees"),
    )
    return Shown(columns, rows, figures)


def _difference(a: Pixels, b: Pixels) -> float:
    return float(np.abs(a.astype(float) - b.astype(float)).mean())


def _hue(pixels: Pixels) -> float:
    """The mean direction of all colours (H, W, 3) around the grey axis, in degrees."""
    red, green, blue = np.moveaxis(pixels.astype(float), 2, 0)  # (H, W) each
    across, along = np.sqrt(3) / 2 * (green - blue), red - (green + blue) / 2
    return float(np.degrees(np.arctan2(across.sum(), along.sum())))


def _turn(a: float, b: float) -> float:
    """The angle between two hues, 0 to 180 degrees."""
    return abs((a - b + 180) % 360 - 180)


DEMO = Demo(
    "augmented_cyclegan", "drawings dyed in many ways, learned without pairs", "styles", _write, _show
)
