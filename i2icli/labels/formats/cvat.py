"""CVAT's segmentation masks: colours whose names are in a labelmap.txt (https://docs.cvat.ai).

SegmentationClass/ holds colours of classes, SegmentationObject/ one of its own for each object.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from i2icli.class_files import classes_in
from i2icli.classes import NO_COLOUR, colour_number
from i2icli.errors import UserError, about
from i2icli.image import Ids
from i2icli.labels.annotations import UNLABELLED, Annotations, Drawn, annotations_of
from i2icli.labels.colours import numbers_of_colours
from i2icli.labels.names import result_name

TABLE = "labelmap.txt"
CLASSES, OBJECTS = "SegmentationClass", "SegmentationObject"


def open_cvat(folder: Path, files: Sequence[Path]) -> Annotations:
    """The maps below SegmentationClass/. Raises UserError for a table that cannot be read."""
    with about(str(folder / TABLE)):
        classes = classes_in(folder / TABLE).classes
    of_colour = {colour_number(each.colour): each.id for each in classes if each.colour is not None}
    of_colour.setdefault(colour_number(NO_COLOUR), UNLABELLED)
    objects = folder / OBJECTS
    return annotations_of(
        files,
        lambda file: result_name(file.relative_to(folder / CLASSES).as_posix()),
        lambda file, name: _read(file, objects / f"{name}.png", of_colour),
        classes,
    )


def _read(file: Path, objects: Path, of_colour: dict[int, int]) -> Drawn:
    numbers = numbers_of_colours(file)
    colours, positions = np.unique(numbers, return_inverse=True)
    unknown = [colour for colour in colours.tolist() if colour not in of_colour]
    if unknown:
        red, green, blue = (unknown[0] >> shift & 255 for shift in (0, 8, 16))
        raise UserError(f"the colour {red},{green},{blue} is not in {TABLE}")
    ids = np.array([of_colour[colour] for colour in colours.tolist()], np.int32)
    instances = _objects(objects, numbers.shape) if objects.is_file() else None
    return Drawn(ids[positions].reshape(numbers.shape), instances)


def _objects(file: Path, shape: tuple[int, ...]) -> Ids:
    """(H, W): a number for each colour but black and that of borders."""
    colours = numbers_of_colours(file)
    if colours.shape != shape:
        raise UserError(f"{file} has another size than its map of classes")
    border = colours == colour_number(NO_COLOUR)
    objects = np.where(border, 0, colours)
    numbers = np.setdiff1d(objects, 0)  # those of objects, which are numbered from 1
    return np.where(objects == 0, 0, np.searchsorted(numbers, objects) + 1).astype(np.int32)
