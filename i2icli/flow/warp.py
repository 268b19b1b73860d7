"""Moving an image along optical flow."""

from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Frame: TypeAlias = NDArray[np.uint8]
"""(H, W, 3): RGB."""
Flow: TypeAlias = NDArray[np.float32]
"""(H, W, 2): x, then y, in pixels."""

_EXACT = (1, 3, 4)  # channels for which OpenCV's sampling points are not rounded


def warped(image: NDArray[Any], flow: Flow, *, cubic: bool = False) -> NDArray[Any]:
    """An image (H, W, C), uint8, uint16 or float32, sampled at x + flow -> the same shape and type.

    Bilinear, or cubic, which blurs less where a film is warped again and again; the border continues outside.
    Raises ValueError if the sizes differ.
    """
    import cv2

    if image.shape[:2] != flow.shape[:2]:
        raise ValueError(f"an image of {image.shape[:2]} and flow of {flow.shape[:2]} pixels")
    height, width, channels = image.shape
    points = _grid(height, width) + flow  # (H, W, 2)
    how = cv2.INTER_CUBIC if cubic else cv2.INTER_LINEAR

    def sampled(part: NDArray[Any]) -> NDArray[Any]:
        found = cv2.remap(part, points, None, how, borderMode=cv2.BORDER_REPLICATE)  # type: ignore[call-overload]
        return np.asarray(found).reshape(part.shape)

    if channels in _EXACT:
        return sampled(image)
    planes = [sampled(np.ascontiguousarray(image[..., [channel]])) for channel in range(channels)]
    return np.concatenate(planes, axis=2)


def resized_flow(flow: Flow, size: tuple[int, int]) -> Flow:
    """Flow for frames of another size (height, width); its vectors grow with the sides."""
    import cv2

    height, width = flow.shape[:2]
    if size == (height, width):
        return flow
    factors = np.array([size[1] / width, size[0] / height], np.float32)
    found: Flow = cv2.resize(flow, size[::-1], interpolation=cv2.INTER_LINEAR) * factors
    return found


@lru_cache(maxsize=4)
def _grid(height: int, width: int) -> Flow:
    """(H, W, 2): the coordinates x, y of every pixel. Not to be written to."""
    return np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=2).astype(np.float32)
