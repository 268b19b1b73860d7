"""What detectors are fitted to and judged on: pairs of a fake and a real image, treated alike."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.detector.fakes import RESIZERS, Pixels, blurred, jpeg, noisy
from i2icli.image.finding import find_images


@dataclass(frozen=True)
class Pair:
    """A fake and a real image of the same content."""

    generator: str
    content: str
    real: Pixels
    fake: Pixels


def family_pairs(folder: Path, most: int, *, skip: Sequence[str] = ()) -> list[Pair]:
    """At most `most` pairs of each generator of `benchmarks.detector.family`, spread over its images."""
    found = []
    for generator in sorted(path.parent for path in folder.glob("*/fake") if path.parent.name not in skip):
        reals, fakes = find_images(generator / "real"), find_images(generator / "fake")
        number = min(most, len(reals), len(fakes))
        for index in np.linspace(0, min(len(reals), len(fakes)) - 1, number).round().astype(int):
            images = (np.asarray(Image.open(files[index]).convert("RGB")) for files in (reals, fakes))
            found.append(Pair(generator.name, generator.name.split("-")[0], *images))
    return found


TREATMENTS = ("none", "jpeg", "resized", "resized+jpeg", "other")


def treated(
    treatment: str, images: Sequence[Pixels], side: int, rng: np.random.Generator
) -> Iterator[Pixels]:
    """The same random part of each image, `side` pixels square, perturbed in the same way.

    Half of the parts begin at a multiple of 8 pixels, as in images that nobody cropped.
    """
    quality, subsampling = int(rng.integers(50, 97)), int(rng.choice([0, 2]))
    factor = float(np.exp(rng.uniform(np.log(0.5), np.log(2)))) if "resized" in treatment else 1.0
    method = RESIZERS[int(rng.integers(3))]
    height, width = np.minimum.reduce([image.shape[:2] for image in images])
    region = min(int(np.ceil(side / factor)), height, width)
    top, left = rng.integers(0, height - region + 1), rng.integers(0, width - region + 1)
    if rng.random() < 0.5:
        top, left = top // 8 * 8, left // 8 * 8
    blur, noise, which = rng.uniform(0.3, 1), rng.uniform(1, 5), rng.random() < 0.5
    for image in images:
        part = np.ascontiguousarray(image[top : top + region, left : left + region])
        if "resized" in treatment:
            part = np.asarray(Image.fromarray(part).resize((side, side), method))
        if "jpeg" in treatment:
            part = jpeg(part, quality, subsampling)
        if treatment == "other":
            part = blurred(part, blur) if which else noisy(part, noise, rng)
        yield part
