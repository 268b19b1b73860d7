"""Edges by Canny's method, and the thresholds that suit a video."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from i2icli.errors import UserError

Image = NDArray[np.uint8]
"""(H, W, 3): RGB."""

WANTED = 0.08  # fraction of the pixels that are edges, where the image allows it
LOWEST, HIGHEST = 20.0, 1400.0  # of the upper threshold: below is noise, above no gradient can be
BLUR = 0.003  # standard deviation over the shorter side: the same scene gives the same lines in any size
LEAST_BLUR = 0.8  # pixels
RATIO = 0.4  # of the lower threshold to the upper

_BRIGHTEST = 255


def canny(image: Image, blur: float, low: float, high: float) -> NDArray[np.uint8]:
    """(H, W, 3) -> (H, W, 1) of 0 and 255: edges of the brightness, a pixel wide.

    Canny, "A computational approach to edge detection", TPAMI 1986. blur: standard deviation in pixels of the
    Gaussian before it, 0: none; low, high: thresholds of the gradient by Sobel of 8-bit values.
    """
    import cv2

    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    if blur > 0:
        grey = cv2.GaussianBlur(grey, (0, 0), blur)
    return np.asarray(cv2.Canny(grey, low, high, L2gradient=True), np.uint8)[..., None]


def thresholds(frames: Sequence[Image], blur: float | None = None) -> tuple[float, float, float]:
    """(blur, low, high) with which 8 % of the pixels of some frames are edges, on average.

    The blur is 0.003 of the shorter side, at least 0.8 pixels, unless given; low is 0.4 of high. Frames
    with fewer edges get fewer: high is at least 20, as lower gradients are noise. Rounded, so that they
    can be written down. Raises UserError without frames.
    """
    if not frames:
        raise UserError("no frames to choose the thresholds of edges by")
    side = min(min(frame.shape[:2]) for frame in frames)
    blur = blur if blur is not None else round(max(LEAST_BLUR, BLUR * side), 2)

    def share(high: float) -> float:
        found = [canny(frame, blur, RATIO * high, high) for frame in frames]
        return float(np.mean([(edges == _BRIGHTEST).mean() for edges in found]))

    low, high = LOWEST, HIGHEST
    while high - low > 1:  # the higher the threshold, the fewer edges
        middle = (low + high) / 2
        low, high = (middle, high) if share(middle) > WANTED else (low, middle)
    upper = float(round(low))
    return blur, round(RATIO * upper, 1), upper
