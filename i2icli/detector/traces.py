"""The features of the default detector."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from i2icli.detector.lattice import lattice_strengths
from i2icli.detector.peaks import ORBITS, STRONGEST, even_score, orbit_peaks, prominence, strongest
from i2icli.detector.view import View

PLANES = ("brightness", "red-green", "blue-green")
LENGTH = len(PLANES) * (3 * len(ORBITS) + 2 * STRONGEST)  # of the vector: 174


@dataclass(frozen=True)
class Traces:
    """Traces of up-sampling in an image."""

    peaks: Tensor  # (3, 14): prominence of the spectrum at each orbit, by plane
    lattice: Tensor  # (3, 2, 14): coherent power of the signed residual and of its magnitude
    strongest: Tensor  # (3, 16): the largest peaks anywhere, then those off the lattice

    @property
    def even(self) -> float:
        """The training-free score: mean prominence at the even orbits."""
        return even_score(self.peaks)

    @property
    def vector(self) -> NDArray[np.float32]:
        """All of them as one feature vector, (174,)."""
        return torch.cat([self.peaks.flatten(), self.lattice.flatten(), self.strongest.flatten()]).numpy()


@torch.no_grad()
def measure_traces(view: View) -> Traces:
    """Measure an image."""
    prominent = prominence(view.spectrum)
    return Traces(orbit_peaks(prominent), lattice_strengths(view.residuals), strongest(prominent))
