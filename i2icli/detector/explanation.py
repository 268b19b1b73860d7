"""Explanations of a prediction: which part of the spectrum deviates, and by how much."""

from math import log

import numpy as np
from numpy.typing import NDArray

from i2icli.detector.classifiers import Scaling
from i2icli.detector.peaks import EVEN, ORBITS
from i2icli.detector.serialization import DetectorInfo
from i2icli.detector.traces import LENGTH, PLANES

DECIBEL = 10 / log(10)  # of a natural logarithm of power
_NOTABLE = 0.8  # log power: lower peaks are not reported
_FRACTIONS = {0: "0", 1: "1/8", 2: "1/4", 3: "3/8", 4: "1/2"}


def meaning_of_real(info: DetectorInfo) -> str:
    """What the verdict "real" of a detector does and does not mean, in a few words."""
    if info.features == "traces":
        return "real means no up-convolution lattice: diffusion and StyleGAN leave none"
    return "real means like the photographs it was fitted to: other generators may be, too"


def explain(
    info: DetectorInfo, features: NDArray[np.float64], probability: float, reference: Scaling | None
) -> str:
    """One line about an image, from its feature vector; reference: statistics of photographs."""
    if info.features == "traces":
        return _explain_traces(features, probability)
    if reference is None:
        return f"its profile resembles those of {'fakes' if probability > 0.5 else 'photographs'}"
    deviations = reference.apply(features[None])[0]
    index = int(np.abs(deviations).argmax())
    side = "above" if deviations[index] > 0 else "below"
    position = index / max(1, len(features) - 1)
    return (
        f"its profile deviates most from photographs at {position:.2f} of its length: "
        f"{abs(deviations[index]):.1f} standard deviations {side}"
    )


def _explain_traces(features: NDArray[np.float64], probability: float) -> str:
    count = len(ORBITS)
    peaks = features[: 3 * count].reshape(3, count)
    lattice = features[3 * count : 9 * count].reshape(3, 2, count)
    even = [ORBITS.index(orbit) for orbit in EVEN]
    plane, index = np.unravel_index(int(peaks[:, even].argmax()), (3, len(even)))
    height = float(peaks[plane, even[index]])
    if probability > 0.5 and height > _NOTABLE:
        return (
            f"peak at {_frequency(even[index])} of the sampling rate in {PLANES[plane]}, "
            f"{height * DECIBEL:.0f} dB above its neighbours"
        )
    strongest = int(lattice[:, :, even].max((0, 1)).argmax())
    power = float(lattice[:, :, even[strongest]].max())
    learned = float(features[LENGTH]) if len(features) > LENGTH else 0.0  # log odds of the residual network
    if probability > 0.5 and learned > 0 and power < _NOTABLE:
        return (
            "no clear lattice, but fine detail like that of up-convolutions "
            f"(log odds of the network: {learned:.1f})"
        )
    if probability > 0.5:
        return (
            f"faint lattice at {_frequency(even[strongest])} of the sampling rate, "
            f"{max(power, 0) * DECIBEL:.0f} dB above chance; no clear peak"
        )
    mean = float(peaks[:, even].mean()) * DECIBEL
    return (
        f"no lattice at even fractions of the sampling rate: {mean:+.1f} dB on average, "
        f"{height * DECIBEL:.0f} dB at most"
    )


def _frequency(orbit: int) -> str:
    """An orbit as fractions of the sampling rate, horizontal and vertical in either order."""
    low, high = ORBITS[orbit]
    return f"({_FRACTIONS[low]}, {_FRACTIONS[high]})"
