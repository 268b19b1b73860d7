"""Brightness of images in levels, as the detectors of generated images read it."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from i2icli.image.decoded import Pixels
from i2icli.image.pixels import convert_channels


def grey_levels(pixels: Pixels) -> NDArray[Any]:
    """(H, W, C) uint8, uint16 or float32 -> (H, W) in [0, 255]: uint8 where it was, else float64.

    Three channels by luminance, other numbers of them alike.
    """
    known = pixels.shape[2] in (1, 3)
    grey = convert_channels(pixels, 1)[..., 0] if known else pixels.mean(axis=2)  # (H, W)
    if pixels.dtype == np.uint8:
        return grey if grey.dtype == np.uint8 else np.rint(grey).astype(np.uint8)
    levels = grey.astype(np.float64)
    return levels / 257 if pixels.dtype == np.uint16 else (levels + 1) * 127.5
