"""StarGAN demo: toggling attributes of portraits one at a time."""

from pathlib import Path

import numpy as np

from i2icli.data.kinds.attributes import read_attributes
from i2icli.demo.demo import TEST, TRAIN, Demo, DemoResults, mean_psnr
from i2icli.demo.toy.attributes import ATTRIBUTES, FILE, write_attributes
from i2icli.image import read_image
from i2icli.inference.translator import Translator

SIDE = 48  # pixels: smaller than in other demos, as one network learns all attributes


def _write(folder: Path, seed: int) -> None:
    write_attributes(folder, TRAIN, TEST, SIDE, seed)


def _evaluate(translator: Translator, folder: Path) -> DemoResults:
    """Every test portrait with each attribute flipped, and its ground truth below.

    Outputs whose ground truth equals the input (its hair has that colour already) are not scored.
    """
    table = read_attributes(folder / FILE, ATTRIBUTES)
    rows, measured = [], []
    for path in sorted((folder / "test").glob("*.png")):
        given = read_image(path).pixels
        has = [name for name, on in zip(ATTRIBUTES, table.rows[f"test/{path.name}"], strict=True) if on]
        outputs = [np.asarray(translator.translate(given, to=to, source=",".join(has))) for to in ATTRIBUTES]
        truths = [read_image(folder / "truth" / to / path.name).pixels for to in ATTRIBUTES]
        rows += [[given, *outputs], [given, *truths]]
        measured += [
            (output, given, truth)
            for output, truth in zip(outputs, truths, strict=True)
            if not np.array_equal(given, truth)
        ]
    translated, inputs, truths = zip(*measured, strict=True)
    metrics = (
        (
            "PSNR of portraits with one attribute flipped against the truth",
            f"{mean_psnr(translated, truths):.1f} dB",
        ),
        ("PSNR of the untranslated portraits", f"{mean_psnr(inputs, truths):.1f} dB"),
    )
    columns = ("input", *(name.replace("_", " ").lower() for name in ATTRIBUTES))
    return DemoResults(columns, rows, metrics)


DEMO = Demo(
    "stargan", "hair, glasses and smiles of portraits, output above truth", "attributes", _write, _evaluate
)
