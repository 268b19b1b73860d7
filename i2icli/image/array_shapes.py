"""Which axes of an array are height, width and channels."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from i2icli.image.decoded import ImageError, Layout, check_size
from i2icli.reading import Reading

_SURE = 4  # channels in the last axis that leave no doubt


def image_shape(shape: Sequence[int], reading: Reading) -> tuple[int, int, int]:
    """(H, W, C) of an array (H, W), (H, W, C) or, where the reading says so, (C, H, W).

    Raises ImageError for others, for a size beyond the limits, and where the axes leave in doubt what they
    are: a last one that is not much shorter than the first two is hardly that of channels.
    """
    found = tuple(shape)
    if len(found) not in (2, 3):
        raise ImageError(f"shape {found}; expected height x width or height x width x channels")
    height, width, channels = (*found, 1)[:3]
    if len(found) == 3 and reading.channels_first:
        channels, height, width = found
    check_size(height, width, channels)
    in_doubt = len(found) == 3 and channels > _SURE and 2 * channels > min(height, width)
    if in_doubt and reading.channels_first is None:
        raise ImageError(
            f"shape {found}: {height} px high with {channels} channels, or {height} channels first? add "
            "--channels-first, or --no-channels-first"
        )
    return height, width, channels


def channels_last(array: NDArray[Any], reading: Reading) -> NDArray[Any]:
    """(H, W, C) of an array whose shape `image_shape` accepted."""
    if array.ndim == 3 and reading.channels_first:
        return np.moveaxis(array, 0, -1)
    return array if array.ndim == 3 else array[..., None]


def layout_of(array: NDArray[Any], reading: Reading) -> Layout:
    """How its channels lie, for results that are to be like it."""
    return "planes" if array.ndim == 3 and reading.channels_first else "pixels"
