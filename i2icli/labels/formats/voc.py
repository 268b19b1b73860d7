"""Pascal VOC: palette PNGs in SegmentationClass/ and SegmentationObject/; 255 is a border."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np

from i2icli.errors import UserError
from i2icli.image import FileItem
from i2icli.labels.annotations import UNLABELLED, Annotations, Drawn, annotations_of
from i2icli.labels.files import read_ids
from i2icli.labels.formats.cvat import CLASSES, OBJECTS
from i2icli.labels.names import result_name

BORDER = 255


def open_voc(folder: Path, files: Sequence[Path]) -> Annotations:
    """The maps below SegmentationClass/. Classes are those that occur, in the colours of the first map."""
    objects = folder / OBJECTS
    found = annotations_of(
        files,
        lambda file: result_name(file.relative_to(folder / CLASSES).as_posix()),
        lambda file, name: _read(file, objects / f"{name}.png"),
    )
    for file in files[:1]:
        with suppress(UserError):  # it is reported when it is to be converted
            found = replace(found, palette=FileItem(file).read_map().palette)
    return found


def _read(file: Path, objects: Path) -> Drawn:
    ids = read_ids(FileItem(file))
    classes = np.where(ids == BORDER, UNLABELLED, ids)
    if not objects.is_file():
        return Drawn(classes)
    instances = read_ids(FileItem(objects))
    if instances.shape != ids.shape:
        raise UserError(f"{objects} has another size than its map of classes")
    return Drawn(classes, np.where(instances == BORDER, 0, instances))
