"""What a system's demonstration is: data it can be trained on, and a look at what it learned."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from i2icli.image import to_tensor
from i2icli.inference.outputs import OutputSpec
from i2icli.inference.translator import Translator
from i2icli.scores import psnr
from i2icli.task import Task

SIDE = 64  # pixels
TRAIN, TEST = 200, 24  # scenes


@dataclass(frozen=True)
class Shown:
    """What a trained system did with test pictures it never saw."""

    columns: tuple[str, ...]
    rows: list[list[NDArray[Any]]]  # one picture (H, W, 3) of uint8 per column
    figures: tuple[tuple[str, str], ...]  # what was measured, and its value with the unit


@dataclass(frozen=True)
class Demo:
    """One system, its made-up data and how its answers are shown.

    `write(folder, seed)` writes the data in a layout that `i2i train` recognises; the recipe is
    `<system>-demo`. `show(translator, folder)` translates the test pictures in it and measures.
    """

    system: str
    title: str
    folder: str  # name of the data folder, below the demo's
    write: Callable[[Path, int], None]
    show: Callable[[Translator, Path], Shown]
    parts: tuple[str, ...] = (".",)  # what of the data folder is given to `i2i train`


def mean_psnr(answers: Iterable[NDArray[Any]], truths: Iterable[NDArray[Any]]) -> float:
    """Mean PSNR in dB of pictures (H, W, C) of uint8 against their truth."""
    each = [
        float(psnr(to_tensor(answer)[None], to_tensor(truth)[None]))
        for answer, truth in zip(answers, truths, strict=True)
    ]
    return float(np.mean(each))


def generated(translator: Translator, codes: Tensor) -> Tensor:
    """What a system generates of latent codes (N, Z): (N, C, H, W) in [-1, 1], float32 on the CPU."""
    return translator.generate(OutputSpec(_generating(translator)), codes)


def latent_size(translator: Translator) -> int:
    """Numbers in a code that it generates images of."""
    return _generating(translator).latent_size


def _generating(translator: Translator) -> Task:
    """The first of its tasks that generates."""
    return next(task for task in translator.tasks if task.generates)
