"""Why a detector says what it says, in plain words: which band deviates, and by how much."""

from math import log

import numpy as np
from numpy.typing import NDArray

from i2icli.detector.classifiers import Scaling
from i2icli.detector.features import PLANES
from i2icli.detector.peaks import EVEN, ORBITS
from i2icli.detector.serialization import Description

DECIBEL = 10 / log(10)  # of a natural logarithm of power
_TELLING = 0.8  # log power: lower peaks are not worth naming
_WORDS = {0: "0", 1: "1/8", 2: "1/4", 3: "3/8", 4: "1/2"}


def reason(
    description: Description, row: NDArray[np.float64], probability: float, typical: Scaling | None
) -> str:
    """One line about a picture whose features are given."""
    if description.features == "traces":
        return _of_traces(row, probability)
    if typical is None:
        return f"its profile lies on the side of {'fakes' if probability > 0.5 else 'photographs'}"
    away = typical.apply(row[None])[0]
    place = int(np.abs(away).argmax())
    side = "above" if away[place] > 0 else "below"
    where = place / max(1, len(row) - 1)
    return (
        f"its profile is farthest from that of photographs at {where:.2f} of its length: "
        f"{abs(away[place]):.1f} deviations {side}"
    )


def _of_traces(row: NDArray[np.float64], probability: float) -> str:
    count = len(ORBITS)
    peaks = row[: 3 * count].reshape(3, count)
    lattice = row[3 * count : 9 * count].reshape(3, 2, count)
    even = [ORBITS.index(orbit) for orbit in EVEN]
    plane, place = np.unravel_index(int(peaks[:, even].argmax()), (3, len(even)))
    height = float(peaks[plane, even[place]])
    if probability > 0.5 and height > _TELLING:
        return (
            f"a peak at {_where(even[place])} of the sampling rate in {PLANES[plane]}, "
            f"{height * DECIBEL:.0f} dB above its neighbours"
        )
    strongest = int(lattice[:, :, even].max((0, 1)).argmax())
    power = float(lattice[:, :, even[strongest]].max())
    if probability > 0.5:
        return (
            f"a faint lattice at {_where(even[strongest])} of the sampling rate, "
            f"{max(power, 0) * DECIBEL:.0f} dB above chance; no clear peak"
        )
    mean = float(peaks[:, even].mean()) * DECIBEL
    return (
        f"no lattice at even fractions of the sampling rate: {mean:+.1f} dB on average, "
        f"{height * DECIBEL:.0f} dB at most"
    )


def _where(orbit: int) -> str:
    """An orbit as fractions of the sampling rate, across and down in either order."""
    low, high = ORBITS[orbit]
    return f"({_WORDS[low]}, {_WORDS[high]})"
