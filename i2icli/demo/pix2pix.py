"""The pix2pix demonstration: from label maps to little landscapes."""

from pathlib import Path

from i2icli.demo.demo import SIDE, TEST, TRAIN, Demo, Shown
from i2icli.demo.pairs import show_against_truth
from i2icli.demo.toy.scenes import write_paired
from i2icli.inference.translator import Translator


def _write(folder: Path, seed: int) -> None:
    write_paired(folder, TRAIN, TEST, SIDE, seed)


def _show(translator: Translator, folder: Path) -> Shown:
    return show_against_truth(translator, folder / "test/A", folder / "test/B")


DEMO = Demo("pix2pix", "label map to photo, learned from pairs", "paired", _write, _show)
