"""The demo of a system: synthetic training data, and an evaluation on unseen test images."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from i2icli.image import to_tensor
from i2icli.inference.outputs import OutputSpec, with_codes
from i2icli.inference.translator import Translator
from i2icli.request import Array
from i2icli.scores import psnr
from i2icli.task import Task

SIDE = 64  # pixels
TRAIN, TEST = 200, 24  # scenes


@dataclass(frozen=True)
class DemoResults:
    """Outputs and metrics of a trained system on unseen test images."""

    columns: tuple[str, ...]
    rows: list[list[NDArray[Any]]]  # one uint8 image (H, W, 3) per column
    metrics: tuple[tuple[str, str], ...]  # name, value with unit


@dataclass(frozen=True)
class Demo:
    """The demo of one system: its synthetic data and its evaluation.

    `write(folder, seed)` writes the data in a layout that `i2i train` recognises; the recipe is
    `<system>-demo`. `evaluate(translator, folder)` translates its test images and computes metrics.
    """

    system: str
    title: str
    folder: str  # name of the data folder
    write: Callable[[Path, int], None]
    evaluate: Callable[[Translator, Path], DemoResults]
    parts: tuple[str, ...] = (".",)  # subfolders of the data folder that are passed to `i2i train`


def mean_psnr(outputs: Iterable[NDArray[Any]], truths: Iterable[NDArray[Any]]) -> float:
    """Mean PSNR in dB of uint8 images (H, W, C) against their ground truth."""
    scores = [
        float(psnr(to_tensor(output)[None], to_tensor(truth)[None]))
        for output, truth in zip(outputs, truths, strict=True)
    ]
    return float(np.mean(scores))


def generated(translator: Translator, codes: Array) -> Array:
    """What a system generates of latent codes (N, Z): (N, C, H, W) in [-1, 1], float32."""
    return translator.compute({}, *with_codes(OutputSpec(_generating(translator)), codes))


def latent_size(translator: Translator) -> int:
    """Numbers in a code that it generates images of."""
    return _generating(translator).latent_size


def _generating(translator: Translator) -> Task:
    """The first of its tasks that generates."""
    return next(task for task in translator.tasks if task.generates)
