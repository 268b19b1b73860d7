"""Unlabelled landscapes on summer days, for unconditional generation."""

from pathlib import Path

from i2icli.demo.toy.scenes import TEST_SEEDS, scene, write_png


def write_landscapes(folder: Path, train: int, test: int, size: int = 64, seed: int = 0) -> None:
    """Write `train` and `test` images, `size` pixels square, into train/ and test/."""
    for split, number, first in (("train", train, seed), ("test", test, seed + TEST_SEEDS)):
        for index in range(number):
            write_png(folder / split / f"{index:04}.png", scene(first + index, size).photo)
