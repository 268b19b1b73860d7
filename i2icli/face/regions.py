"""Facial regions as boxes and masks, computed from landmarks."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from i2icli.face import mesh
from i2icli.face.hull import convex_hull
from i2icli.face.landmarks import Points

Mask = NDArray[np.float32]

REGIONS: dict[str, tuple[tuple[int, ...], ...]] = {
    "eyes": (
        mesh.LEFT_EYE + mesh.LEFT_BROW + mesh.LEFT_UNDER_EYE,
        mesh.RIGHT_EYE + mesh.RIGHT_BROW + mesh.RIGHT_UNDER_EYE,
    ),
    "lips": (mesh.LIPS,),
    "skin": (mesh.OVAL,),
}
"""Name -> groups of landmarks; a region is the union of their convex hulls, skin without the others."""

HOLES: dict[str, tuple[str, ...]] = {"skin": ("eyes", "lips")}
OPENINGS = (mesh.LEFT_EYE, mesh.RIGHT_EYE, mesh.MOUTH)  # eyeballs and teeth have no makeup
MARGIN = 0.2  # around a box, relative to the size of its region
FEATHER = 0.015  # blur radius of mask borders, relative to the height of the face


class Box(NamedTuple):
    """A rectangle of an image, in whole pixels."""

    top: int
    left: int
    height: int
    width: int


def region_box(points: Points, region: str, size: tuple[int, int]) -> Box:
    """The box of a region with a margin, clipped to an image of `size` (height, width)."""
    inside = points[[index for group in REGIONS[region] for index in group]]  # (n, 2)
    low, high = inside.min(0), inside.max(0)
    margin = MARGIN * (high - low).max()
    left, top = np.floor(low - margin).astype(int)
    right, bottom = np.ceil(high + margin).astype(int)
    top, bottom = _span(top, bottom, size[0])
    left, right = _span(left, right, size[1])
    return Box(top, left, bottom - top, right - left)


def points_in(points: Points, box: Box, size: tuple[int, int]) -> Points:
    """Landmarks in the coordinates of a box that was cropped and resized to `size` (height, width)."""
    scale = np.array([size[1] / box.width, size[0] / box.height], np.float32)
    moved: Points = (points - np.array([box.left, box.top], np.float32)) * scale
    return moved


def region_mask(points: Points, region: str, size: tuple[int, int]) -> Mask:
    """(H, W) in [0, 1]: mask of a region in an image of `size`, with feathered borders."""
    holes = [group for other in HOLES.get(region, ()) for group in REGIONS[other]]
    hard = _drawn(points, REGIONS[region], [*holes, *OPENINGS], size)
    return _feathered(hard, points)


def face_mask(points: Points, size: tuple[int, int]) -> Mask:
    """(H, W) in [0, 1]: mask of the face without eyeballs and inner mouth, with feathered borders."""
    return _feathered(_drawn(points, (mesh.OVAL,), OPENINGS, size), points)


def blank(points: Points, region: str, size: tuple[int, int]) -> NDArray[np.bool_]:
    """(H, W): pixels of other regions, hidden from the networks of this region."""
    groups = [group for other in HOLES.get(region, ()) for group in REGIONS[other]]
    return np.asarray(_drawn(points, groups, (), size)) > 0


def _drawn(
    points: Points, groups: Sequence[Sequence[int]], holes: Sequence[Sequence[int]], size: tuple[int, int]
) -> Image.Image:
    mask = Image.new("L", (size[1], size[0]))
    pen = ImageDraw.Draw(mask)
    for each, value in ((groups, 255), (holes, 0)):
        for group in each:
            corners = convex_hull(points[list(group)]) - 0.5  # Pillow's coordinates are of pixel centres
            pen.polygon([(float(x), float(y)) for x, y in corners], fill=value)
    return mask


def _feathered(mask: Image.Image, points: Points) -> Mask:
    radius = FEATHER * float(np.ptp(points[:, 1]))
    soft: Mask = np.asarray(mask.filter(ImageFilter.GaussianBlur(radius)), np.float32) / np.float32(255)
    return soft


def _span(low: int, high: int, side: int) -> tuple[int, int]:
    """An interval clipped to a side, of at least one pixel."""
    low = min(max(int(low), 0), side - 1)
    return low, min(max(int(high), low + 1), side)
