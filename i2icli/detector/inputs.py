"""What a detector reads of a picture: one row of numbers."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from i2icli.detector.features import LENGTH, find_traces
from i2icli.detector.residual import SMALLEST
from i2icli.image import Pixels, change_type, convert_channels
from i2icli.nn.spectrum import central_third, features_of, profile_of

Features = Literal["traces", "profile", "raw-profile", "frames"]
"""traces: peaks and lattices of up-sampling. The others are the papers', of the azimuthal profile: profile
over its first value, brought to one length (CelebA); raw-profile as it is, for pictures of one size
(Faces-HQ); frames, that of the middle of a frame (films)."""

LENGTHS: dict[str, int | None] = {"traces": LENGTH, "profile": 80, "raw-profile": None, "frames": 300}
SMALLEST_SIDE: dict[str, int] = {"traces": SMALLEST, "profile": 16, "raw-profile": 16, "frames": 48}


def row_of(pixels: Pixels, features: Features) -> NDArray[np.float64]:
    """(H, W, 1 or 3) of any type, sides at least SMALLEST_SIDE -> (D,)."""
    if features == "traces":
        return find_traces(pixels).vector.astype(np.float64)
    levels = _levels(pixels)
    if features == "raw-profile":
        return profile_of(levels)
    return features_of(central_third(levels) if features == "frames" else levels, _length(features))


def _length(features: Features) -> int:
    length = LENGTHS[features]
    assert length is not None
    return length


def _levels(pixels: Pixels) -> NDArray[np.float64]:
    """Brightness in 0..255, rounded where the picture has 8 bits: as read in grey."""
    grey = convert_channels(pixels, 1)[..., 0]  # (H, W)
    if grey.dtype == np.uint8:
        return grey.astype(np.float64)
    return (change_type(grey, np.float32).astype(np.float64) + 1) * 127.5
