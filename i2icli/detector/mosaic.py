"""Peaks at half the sampling rate alone: a camera's colour mosaic, or a network with a single up-sampling.

A camera sees one colour per pixel and interpolates the others. What differs between seen and interpolated
pixels repeats every 2 pixels: green at (1/2, 1/2) of the sampling rate, red and blue at (0, 1/2) too, and
green there if odd and even rows see it differently. Networks of two or more up-samplings by 2 leave peaks at
quarters as well; a mosaic with a period of 4 pixels leaves faint ones. Measured by
`benchmarks/detector/false_alarms.py`.
"""

import numpy as np
from numpy.typing import NDArray

from i2icli.detector.peaks import EVEN, ORBITS
from i2icli.detector.residual import TILE, TILES

LARGE = TILES * TILE * TILE  # pixels: cameras have more, most networks' outputs fewer
PEAK = 0.8  # log power of a peak
FAINT = 1.5  # log power of peaks that mosaics of 4 pixels leave, made ones of 2
LEAKAGE = 0.25  # of the highest peak

_HALF = [ORBITS.index(orbit) for orbit in EVEN if set(orbit) <= {0, 4}]
_QUARTER = [ORBITS.index(orbit) for orbit in EVEN if 2 in orbit]


def could_be_mosaic(features: NDArray[np.float64], height: int, width: int) -> bool:
    """Whether the only clear peaks are those of mosaics, in an image large enough for a camera's.

    features: trace vector, (D,).
    """
    half, quarter = half_and_quarter(features)
    return height * width >= LARGE and half > PEAK and quarter < max(FAINT, LEAKAGE * half)


def half_and_quarter(features: NDArray[np.float64]) -> tuple[float, float]:
    """The highest peaks of a trace vector (D,) at halves and quarters of the sampling rate, log power."""
    peaks = features[: 3 * len(ORBITS)].reshape(3, len(ORBITS))  # by plane
    return float(peaks[:, _HALF].max()), float(peaks[:, _QUARTER].max())
