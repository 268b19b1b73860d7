"""CVAT's segmentation masks: colours whose names are in a labelmap.txt (https://docs.cvat.ai).

SegmentationClass/ holds colours of classes, SegmentationObject/ one of its own for each object.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from i2icli.classes import LabelClass, colour_number
from i2icli.errors import UserError, readable
from i2icli.image import Ids
from i2icli.labels.annotations import UNLABELLED, Annotations, Drawn, annotations_of
from i2icli.labels.colours import UNLABELLED_COLOUR, numbers_of_colours
from i2icli.labels.names import result_name
from i2icli.labels.text_files import read_text

TABLE = "labelmap.txt"
CLASSES, OBJECTS = "SegmentationClass", "SegmentationObject"


def open_cvat(folder: Path, files: Sequence[Path]) -> Annotations:
    """The maps below SegmentationClass/. Raises UserError for a table that cannot be read."""
    classes = _table(folder / TABLE)
    of_colour = {colour_number(each.colour): each.id for each in classes if each.colour is not None}
    of_colour.setdefault(colour_number(UNLABELLED_COLOUR), UNLABELLED)
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
    border = colours == colour_number(UNLABELLED_COLOUR)
    _, positions = np.unique(np.where(border, 0, colours), return_inverse=True)
    return positions.reshape(shape).astype(np.int32)


def _table(path: Path) -> tuple[LabelClass, ...]:
    """Lines "name:red,green,blue:parts:actions"."""
    found: list[LabelClass] = []
    for number, line in enumerate(read_text(path).splitlines(), 1):
        if line.strip() and not line.startswith("#"):
            name, *rest = line.rsplit(":", 3)
            channels = rest[0].split(",") if rest else []
            if len(channels) != 3 or not all(each.strip().isdigit() and int(each) < 256 for each in channels):
                raise UserError(f"{path}, line {number}: expected name:red,green,blue::")
            red, green, blue = (int(each) for each in channels)
            found.append(LabelClass(len(found), readable(name.strip()), (red, green, blue)))
    if not found:
        raise UserError(f"{path}: no classes; expected lines such as road:128,64,128::")
    return tuple(found)
