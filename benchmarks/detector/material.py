"""What detectors are judged on: pairs of a fake and a real image of the same content."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.detector.fakes import Pixels
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
