"""Convex hulls of point sets."""

import numpy as np

from i2icli.face.landmarks import Points


def convex_hull(points: Points) -> Points:
    """(N, 2) -> (n, 2): the vertices of the convex hull, in order; N at least 3.

    Andrew, "Another efficient algorithm for convex hulls in two dimensions", 1979.
    """
    ordered = [(float(x), float(y)) for x, y in points]
    ordered.sort()
    return np.array(_half(ordered) + _half(ordered[::-1]), np.float32)


def _half(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """One side of the hull, from the first point to the one before the last."""
    chain: list[tuple[float, float]] = []
    for x, y in points:
        while len(chain) > 1:
            (ax, ay), (bx, by) = chain[-2:]
            if (bx - ax) * (y - ay) - (by - ay) * (x - ax) > 0:
                break
            chain.pop()
        chain.append((x, y))
    return chain[:-1]
