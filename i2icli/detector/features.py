"""Feature extraction: an image as a feature vector."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from i2icli.detector.residual import SMALLEST
from i2icli.detector.residual_net import ResidualNet
from i2icli.detector.traces import LENGTH, measure_traces
from i2icli.detector.view import View
from i2icli.errors import UserError
from i2icli.image import Pixels, grey_levels
from i2icli.nn.spectrum import central_third, features_of, num_rings, profile_of

Features = Literal["traces", "profile", "raw-profile", "frames"]
"""traces: peaks and lattices of up-sampling. The others are the papers', from the azimuthal profile:
profile, resampled to one length and relative to its first value (CelebA); raw-profile, for images of one
size (Faces-HQ); frames, of the middle third of a frame (videos)."""

LENGTHS: dict[str, int | None] = {"traces": LENGTH, "profile": 80, "raw-profile": None, "frames": 300}
MOST_RINGS = (
    8192  # of a profile that is resampled: the time grows with their cube, the memory with their square
)
SMALLEST_SIDE: dict[str, int] = {"traces": SMALLEST, "profile": 16, "raw-profile": 16, "frames": 48}


def extract_features(view: View, features: Features, net: ResidualNet | None = None) -> NDArray[np.float64]:
    """The feature vector of an image, (D,); net: adds its score to traces.

    Raises UserError for images neither grey nor RGB, sides below SMALLEST_SIDE, profiles beyond MOST_RINGS.
    """
    check_readable(view.pixels, SMALLEST_SIDE[features])
    if features == "traces":
        vector = measure_traces(view).vector.astype(np.float64)
        return vector if net is None else np.append(vector, net.score(view.residuals))
    levels = grey_levels(view.pixels)  # (H, W), rounded for 8-bit images
    if features == "raw-profile":
        return profile_of(levels)
    levels = central_third(levels) if features == "frames" else levels
    if num_rings(*levels.shape) > MOST_RINGS:
        height, width = levels.shape
        raise UserError(
            f"too large for a profile: {width}x{height} pixels; at most {2 * MOST_RINGS} along the diagonal",
            exit_code=1,
        )
    return features_of(levels, _length(features))


def check_readable(pixels: Pixels, least: int) -> None:
    """Raise UserError (exit code 1) unless an image is grey or RGB and large enough."""
    height, width, channels = pixels.shape
    if channels not in (1, 3):
        raise UserError(f"{channels} channels: neither grey nor colour", exit_code=1)
    if min(height, width) < least:
        raise UserError(
            f"too small: {width}x{height} pixels; at least {least} per side are needed", exit_code=1
        )


def _length(features: Features) -> int:
    length = LENGTHS[features]
    assert length is not None
    return length
