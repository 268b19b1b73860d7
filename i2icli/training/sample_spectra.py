"""Spectral distance between samples and data; detection of checkerboards and of samples of one colour."""

from collections import defaultdict
from dataclasses import dataclass, field
from math import exp

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from i2icli.nn.checkerboard import PERIODS, SMALLEST, checkerboard
from i2icli.nn.spectrum import FEWEST_RINGS, grey, num_rings, resampled, spectral_profile
from i2icli.system import Pairs

LENGTH = 80  # values of a profile where image sizes differ, as published for CelebA
THRESHOLD = 1.0  # ln of power: e times as much as in real images
PLAIN = 0.05  # contrast relative to that of real images: less shows nothing


@dataclass
class _Side:
    """Spectral profiles and checkerboard power of the fakes, or of the real images, of one name."""

    profiles: list[NDArray[np.float64]] = field(default_factory=list)  # (R,) each
    patterns: list[NDArray[np.float64]] = field(default_factory=list)  # (3,) each
    contrasts: list[float] = field(default_factory=list)  # standard deviations of brightness in an image

    def add(self, images: Tensor) -> None:
        height, width = images.shape[-2:]
        brightness = grey(images)  # (B, H, W)
        self.contrasts += brightness.float().std((1, 2), correction=0).tolist()
        if num_rings(height, width) >= FEWEST_RINGS:
            self.profiles += list(spectral_profile(brightness).cpu().double().numpy())
        if min(height, width) >= SMALLEST:
            self.patterns += list(checkerboard(brightness).cpu().double().numpy())

    def profile(self, *, same_size: bool) -> NDArray[np.float64]:
        """The mean profile; profiles of different lengths are resampled first."""
        each = self.profiles if same_size else [resampled(profile, LENGTH) for profile in self.profiles]
        mean: NDArray[np.float64] = np.mean(each, axis=0)
        return mean


class SampleSpectra:
    """Accumulates spectra of generated and real images, as in `Evaluation.generated`."""

    def __init__(self) -> None:
        self.sides: dict[str, tuple[_Side, _Side]] = defaultdict(lambda: (_Side(), _Side()))

    def add(self, pairs: Pairs) -> None:
        """The samples of one batch."""
        for name, images in pairs.items():
            for side, each in zip(self.sides[name], images, strict=True):
                side.add(each)

    def scores(self) -> dict[str, float]:
        """Scores by name, suffixed with "/A" where there are several.

        spectral_distance: root mean square difference of the mean profiles, in 20 ln; 0 is best.
        checkerboard: power of the strongest pattern relative to real images; 1 is best.
        """
        found: dict[str, float] = {}
        for name, (fake, real) in self.sides.items():
            suffix = f"/{name}" if name else ""
            if fake.profiles:
                same_size = len({len(profile) for profile in fake.profiles + real.profiles}) == 1
                difference = fake.profile(same_size=same_size) - real.profile(same_size=same_size)
                found[f"spectral_distance{suffix}"] = float(np.sqrt((difference**2).mean()))
            if fake.patterns:
                found[f"checkerboard{suffix}"] = exp(float(_excess(fake, real).max()))
        return found

    def warnings(self) -> list[str]:
        """One sentence for each name whose samples are of one colour, or show a checkerboard."""
        found = []
        for name, (fake, real) in self.sides.items():
            samples = f"samples of {name}" if name else "samples"
            if np.mean(fake.contrasts) < PLAIN * np.mean(real.contrasts):
                found.append(
                    f"{samples} are nearly of one colour: the training collapsed; lower --lr and start anew"
                )
                continue
            if not fake.patterns:
                continue
            excess = _excess(fake, real)
            index = int(excess.argmax())
            if excess[index] > THRESHOLD:
                found.append(
                    f"{samples} show a {PERIODS[index]}-pixel checkerboard, {_times(exp(excess[index]))} "
                    "times stronger than in real images: an up-sampling artefact"
                )
        return found


def _times(ratio: float) -> str:
    """1.8, 12, 1,200: two digits, and no powers of ten."""
    return f"{ratio:.1f}" if ratio < 10 else f"{float(f'{ratio:.2g}'):,.0f}"


def _excess(fake: _Side, real: _Side) -> NDArray[np.float64]:
    """(3,): power of each pattern in the fakes relative to real images, ln."""
    difference: NDArray[np.float64] = np.mean(fake.patterns, axis=0) - np.mean(real.patterns, axis=0)
    return difference
