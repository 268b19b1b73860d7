"""Parts of a label map: a class, an object, a rectangle. Arrays alone."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from i2icli.classes import NO_CLASS, UNLABELLED, LabelSet
from i2icli.errors import UserError
from i2icli.image import Ids

Mask: TypeAlias = NDArray[np.bool_]
"""(H, W): whether a pixel belongs to something."""

MOST_LISTED = 12  # classes or objects in a message


@dataclass(frozen=True, eq=False)
class LabelMap:
    """The classes of the pixels of an image and, if known, its objects. Arrays are never changed in place."""

    ids: Ids  # (H, W), as in the file: ids of classes, not their indices
    labels: LabelSet  # what the ids stand for
    instances: Ids | None = None  # (H, W): a number for each object, 0 where there is none

    def __post_init__(self) -> None:
        """Raises UserError if the two are of different sizes."""
        if self.instances is not None and self.instances.shape != self.ids.shape:
            raise UserError(
                f"an instance map of {_pixels(self.instances)}, a label map of {_pixels(self.ids)}"
            )


@dataclass(frozen=True)
class ClassOf:
    """All pixels of a class, by its index in the label set; the index after the last: unlabelled pixels."""

    index: int

    def mask(self, of: LabelMap) -> Mask:
        """Its pixels. Raises UserError, listing the classes of the map, if there are none."""
        ids = ids_of_index(of.labels, self.index)
        mask = np.isin(of.ids, ids)
        if not mask.any():
            there = (name_of(of.labels, int(number)) for number in np.unique(of.ids))
            name = name_of(of.labels, ids[0])
            raise UserError(f"there is no {name} in this map; it has {listed(dict.fromkeys(there))}")
        return mask


@dataclass(frozen=True)
class InstanceOf:
    """All pixels of an object, by its number in the instance map."""

    number: int

    def mask(self, of: LabelMap) -> Mask:
        """Its pixels. Raises UserError, listing the objects of the map, if there are none."""
        if of.instances is None:
            raise UserError("there is no instance map beside this map; name a class instead")
        mask: Mask = of.instances == self.number
        if not mask.any():
            there = listed(str(number) for number in np.unique(of.instances))
            raise UserError(f"there is no instance {self.number} in this map; it has {there}")
        return mask


Selection = ClassOf | InstanceOf


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels: columns left to right - 1, rows top to bottom - 1."""

    left: int
    top: int
    right: int
    bottom: int

    def mask(self, of: LabelMap) -> Mask:
        """Its pixels. Raises UserError unless it is a part of the map."""
        height, width = of.ids.shape
        if not (0 <= self.left < self.right <= width and 0 <= self.top < self.bottom <= height):
            box = f"{self.left},{self.top},{self.right},{self.bottom}"
            raise UserError(
                f"{box} is no part of a map of {width}x{height} px; "
                f"expected left,top,right,bottom from 0,0 to {width},{height}"
            )
        mask = np.zeros(of.ids.shape, np.bool_)
        mask[self.top : self.bottom, self.left : self.right] = True
        return mask


def ids_of_index(labels: LabelSet, index: int) -> tuple[int, ...]:
    """The ids in files that stand for an index; the one that is written comes first."""
    if index < len(labels.classes):
        return (labels.classes[index].id,)
    usual = NO_CLASS[0]
    return (usual, *labels.ignored) if usual in labels.ignored else labels.ignored


def name_of(labels: LabelSet, number: int) -> str:
    """What the class of an id is called; the id itself if it is not known."""
    index = labels.index_of_id.get(number)
    return str(number) if index is None else (*labels.names, UNLABELLED)[index]


def listed(names: Iterable[str]) -> str:
    """Names joined by commas, the first of many."""
    every = list(names)
    more = f" and {len(every) - MOST_LISTED:,} more" if len(every) > MOST_LISTED else ""
    return ", ".join(every[:MOST_LISTED]) + more


def _pixels(ids: Ids) -> str:
    return f"{ids.shape[1]}x{ids.shape[0]} px"
