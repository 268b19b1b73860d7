"""Editing label maps: a map in, an edited map out. Arrays alone: no files, no networks.

>>> edited = Replace(ClassOf(3), 5).apply(Remove(InstanceOf(26003)).apply(given))

Every operation raises UserError, one line, if what it is about is not in the map.
"""

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from i2icli.errors import UserError, about
from i2icli.image import Ids
from i2icli.labels.regions import Box, LabelMap, Mask, Selection, ids_of_index

LARGEST_INSTANCE = 65535  # a 16-bit file holds no larger number

Pixels = tuple[NDArray[np.intp], NDArray[np.intp]]
"""Rows and columns of some pixels."""


class Operation(Protocol):
    """One edit of a label map."""

    def apply(self, to: LabelMap) -> LabelMap:
        """The map after the edit; the given one stays as it is. Raises UserError."""


@dataclass(frozen=True)
class Replace:
    """Give the pixels of a class or object another class; objects stay the same."""

    what: Selection
    index: int  # of the new class

    def apply(self, to: LabelMap) -> LabelMap:
        """See `Operation`."""
        return replace(to, ids=_with(to.ids, self.what.mask(to), ids_of_index(to.labels, self.index)[0]))


@dataclass(frozen=True)
class Remove:
    """Remove a class or object: each of its pixels becomes what the nearest pixel around it is.

    Unlabelled pixels do not spread, unless there are no others.
    """

    what: Selection

    def apply(self, to: LabelMap) -> LabelMap:
        """See `Operation`. Raises UserError if nothing surrounds it."""
        hole = self.what.mask(to)
        if hole.all():
            raise UserError("it covers the whole map, so nothing surrounds it that could fill its place")
        labelled = ~hole & ~np.isin(to.ids, ids_of_index(to.labels, len(to.labels.classes)))
        source = _nearest(hole, labelled if labelled.any() else ~hole)
        instances = to.instances
        if instances is not None:
            instances = _with(instances, hole, instances[source])
        return replace(to, ids=_with(to.ids, hole, to.ids[source]), instances=instances)


@dataclass(frozen=True)
class Paste:
    """Copy a class or object of another map, or of the same, so that its top left corner is at (x, y).

    The corner is that of the smallest rectangle around it; what lies beyond the borders is cut off. Each
    object gets a number that the map does not have yet.
    """

    what: Selection
    source: LabelMap  # with the same label set
    at: tuple[int, int]  # x, y

    def apply(self, to: LabelMap) -> LabelMap:
        """See `Operation`. Raises UserError if nothing of it would lie inside the map."""
        with about("the map to copy from"):
            rows, columns = np.nonzero(self.what.mask(self.source))
        by = (self.at[0] - int(columns.min()), self.at[1] - int(rows.min()))
        numbers = None
        if to.instances is not None:
            numbers = _new_numbers(self.source.instances, (rows, columns), to.instances)
        return _stamped(to, self.source.ids[rows, columns], numbers, (rows, columns), by)


@dataclass(frozen=True)
class Fill:
    """Give all pixels of a rectangle or mask a class.

    They become one object: the one to which all pixels of that class belong, if they belong to a single one
    (as where a number stands for the road as a whole), else a new one.
    """

    index: int  # of the class
    region: Box | Mask

    def apply(self, to: LabelMap) -> LabelMap:
        """See `Operation`. Raises UserError if the region is no part of the map."""
        region = self.region.mask(to) if isinstance(self.region, Box) else self.region
        if region.shape != to.ids.shape or not region.any():
            raise UserError(f"a mask {region.shape} of {region.sum()} pixels is no part of the map")
        instances = to.instances
        if instances is not None:
            same = np.unique(instances[np.isin(to.ids, ids_of_index(to.labels, self.index))])
            number = int(same[0]) if len(same) == 1 else _free(instances, 1)[0]
            instances = _with(instances, region, number)
        number = ids_of_index(to.labels, self.index)[0]
        return replace(to, ids=_with(to.ids, region, number), instances=instances)


@dataclass(frozen=True)
class Move:
    """Move a class or object to the right and down; what surrounds it fills the place where it was."""

    what: Selection
    by: tuple[int, int]  # x, y; negative: to the left and up

    def apply(self, to: LabelMap) -> LabelMap:
        """See `Operation`. Raises UserError if nothing of it would lie inside the map."""
        rows, columns = np.nonzero(self.what.mask(to))
        pixels = (rows, columns)
        numbers = None if to.instances is None else to.instances[pixels]
        return _stamped(Remove(self.what).apply(to), to.ids[pixels], numbers, pixels, self.by)


def _nearest(wanted: Mask, sources: Mask) -> Pixels:
    """The nearest source of each wanted pixel, in the order of `np.nonzero(wanted)`; there must be one."""
    from scipy.ndimage import distance_transform_edt  # a quarter of a second that --help need not pay

    rows, columns = distance_transform_edt(~sources, return_distances=False, return_indices=True)
    return rows[wanted], columns[wanted]


def _with(array: Ids, where: Mask | Pixels, values: Ids | int) -> Ids:
    """A copy with other values in some places."""
    changed = array.copy()
    changed[where] = values
    return changed


def _stamped(to: LabelMap, ids: Ids, numbers: Ids | None, pixels: Pixels, by: tuple[int, int]) -> LabelMap:
    """The map with ids and numbers, (N,) each, of pixels that are shifted by x, y."""
    height, width = to.ids.shape
    rows, columns = pixels[0] + by[1], pixels[1] + by[0]
    inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    if not inside.any():
        raise UserError(f"nothing of it would lie inside the map of {width}x{height} px")
    where = (rows[inside], columns[inside])
    instances = to.instances
    if instances is not None and numbers is not None:
        instances = _with(instances, where, numbers[inside])
    return replace(to, ids=_with(to.ids, where, ids[inside]), instances=instances)


def _new_numbers(source: Ids | None, pixels: Pixels, there: Ids) -> Ids:
    """(N,) numbers of copied pixels: those of the source, each made one that is not there; 0 stays 0."""
    copied = np.ones(len(pixels[0]), np.int32) if source is None else source[pixels]
    old, positions = np.unique(copied, return_inverse=True)
    new = np.array(_free(there, len(old)), np.int32)
    new[old == 0] = 0
    return new[positions]


def _free(there: Ids, count: int) -> list[int]:
    """Numbers of objects that a map does not have: those after its largest, or else the smallest ones."""
    largest = max(0, int(there.max()))
    if largest + count <= LARGEST_INSTANCE:
        return list(range(largest + 1, largest + 1 + count))
    used = set(np.unique(there).tolist())
    free = [number for number in range(1, LARGEST_INSTANCE + 1) if number not in used][:count]
    if len(free) < count:
        raise UserError(f"the map has {len(used):,} objects; files of 16 bit hold no more")
    return free
