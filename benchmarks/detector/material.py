"""What detectors are fitted to and judged on: pairs of a fake and a real image of the same content."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from benchmarks.detector.examples import injected
from benchmarks.detector.fakes import SHAPES, UPSAMPLINGS, Pixels, network, random_crop, translated
from i2icli.image.finding import find_images

PART = 160  # pixels, a multiple of 32


@dataclass(frozen=True)
class Pair:
    """A fake and a real image of the same content."""

    generator: str
    content: str
    real: Pixels
    fake: Pixels


def family_names(family: Path) -> list[str]:
    """The generators of `benchmarks.detector.family` that have made images."""
    return sorted(path.parent.name for path in family.glob("*/fake"))


def content_of(generator: str) -> str:
    """What the images of a generator of the family show."""
    return generator.split("-")[0]


def family_pairs(generator: Path, most: int) -> list[Pair]:
    """At most `most` pairs of a generator, spread over its images."""
    reals, fakes = find_images(generator / "real"), find_images(generator / "fake")
    number = min(len(reals), len(fakes))
    found = []
    for index in np.linspace(0, number - 1, min(most, number)).round().astype(int):
        images = (np.asarray(Image.open(files[index]).convert("RGB")) for files in (reals, fakes))
        found.append(Pair(generator.name, content_of(generator.name), *images))
    return found


def random_pairs(pairs: Sequence[Pair], networks: int, each: int, seed: int = 0) -> list[Pair]:
    """Parts of real images with the fine detail of networks with random weights, at some amplitude."""
    rng, found = np.random.default_rng(seed), []
    torch.manual_seed(seed)
    for index in range(networks):
        kind, shape = UPSAMPLINGS[index % len(UPSAMPLINGS)], SHAPES[index % len(SHAPES)]
        net = network(shape, kind, rng)
        for _ in range(each):
            pair = pairs[int(rng.integers(len(pairs)))]
            amplitude = float(np.exp(rng.uniform(np.log(0.1), 0)))
            real = random_crop(pair.real, PART, rng)
            fake = injected(real, translated(net, real), amplitude)
            found.append(Pair(f"random-{kind}", pair.content, real, fake))
    return found
