"""The StarGAN demonstration: attributes of portraits turned on and off, one at a time."""

from pathlib import Path

import numpy as np

from i2icli.data.kinds.attributes import read_attributes
from i2icli.demo.demo import TEST, TRAIN, Demo, Shown, mean_psnr
from i2icli.demo.toy.attributes import ATTRIBUTES, FILE, write_attributes
from i2icli.image import read_image
from i2icli.inference.translator import Translator

SIDE = 48  # pixels: smaller than other lessons, as one network learns all attributes


def _write(folder: Path, seed: int) -> None:
    write_attributes(folder, TRAIN, TEST, SIDE, seed)


def _show(translator: Translator, folder: Path) -> Shown:
    """Every test portrait with each attribute flipped, and below what it would then look like.

    Answers that should equal the input, as its hair has that colour already, are not measured.
    """
    table = read_attributes(folder / FILE, ATTRIBUTES)
    rows, measured = [], []
    for path in sorted((folder / "test").glob("*.png")):
        given = read_image(path).pixels
        has = [name for name, on in zip(ATTRIBUTES, table.rows[f"test/{path.name}"], strict=True) if on]
        answers = [np.asarray(translator.translate(given, to=to, source=",".join(has))) for to in ATTRIBUTES]
        truths = [read_image(folder / "truth" / to / path.name).pixels for to in ATTRIBUTES]
        rows += [[given, *answers], [given, *truths]]
        measured += [
            (answer, given, truth)
            for answer, truth in zip(answers, truths, strict=True)
            if not np.array_equal(given, truth)
        ]
    ours, inputs, truths = zip(*measured, strict=True)
    figures = (
        (
            "PSNR of portraits with one attribute flipped against the truth",
            f"{mean_psnr(ours, truths):.1f} dB",
        ),
        ("PSNR of the untranslated portraits", f"{mean_psnr(inputs, truths):.1f} dB"),
    )
    columns = ("input", *(name.replace("_", " ").lower() for name in ATTRIBUTES))
    return Shown(columns, rows, figures)


DEMO = Demo(
    "stargan", "hair, glasses and smiles of portraits, output above truth", "attributes", _write, _show
)
