"""Landmarks of a face that no finder has to find: 468 points where the mesh of a plain face has them."""

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
"""(points in order, middle, half sizes) of each part, in a picture from 0 to 1."""


def landmarks(width: float, height: float, *, left: float = 0, top: float = 0) -> NDArray[np.float32]:
    """(468, 2): a face that fills a picture, or a part of one, of so many pixels."""
    rng = np.random.default_rng(5)
    angle, far = rng.uniform(0, 2 * pi, 468), np.sqrt(rng.random(468))
    points = np.column_stack([0.5 + 0.33 * far * np.cos(angle), 0.5 + 0.42 * far * np.sin(angle)])
    for indices, (x, y), (across, down) in ROUND:
        for place, index in enumerate(indices):
            turn = 2 * pi * place / len(indices)
            points[index] = x - across * sin(turn), y - down * cos(turn)
    return (points * [width, height] + [left, top]).astype(np.float32)
