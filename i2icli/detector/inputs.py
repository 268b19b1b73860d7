"""What a detector reads of a picture: one row of numbers."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from i2icli.detector.features import LENGTH, find_traces
from i2icli.detector.residual import SMALLEST
from i2icli.errors import UserError
from i2icli.image import Pixels, grey_levels
from i2icli.nn.spectrum import central_third, features_of, profile_of

Features = Literal["traces", "profile", "raw-profile", "frames"]
"""traces: peaks and lattices of up-sampling. The others are the papers', of the azimuthal profile: profile
over its first value, brought to one length (CelebA); raw-profile as it is, for pictures of one size
(Faces-HQ); frames, that of the middle of a frame (films)."""

LENGTHS: dict[str, int | None] = {"traces": LENGTH, "profile": 80, "raw-profile": None, "frames": 300}
SMALLEST_SIDE: dict[str, int] = {"traces": SMALLEST, "profile": 16, "raw-profile": 16, "frames": 48}


def row_of(pixels: Pixels, features: Features) -> NDArray[np.float64]:
    """(H, W, 1 or 3) of any type -> (D,). Raises UserError for a side below SMALLEST_SIDE, other channels."""
    check_readable(pixels, SMALLEST_SIDE[features])
    if features == "traces":
        return find_traces(pixels).vector.astype(np.float64)
    levels = grey_levels(pixels)  # (H, W), rounded where the picture has 8 bits: as read in grey
    if features == "raw-profile":
        return profile_of(levels)
    return features_of(central_third(levels) if features == "frames" else levels, _length(features))


def check_readable(pixels: Pixels, least: int) -> None:
    """Raise UserError (exit code 1) unless a picture is grey or colour and large enough."""
    height, width, channels = pixels.shape
    if channels not in (1, 3):
        raise UserError(f"{channels} channels: neither grey nor colour", exit_code=1)
    if min(height, width) < least:
        raise UserError(
            f"too small: {width}x{height} pixels, at least {least} a side are needed", exit_code=1
        )


def _length(features: Features) -> int:
    length = LENGTHS[features]
    assert length is not None
    return length
