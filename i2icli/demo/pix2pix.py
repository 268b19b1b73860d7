"""pix2pix demo: from label maps to landscapes."""

from pathlib import Path

from i2icli.demo.demo import SIDE, TEST, TRAIN, Demo, DemoResults
from i2icli.demo.pairs import evaluate_pairs
from i2icli.demo.toy.scenes import write_paired
from i2icli.inference.translator import Translator


def _write(folder: Path, seed: int) -> None:
    write_paired(folder, TRAIN, TEST, SIDE, seed)


def _evaluate(translator: Translator, folder: Path) -> DemoResults:
    return evaluate_pairs(translator, folder / "test/A", folder / "test/B")


DEMO = Demo("pix2pix", "label map to photo, from paired images", "paired", _write, _evaluate)
