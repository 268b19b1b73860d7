"""Styles that a user chooses by `--style car=3`, for a class or an instance."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from i2icli.classes import LabelSet
from i2icli.errors import UserError, about
from i2icli.image import kinds
from i2icli.request import Array
from i2icli.task import Port

RANDOM = "random"  # as the latent code has it
NONE = -1  # in the place of a cluster: as drawn, or as the photo has it
INSTANCE = "instance:"  # before the id of an instance
MOST_IDS = 8  # that an error lists


class ChosenStyles:
    """The numbers of clusters, from 0, that were chosen for classes and for instances."""

    def __init__(self, style: Mapping[str, str], labels: LabelSet, counts: Sequence[int]) -> None:
        """style: what was given, by class or "instance:<id>"; counts: clusters of each class.

        Raises UserError for a class or a cluster that there is not, listing those there are.
        """
        self.labels, self.counts = labels, counts
        self.classes: dict[int, int | None] = {}  # by index; None: as drawn
        self.instances: dict[int, int | None] = {}  # by id
        for name, value in style.items():
            with about(f"--style {name}={value}"):
                if name.startswith(INSTANCE):
                    self.instances[_id(name.removeprefix(INSTANCE))] = _number(value)
                else:
                    index = labels.find(name)
                    self.classes[index] = self._checked(_number(value), index)

    def check_nothing_drawn(self) -> None:
        """Raise UserError if a latent code is to decide some of them, where there is none."""
        if None in (*self.classes.values(), *self.instances.values()):
            raise UserError(f"--style {RANDOM} needs a latent code; leave out --reference")

    def over(self, labels: Array, instances: Array | None) -> Array:
        """The cluster that is chosen for every pixel, (B, 1, H, W); -1 where none is.

        labels, instances: (B, 1, H, W). Raises UserError for an instance that the map has not, or whose class
        lacks the cluster.
        """
        numbers = np.full_like(labels, NONE)
        for index, number in self.classes.items():
            numbers[labels == index] = NONE if number is None else number
        for id_, number in self.instances.items():
            with about(f"--style {INSTANCE}{id_}={RANDOM if number is None else number + 1}"):
                here = self._of_instance(id_, number, labels, instances)
            numbers[here] = NONE if number is None else number
        return numbers

    def _of_instance(self, id_: int, number: int | None, labels: Array, instances: Array | None) -> Array:
        """Its pixels, (B, 1, H, W)."""
        if instances is None:
            raise UserError("there is no instance map; give --instances, or choose by class")
        here: Array = instances == id_
        if not here.any():
            ids = np.unique(instances).tolist()
            more = ", ..." if len(ids) > MOST_IDS else ""
            raise UserError(
                f"the instance map has no such id; it has {', '.join(map(str, ids[:MOST_IDS]))}{more}"
            )
        for index in np.unique(labels[here]).tolist():
            self._checked(number, index)
        return here

    def _checked(self, number: int | None, index: int) -> int | None:
        """The number if the class has so many clusters."""
        count = self.counts[index]
        known = self.labels.names
        name = known[index] if index < len(known) else "what is unlabelled"
        if number is not None and number >= count:
            has = f"has the styles 1 to {count}" if count else "was not in the training images"
            raise UserError(f"{name} {has}; or choose {RANDOM}")
        return number


def padded(image: Array, port: Port, labels: Array) -> Array:
    """A photo (1, C, h, w) padded as its label map (B, 1, H, W). Raises UserError for another size."""
    found = kinds.pad(image, replace(port, kind="image"))  # (1, C, H, W)
    if found.shape[-2:] != labels.shape[-2:]:
        sizes = [f"{each.shape[-1]}x{each.shape[-2]}" for each in (image, labels)]
        raise UserError(
            f"the reference of {sizes[0]} px does not fit the label map of {sizes[1]} px; expected the photo "
            "of that map, from which its features are taken"
        )
    return found


def _number(value: str) -> int | None:
    """A cluster's number from 0, for a text that counts from 1; None for a random one."""
    if value.casefold() == RANDOM:
        return None
    if not value.isdecimal() or int(value) < 1:
        raise UserError(f"expected the number of a style, from 1, or {RANDOM}")
    return int(value) - 1


def _id(text: str) -> int:
    if not text.isdecimal():
        raise UserError("expected the id of an instance, such as instance:26003=2")
    return int(text)
