"""Trace vectors and conditions of fakes and real images that went through what images go through."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.detector.fakes import Pixels, jpeg, resized
from benchmarks.detector.material import Pair
from i2icli.detector.cascade import ODD_COLUMNS
from i2icli.detector.evidence import condition
from i2icli.detector.traces import measure_traces

CONDITIONS = ("lossless", "JPEG 90", "JPEG 75", "0.75x", "0.75x, JPEG 90", "other")
"""What everything is judged under; `other`: JPEG of 50 to 97, resizing by 0.5 to 2, or both, at random."""


@dataclass
class Judged:
    """One row per image; names of the fields are those of cached .npz files."""

    vectors: NDArray[np.float32]  # (N, 174)
    conditions: NDArray[np.float64]  # (N, 10)
    fake: NDArray[np.bool_]  # (N,)
    generators: NDArray[np.str_]  # (N,): of a fake, and of the fake beside a real image
    contents: NDArray[np.str_]  # (N,)
    treatments: NDArray[np.str_]  # (N,): of CONDITIONS


def judged(pairs: Sequence[Pair], seed: int = 0) -> Judged:
    """All pairs under all conditions, both images of a pair treated alike."""
    rng, rows = np.random.default_rng(seed), []
    for pair in pairs:
        for treatment in CONDITIONS:
            images = list(_treated(treatment, (pair.fake, pair.real), rng))
            for (image, quality), truth in zip(images, (True, False), strict=True):
                vector = measure_traces(image).vector
                odd = float(vector[ODD_COLUMNS].mean())
                rows.append(
                    (vector, condition(image, quality, odd), truth, pair.generator, pair.content, treatment)
                )
    return Judged(*(np.array(column) for column in zip(*rows, strict=True)))


def real_squares(folder: Path, most: int) -> list[Pair]:
    """The first photographs of a folder, without fakes: a pair's fake is its real image, to be left out."""
    files = sorted(folder.glob("*.png"))[:most]
    images = [np.asarray(Image.open(file).convert("RGB")) for file in files]
    return [Pair("none", folder.name, image, image) for image in images]


def joined(parts: Sequence[Judged]) -> Judged:
    """The concatenation."""
    return Judged(*(np.concatenate([getattr(each, one.name) for each in parts]) for one in fields(Judged)))


def cached(path: Path, pairs: Sequence[Pair]) -> Judged:
    """From a file, or judged now and written there."""
    if path.exists():
        with np.load(path) as arrays:
            return Judged(**arrays)
    made = judged(pairs)
    np.savez_compressed(path, **vars(made))
    return made


def _treated(
    treatment: str, images: Sequence[Pixels], rng: np.random.Generator
) -> Iterator[tuple[Pixels, int | None]]:
    """The images, and the quality of their last compression."""
    factor, quality = (0.75 if "x" in treatment else 1.0), None
    if "JPEG" in treatment:
        quality = int(treatment[-2:])
    if treatment == "other":
        factor = float(np.exp(rng.uniform(np.log(0.5), np.log(2)))) if rng.random() < 0.67 else 1.0
        quality = int(rng.integers(50, 98)) if factor == 1 or rng.random() < 0.5 else None
    subsampling = int(rng.choice([0, 2]))
    for image in images:
        done = image if factor == 1 else resized(image, factor)
        yield (done if quality is None else jpeg(done, quality, subsampling)), quality
