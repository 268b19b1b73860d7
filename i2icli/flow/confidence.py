"""Where optical flow can be believed."""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from i2icli.flow.warp import Flow, Frame, warped

Mask: TypeAlias = NDArray[np.bool_]
"""(H, W)"""

MOST_ERROR = 0.02  # squared, summed over the channels of images in [-1, 1]
_HALF_RANGE = 127.5  # of 8 bit: frames become values in [-1, 1]


def warp_error(current: Frame, previous: Frame, flow: Flow) -> NDArray[np.float32]:
    """(H, W): squared difference of a frame and the warped earlier one, over the channels, in [-1, 1]."""
    moved = warped(previous.astype(np.float32), flow)  # (H, W, 3)
    error: NDArray[np.float32] = (((current - moved) / np.float32(_HALF_RANGE)) ** 2).sum(axis=2)
    return error


def confident(current: Frame, previous: Frame, flow: Flow, most: float = MOST_ERROR) -> Mask:
    """Where the warped earlier frame shows what the current one shows: the confidence of vid2vid.

    Wang et al., NeurIPS 2018. Flat areas count as confident whatever their flow.
    """
    mask: Mask = warp_error(current, previous, flow) < most
    return mask


def agreeing(flow: Flow, back: Flow) -> Mask:
    """Where forward and backward flow cancel out: what is seen in both frames.

    flow: from the current to the earlier frame; back: from the earlier to the current one. Occlusion is
    where |flow + back'|² > 0.01 (|flow|² + |back'|²) + 0.5, back' = `back` warped by `flow`: Sundaram et
    al., ECCV 2010, as in Lai et al., ECCV 2018.
    """
    there = warped(back, flow)  # (H, W, 2)
    allowed: NDArray[Any] = 0.01 * (_squared(flow) + _squared(there)) + 0.5
    mask: Mask = _squared(flow + there) <= allowed
    return mask & _inside(flow)


def _squared(flow: Flow) -> NDArray[np.float32]:
    """(H, W, 2) -> (H, W): squared length."""
    length: NDArray[np.float32] = (flow**2).sum(axis=2)
    return length


def _inside(flow: Flow) -> Mask:
    """Where x + flow lies in the frame, half a pixel around it included."""
    height, width = flow.shape[:2]
    x = np.arange(width, dtype=np.float32) + flow[..., 0]
    y = np.arange(height, dtype=np.float32)[:, None] + flow[..., 1]
    mask: Mask = (x >= -0.5) & (x <= width - 0.5) & (y >= -0.5) & (y <= height - 0.5)
    return mask
