"""Classes that a user gives for annotations: the same ids, names and colours for several sets of them."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from i2icli.class_files import ClassList
from i2icli.labels.annotations import UNLABELLED, Annotations, Drawn


def with_classes(annotations: Annotations, given: ClassList) -> Annotations:
    """Annotations whose classes are those of a list: by their names or, where they have none, by their ids.

    What is of no class of the list becomes unlabelled, of which a note says what it is.
    """
    if annotations.classes is None:
        ids = {each.id: each.id for each in given.classes}
        read = [replace(entry, read=_renumbered(entry.read, ids)) for entry in annotations.entries]
        return replace(annotations, entries=tuple(read), classes=given.classes, ignore=given.ignore)
    of_name = {each.name.casefold(): each.id for each in given.classes}
    ids = {each.id: of_name.get(each.name.casefold(), UNLABELLED) for each in annotations.classes}
    unknown = [each.name for each in annotations.classes if ids[each.id] == UNLABELLED]
    notes = (f"not in --classes, so unlabelled: {', '.join(unknown)}",) if unknown else ()
    entries = (replace(entry, read=_renumbered(entry.read, ids)) for entry in annotations.entries)
    return replace(
        annotations,
        entries=tuple(entries),
        classes=given.classes,
        notes=(*annotations.notes, *notes),
        ignore=given.ignore,
    )


def _renumbered(read: Callable[[], Drawn], ids: dict[int, int]) -> Callable[[], Drawn]:
    def drawn() -> Drawn:
        found = read()
        numbers, positions = np.unique(found.ids, return_inverse=True)
        other = np.array([ids.get(number, UNLABELLED) for number in numbers.tolist()], np.int32)
        lost = (number for number in numbers.tolist() if number not in ids and number != UNLABELLED)
        left_out = (*found.left_out, *(f"maps' class {number}, which --classes lacks" for number in lost))
        return replace(found, ids=other[positions].reshape(found.ids.shape), left_out=left_out)

    return drawn
