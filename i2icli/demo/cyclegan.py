"""The CycleGAN demonstration: from summer days to autumn evenings."""

from pathlib import Path

from i2icli.demo.demo import SIDE, TEST, TRAIN, Demo, Shown
from i2icli.demo.pairs import show_against_truth
from i2icli.demo.toy.scenes import write_unpaired
from i2icli.inference.translator import Translator


def _write(folder: Path, seed: int) -> None:
    write_unpaired(folder, TRAIN, TEST, SIDE, seed)


def _show(translator: Translator, folder: Path) -> Shown:
    return show_against_truth(translator, folder / "testA", folder / "testB")


DEMO = Demo("cyclegan", "summer day to autumn evening, learned without pairs", "unpaired", _write, _show)
