"""The nearest pixel of a mask: the distance transform of Felzenszwalb and Huttenlocher, all rows at a time.

"Distance Transforms of Sampled Functions", Theory of Computing 8, 2012, https://cs.brown.edu/people/pfelzens/dt/.
"""

import numpy as np
from numpy.typing import NDArray

Places = NDArray[np.intp]


def nearest(wanted: NDArray[np.bool_], sources: NDArray[np.bool_]) -> tuple[Places, Places]:
    """Rows and columns of the nearest source of each wanted pixel, in the order of `np.nonzero(wanted)`.

    Both (H, W); there must be a source. Distances are exact; of several sources at the same distance
    always the same one is taken. The time is proportional to the number of pixels.
    """
    in_column = _nearest_in_columns(sources)  # (H, W)
    (rows,) = np.nonzero(wanted.any(1))
    squared = (in_column[rows] - rows[:, None]).astype(np.float64) ** 2  # (R, W)
    columns = np.empty(wanted.shape, np.intp)
    columns[rows] = _nearest_in_rows(squared)
    y, x = np.nonzero(wanted)
    column = columns[y, x]
    return in_column[y, column], column


def _nearest_in_columns(sources: NDArray[np.bool_]) -> Places:
    """(H, W): the row of the nearest source in the same column; far outside where a column has none."""
    height, width = sources.shape
    rows = np.arange(height)[:, None]
    far = 2 * (height + width)  # farther than any pixel of another column
    above = np.maximum.accumulate(np.where(sources, rows, -far))  # (H, W)
    below = np.minimum.accumulate(np.where(sources, rows, far + height)[::-1])[::-1]
    nearer: Places = np.where(rows - above <= below - rows, above, below)
    return nearer


def _nearest_in_rows(squared: NDArray[np.float64]) -> Places:
    """(R, W) squared distances within columns -> (R, W): the column q where (x - q)^2 + squared[q] is least.

    Each column is a parabola over the row; of those only the lower envelope is kept, from left to right.
    """
    rows, width = np.arange(len(squared)), squared.shape[1]
    kept = np.zeros((len(rows), width), np.intp)  # columns whose parabolas form the envelope
    starts = np.full((len(rows), width + 1), np.inf)  # where each of them begins to be the lowest
    starts[:, 0] = -np.inf
    last = np.zeros(len(rows), np.intp)  # index of the last one kept
    height = squared + np.arange(width) ** 2.0
    for column in range(1, width):
        open_rows = rows
        while len(open_rows):  # parabolas that the new one hides are dropped
            other = kept[open_rows, last[open_rows]]
            crossing = (height[open_rows, column] - height[open_rows, other]) / (2.0 * (column - other))
            hidden = crossing <= starts[open_rows, last[open_rows]]
            done = open_rows[~hidden]
            last[done] += 1
            starts[done, last[done]] = crossing[~hidden]
            open_rows = open_rows[hidden]
            last[open_rows] -= 1
        kept[rows, last] = column
        starts[rows, last + 1] = np.inf
    return _lowest(kept, starts)


def _lowest(kept: Places, starts: NDArray[np.float64]) -> Places:
    """(R, W): the parabola of the envelope that is the lowest at each column."""
    rows, found = np.arange(len(kept)), np.empty_like(kept)
    current = np.zeros(len(rows), np.intp)
    for column in range(kept.shape[1]):
        while (beyond := starts[rows, current + 1] < column).any():
            current += beyond
        found[:, column] = kept[rows, current]
    return found
