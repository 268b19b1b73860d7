"""The CycleGAN demonstration: from summer days to autumn evenings."""

from pathlib import Path

from i2icli.data.toy import write_unpaired
from i2icli.demo.lesson import SIDE, TEST, TRAIN, Lesson, Shown
from i2icli.demo.pairs import show_against_truth
from i2icli.engine.translator import Translator


def _write(folder: Path, seed: int) -> None:
    write_unpaired(folder, TRAIN, TEST, SIDE, seed)


def _show(translator: Translator, folder: Path) -> Shown:
    return show_against_truth(translator, folder / "testA", folder / "testB")


LESSON = Lesson("cyclegan", "summer day to autumn evening, learned without pairs", "unpaired", _write, _show)
