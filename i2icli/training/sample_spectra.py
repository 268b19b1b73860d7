"""How far the spectrum of samples is from that of the data, and whether they hold a checkerboard."""

from collections import defaultdict
from dataclasses import dataclass, field
from math import exp

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from i2icli.nn.checkerboard import PERIODS, SMALLEST, checkerboard
from i2icli.nn.spectrum import FEWEST_RINGS, grey, num_rings, resampled, spectral_profile
from i2icli.system import Pairs

LENGTH = 80  # values of a profile where sizes differ, as published for CelebA
STANDS_OUT = 1.0  # ln of power: e times as much as real images have


@dataclass
class _Side:
    """Profiles and patterns of the fakes, or of the real images, of one name."""

    profiles: list[NDArray[np.float64]] = field(default_factory=list)  # (R,) each
    patterns: list[NDArray[np.float64]] = field(default_factory=list)  # (3,) each

    def add(self, images: Tensor) -> None:
        height, width = images.shape[-2:]
        brightness = grey(images)  # (B, H, W)
        if num_rings(height, width) >= FEWEST_RINGS:
            self.profiles += list(spectral_profile(brightness).double().cpu().numpy())
        if min(height, width) >= SMALLEST:
            self.patterns += list(checkerboard(brightness).double().cpu().numpy())

    def profile(self, *, alike: bool) -> NDArray[np.float64]:
        """The mean profile, as it is where all are alike in size, else resampled."""
        each = self.profiles if alike else [resampled(profile, LENGTH) for profile in self.profiles]
        mean: NDArray[np.float64] = np.mean(each, axis=0)
        return mean


class SampleSpectra:
    """Collects what a system generates beside real images; what `System.samples` answers with."""

    def __init__(self) -> None:
        self.sides: dict[str, tuple[_Side, _Side]] = defaultdict(lambda: (_Side(), _Side()))

    def add(self, pairs: Pairs) -> None:
        """The samples of one batch."""
        for name, images in pairs.items():
            for side, each in zip(self.sides[name], images, strict=True):
                side.add(each)

    def scores(self) -> dict[str, float]:
        """Numbers by name, with "/A" after them where there are several.

        spectral_distance: root mean square difference of the mean profiles, in 20 ln; 0 is best.
        checkerboard: power of the strongest pattern over that in real images; 1 is as it should be.
        """
        found: dict[str, float] = {}
        for name, (fake, real) in self.sides.items():
            suffix = f"/{name}" if name else ""
            if fake.profiles:
                alike = len({len(profile) for profile in fake.profiles + real.profiles}) == 1
                difference = fake.profile(alike=alike) - real.profile(alike=alike)
                found[f"spectral_distance{suffix}"] = float(np.sqrt((difference**2).mean()))
            if fake.patterns:
                found[f"checkerboard{suffix}"] = exp(float(_excess(fake, real).max()))
        return found

    def remarks(self) -> list[str]:
        """What the patterns mean, one sentence for each name that has one; nothing where there is none."""
        said = []
        for name, (fake, real) in self.sides.items():
            if not fake.patterns:
                continue
            excess = _excess(fake, real)
            place = int(excess.argmax())
            if excess[place] > STANDS_OUT:
                who = f"samples of {name}" if name else "samples"
                said.append(
                    f"{who} show a checkerboard of {PERIODS[place]} pixels: against the frequencies around, "
                    f"its own hold {exp(excess[place]):.2g} times the power they hold in real images; "
                    "a mark of how the networks double their sides"
                )
        return said


def _excess(fake: _Side, real: _Side) -> NDArray[np.float64]:
    """(3,): how much further each pattern stands out in the fakes, in ln of power."""
    difference: NDArray[np.float64] = np.mean(fake.patterns, axis=0) - np.mean(real.patterns, axis=0)
    return difference
