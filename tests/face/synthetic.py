"""Synthetic landmarks: the 468 points of the face mesh of a schematic face."""

from math import cos, pi, sin

import numpy as np
from numpy.typing import NDArray

from i2icli.face import mesh

ROUND: tuple[tuple[tuple[int, ...], tuple[float, float], tuple[float, float]], ...] = (
    (mesh.OVAL, (0.5, 0.5), (0.36, 0.45)),
    (mesh.LIPS, (0.5, 0.72), (0.13, 0.06)),
    (mesh.MOUTH, (0.5, 0.72), (0.1, 0.015)),
    (mesh.LEFT_EYE, (0.66, 0.42), (0.07, 0.03)),
    (mesh.RIGHT_EYE, (0.34, 0.42), (0.07, 0.03)),
    (mesh.LEFT_BROW, (0.66, 0.33), (0.09, 0.012)),
    (mesh.RIGHT_BROW, (0.34, 0.33), (0.09, 0.012)),
    (mesh.LEFT_UNDER_EYE, (0.66, 0.48), (0.08, 0.012)),
    (mesh.RIGHT_UNDER_EYE, (0.34, 0.48), (0.08, 0.012)),
)
"""(points in order, centre, half sizes) of each part, in coordinates from 0 to 1."""


def landmarks(width: float, height: float, *, left: float = 0, top: float = 0) -> NDArray[np.float32]:
    """(468, 2): a face that fills an area of `width` x `height` pixels at (left, top)."""
    rng = np.random.default_rng(5)
    angle, radius = rng.uniform(0, 2 * pi, 468), np.sqrt(rng.random(468))
    points = np.column_stack([0.5 + 0.33 * radius * np.cos(angle), 0.5 + 0.42 * radius * np.sin(angle)])
    for indices, (x, y), (across, down) in ROUND:
        for position, index in enumerate(indices):
            angle_on_part = 2 * pi * position / len(indices)
            points[index] = x - across * sin(angle_on_part), y - down * cos(angle_on_part)
    return (points * [width, height] + [left, top]).astype(np.float32)
