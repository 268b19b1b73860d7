"""Facial landmarks drawn as lines, with the edges of what surrounds the face."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from i2icli.extractors.edges import Image, canny
from i2icli.face import find_face, mesh
from i2icli.face.hull import convex_hull
from i2icli.face.landmarks import Points

Colour = tuple[int, int, int]
BACKGROUND: Colour = (255, 255, 255)
LINES: tuple[tuple[Colour, bool, tuple[int, ...]], ...] = (  # colour, whether closed, landmarks
    ((255, 0, 0), True, mesh.OVAL),
    ((0, 255, 0), True, mesh.LEFT_BROW),
    ((0, 255, 0), True, mesh.RIGHT_BROW),
    ((0, 128, 255), True, mesh.LEFT_EYE),
    ((0, 128, 255), True, mesh.RIGHT_EYE),
    ((255, 255, 0), False, mesh.NOSE_RIDGE),
    ((255, 160, 0), False, mesh.NOSTRILS),
    ((255, 0, 255), True, mesh.LIPS),
    ((160, 0, 255), True, mesh.MOUTH),
)
"""Parts are told apart by colours, where the paper has a distance map for each. Left and right have the same,
so that a mirrored drawing is that of the mirrored face."""

_SUBPIXEL = 4  # binary digits behind the point of what is drawn
_LINE = 0.004  # width over the shorter side


class FaceLines:
    """Draws the landmarks of the largest face as lines; thread-safe.

    Wang et al., "Video-to-video synthesis", NeurIPS 2018, section 4: lines between landmarks, and Canny edges
    outside the face. Landmarks are mediapipe's.
    """

    def __init__(self, blur: float, low: float, high: float, *, background: bool) -> None:
        """background: draw the edges outside the face, too."""
        self._thresholds = blur, low, high
        self._background = background

    def __call__(self, image: Image) -> NDArray[np.uint8]:
        """(H, W, 3) -> (H, W, 3): lines on black; without a face the edges of the whole image, if these are
        drawn. Raises UserError if mediapipe is missing.
        """
        points = find_face(image)
        drawn = np.zeros_like(image)
        if self._background:
            edges = canny(image, *self._thresholds)[..., 0] > 0  # (H, W)
            if points is not None:
                edges &= ~_inside(points, edges.shape)
            drawn[edges] = BACKGROUND
        return drawn if points is None else with_lines(drawn, points)


def with_lines(image: Image, points: Points) -> NDArray[np.uint8]:
    """An image (H, W, 3) with the landmarks (468, 2) of a face drawn as lines over it."""
    import cv2

    drawn = np.ascontiguousarray(image).copy()
    width = max(1, round(_LINE * min(image.shape[:2])))
    for colour, closed, indices in LINES:
        corners = _corners(points, indices)
        cv2.polylines(drawn, [corners], closed, colour, width, cv2.LINE_AA, _SUBPIXEL)
    return drawn


def _inside(points: Points, size: tuple[int, ...]) -> NDArray[np.bool_]:
    """(H, W): the pixels of the face."""
    import cv2

    mask = np.zeros(size[:2], np.uint8)
    hull = convex_hull(points[list(mesh.OVAL)])
    cv2.fillConvexPoly(mask, _corners(hull, range(len(hull))), (1,), shift=_SUBPIXEL)
    return mask > 0


def _corners(points: Points, indices: Sequence[int]) -> NDArray[np.int32]:
    """(n, 1, 2) as OpenCV draws them: from the centre of the first pixel, in sixteenths of one."""
    chosen = points[list(indices)] - 0.5
    corners: NDArray[np.int32] = np.round(chosen * 2**_SUBPIXEL).astype(np.int32)
    return corners[:, None]
