"""COCO's panoptic maps: PNG files whose colours are numbers of segments, and a JSON file of their classes.

The number of a segment is red + 256 green + 65536 blue; 0 is no segment.
"""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from i2icli.errors import UserError, readable
from i2icli.labels.annotations import UNLABELLED, Annotations, Drawn, Entry, Failure, ObjectNumbers
from i2icli.labels.colours import numbers_of_colours
from i2icli.labels.formats.coco import categories
from i2icli.labels.json_files import field, of_type
from i2icli.labels.names import result_name


def open_panoptic(content: dict[str, Any], path: Path) -> Annotations:
    """The maps of a JSON file that was read. Raises UserError if its lists are not what they should be."""
    classes = categories(content)
    listed = field(content, "categories", list)
    things = {each["id"]: each.get("isthing", 1) in (1, True) for each in listed}
    folders = [path.with_suffix(""), path.parent]  # COCO's folder has the name of its JSON file
    entries, failures = [], []
    for number, annotation in enumerate(field(content, "annotations", list)):
        source = f"annotation {number}"
        try:
            annotation = of_type(annotation, dict, "an annotation")
            source = readable(field(annotation, "file_name", str))
            name = result_name(field(annotation, "file_name", str))
        except UserError as error:
            failures.append(Failure(source, str(error)))
        else:
            entries.append(Entry(name, source, partial(_read, annotation, name, folders, things)))
    return Annotations(tuple(entries), classes, failures=tuple(failures))


def _find(name: str, folders: list[Path]) -> Path:
    for folder in folders:
        path = folder / f"{name}.png"
        if path.is_file():
            return path
    raise UserError(f"there is no {name}.png in {' or '.join(map(str, folders))}")


def _read(annotation: dict[str, Any], name: str, folders: list[Path], things: dict[int, bool]) -> Drawn:
    path = _find(name, folders)
    segments = numbers_of_colours(path)
    numbers, positions = np.unique(segments, return_inverse=True)
    classes: dict[int, int] = {0: UNLABELLED}
    for info in field(annotation, "segments_info", list):
        info = of_type(info, dict, "a segment")
        classes[field(info, "id", int)] = _known(field(info, "category_id", int), things)
    objects = ObjectNumbers()
    ids, instances = np.zeros(len(numbers), np.int32), np.zeros(len(numbers), np.int32)
    for index, number in enumerate(numbers.tolist()):
        if number not in classes:
            raise UserError(f"segment {number} of {path} is not in its segments_info")
        ids[index] = classes[number]
        instances[index] = objects.of(number) if things.get(classes[number]) else 0
    shape = segments.shape
    return Drawn(ids[positions].reshape(shape), instances[positions].reshape(shape))


def _known(category: int, things: dict[int, bool]) -> int:
    if category not in things:
        raise UserError(f"a segment of category {category}, which the file does not list")
    return category
