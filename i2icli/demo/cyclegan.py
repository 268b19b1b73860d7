"""CycleGAN demo: from summer days to autumn evenings."""

from pathlib import Path

from i2icli.demo.demo import SIDE, TEST, TRAIN, Demo, DemoResults
from i2icli.demo.pairs import evaluate_pairs
from i2icli.demo.toy.scenes import write_unpaired
from i2icli.inference.translator import Translator


def _write(folder: Path, seed: int) -> None:
    write_unpaired(folder, TRAIN, TEST, SIDE, seed)


def _evaluate(translator: Translator, folder: Path) -> DemoResults:
    return evaluate_pairs(translator, folder / "testA", folder / "testB")


DEMO = Demo("cyclegan", "summer day to autumn evening, from unpaired images", "unpaired", _write, _evaluate)
