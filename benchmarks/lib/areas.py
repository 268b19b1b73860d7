"""Connected areas of label maps."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import label

from i2icli.demo.toy.label_scenes import INSTANCES
from i2icli.image import Ids


def connected_areas(values: NDArray[Any]) -> NDArray[np.intp]:
    """(H, W) -> (H, W): the area of each pixel; pixels of equal value that touch by a side are one.

    Areas are numbered from 0 in the order of their first pixels.
    """
    areas, count = np.zeros(values.shape, np.intp), 0
    for value in np.unique(values):
        found, number = label(values == value)
        areas[found > 0] = found[found > 0] + count - 1
        count += number
    _, first = np.unique(areas, return_index=True)
    rank = np.empty(count, np.intp)
    rank[np.argsort(first)] = np.arange(count)
    return rank[areas]


def without_specks(values: NDArray[Any], least: int) -> NDArray[Any]:
    """(H, W) -> (H, W): pixels of areas smaller than `least` become part of the largest area beside them."""
    while True:
        areas = connected_areas(values)
        sizes = np.bincount(areas.reshape(-1))[areas]  # (H, W): of the area of each pixel
        largest, found = np.pad(sizes, 1), np.pad(values, 1, mode="edge")
        best, chosen = sizes.copy(), values.copy()
        for rows, columns in ((0, 1), (2, 1), (1, 0), (1, 2)):
            window = slice(rows, rows + len(values)), slice(columns, columns + values.shape[1])
            better = (sizes < least) & (largest[window] > best)
            best[better], chosen[better] = largest[window][better], found[window][better]
        if np.array_equal(chosen, values):
            return values
        values = chosen


def instance_ids(labels: Ids, objects: NDArray[np.intp]) -> Ids:
    """Class ids and numbers of objects from 1 (0: none), (H, W) -> ids of instances, as in Cityscapes.

    Numbers beyond 999 are one object.
    """
    numbers = np.minimum(objects, INSTANCES - 1)
    return np.where(numbers > 0, labels * INSTANCES + numbers, labels).astype(np.int32)


def by_size(areas: NDArray[np.intp]) -> NDArray[np.intp]:
    """(H, W) areas from 0 -> the same, numbered from 1 with the largest first."""
    order = np.argsort(-np.bincount(areas.reshape(-1)), kind="stable")
    rank = np.empty(len(order), np.intp)
    rank[order] = np.arange(1, len(order) + 1)
    return np.asarray(rank[areas])
