"""Palettes of few colours for many images."""

import numpy as np
from numpy.typing import NDArray

ROUNDS = 30


def k_means(colours: NDArray[np.float32], weights: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    """`count` colours (K, 3) that stand for many, (N, 3) with weights (N,); deterministic.

    Starts from the heaviest colour and then, again and again, from the one whose weighted distance to those
    chosen is the largest.
    """
    chosen = [colours[weights.argmax()]]
    nearest = ((colours - chosen[0]) ** 2).sum(1)  # (N,)
    for _ in range(count - 1):
        chosen.append(colours[(nearest * weights).argmax()])
        nearest = np.minimum(nearest, ((colours - chosen[-1]) ** 2).sum(1))
    centres = np.stack(chosen)
    for _ in range(ROUNDS):
        index = nearest_colour(colours, centres)  # (N,)
        for k in range(count):
            own = weights * (index == k)
            if own.sum() > 0:
                centres[k] = (colours * own[:, None]).sum(0) / own.sum()
    return centres


def nearest_colour(colours: NDArray[np.float32], palette: NDArray[np.float32]) -> NDArray[np.intp]:
    """(..., 3) colours -> (...): index of the nearest in a palette (K, 3)."""
    distance = (palette**2).sum(1) - 2 * colours @ palette.T  # (..., K)
    return np.asarray(distance.argmin(-1))
