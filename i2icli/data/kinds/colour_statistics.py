"""Transferring the colour statistics of one image to another."""

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float32]

_FLAT = 1e-3  # of a range of 2: a channel that varies less counts as constant


def with_colours_of(values: Values, reference: Values) -> Values:
    """(C, H, W) and (C, h, w) in [-1, 1] -> (C, H, W): the first with the channel statistics of the second.

    Every channel gets the reference's mean and standard deviation, and is clipped to [-1, 1]. After Reinhard
    et al., "Color Transfer between Images", IEEE Computer Graphics and Applications 21(5), 2001, but in
    the images' own channels, as black has no place in the logarithmic l-alpha-beta space.
    """
    mean, deviation = _statistics(values)  # (C, 1, 1) each
    wanted_mean, wanted_deviation = _statistics(reference)
    factor = np.where(deviation > _FLAT, wanted_deviation / np.maximum(deviation, _FLAT), 0)
    result: Values = ((values - mean) * factor + wanted_mean).clip(-1, 1).astype(np.float32)
    return result


def _statistics(values: Values) -> tuple[Values, Values]:
    return values.mean((1, 2), keepdims=True), values.std((1, 2), keepdims=True)
